import pytest

from connector_host.cli.output import write_facts, write_table


def test_tables_keep_whole_cells_where_no_terminal_is(capsys):
    write_table(("name", "title"), [("a", "x" * 200), ("longer", "")])
    assert capsys.readouterr().out.splitlines() == ["NAME    TITLE", f"a       {'x' * 200}", "longer"]


@pytest.mark.parametrize("columns", [40, 120])
def test_tables_fit_a_terminal_and_lose_nothing(monkeypatch, capsys, columns):
    monkeypatch.setattr("connector_host.cli.output.on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    write_table(("name", "title"), [("things.[b]Thing[/b]", "word " * 30)])
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= columns for line in lines)
    assert " ".join(lines).split().count("word") == 30
    assert "things.[b]Thing[/b]" in " ".join(lines)


def test_facts_leave_out_what_is_not_known_and_line_up(capsys):
    write_facts({"name": "shop", "account": "", "message": "one\ntwo", "nothing": None})
    assert capsys.readouterr().out.splitlines() == ["name     shop", "message  one", "         two"]


def test_no_connector_is_told_with_what_to_do(host, monkeypatch, tmp_path):
    monkeypatch.setattr("connector_host.connectors.discovery.entry_points", lambda **_: [])
    monkeypatch.setattr("connector_host.cli.state.HostState.find", lambda _: [])
    result = host.run("connectors")
    assert result.exit_code == 0
    assert "Install one with pip" in result.stderr
    assert not list(tmp_path.iterdir())
