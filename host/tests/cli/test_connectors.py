import sys

import pytest

from ..conftest import copy_of, edit  # noqa: TID252 -- test helpers are in no package


@pytest.fixture
def copy(tmp_path, plain_folder, monkeypatch):
    """Copies of the plain connector, each a package of its own, with changes to the manifest or another plugin."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def make(name, plugin=None, **changes):
        folder = copy_of(plain_folder, tmp_path / name, name)
        edit(folder / "connector.yaml", changes)
        if plugin is not None:
            (folder / f"{name}_connector" / "plugin.py").write_text(plugin)
        return folder

    yield make
    for module in set(sys.modules) - before:
        if "_connector" in module:
            del sys.modules[module]


def test_connectors_are_listed_for_programs(host):
    listed = {each["name"]: each for each in host.json("connectors", "--json")}
    assert listed["plain"] == {
        "name": "plain",
        "label": "Plain things",
        "version": 3,
        "version_name": "1.2.0",
        "package": str(host.folder),
        "package_version": "development",
        "status": "ok",
        "problem": None,
    }


def test_a_broken_connector_is_listed_with_its_reason_and_hides_no_other(host, copy):
    broken = copy("broken", **{"system_type: Other": "system_type: Spaceship"})
    result = host.run("connectors", folders=[broken])
    assert result.exit_code == 0
    assert "plain " in result.stdout
    assert next(line for line in result.stdout.splitlines() if line.startswith("broken")).endswith("broken")
    assert "connector.yaml:7:14" in result.stderr


def test_code_that_does_not_import_shows_when_each_is_loaded(host, copy):
    folder = copy("faulty", plugin="raise RuntimeError('no')")
    listing = host.run("connectors", folders=[folder])
    assert "Importing" not in listing.output
    loaded = host.run("connectors", "--load", folders=[folder])
    assert "Importing faulty_connector.plugin raised RuntimeError" in loaded.stderr


def test_a_connector_is_shown_with_methods_and_streams(host):
    shown = host.run("connector", "plain").stdout
    for words in ("Plain things", "Authentication method Token", "API token", "required, secret", "colours", "5 in 1"):
        assert words in shown
    facts = host.json("connector", "plain", "--json")
    assert [stream["name"] for stream in facts["streams"]] == ["things", "colours"]
    assert facts["areas"] == {"things": 5}


def test_an_unknown_connector_suggests_the_nearest(host):
    result = host.run("connector", "plian")
    assert result.exit_code == 2
    assert 'Did you mean "plain"?' in result.stderr


def test_the_form_is_given_in_the_convention_of_its_renderers(host):
    form = host.json("form", "plain", "--json")
    assert list(form) == ["schema", "uiSchema", "formData"]
    assert list(form["formData"]) == ["name", "authentication", "settings", "credentials"]
    assert host.json("form", "plain", "--method", "Header key", "--json")["formData"]["authentication"] == "Header key"
    text = host.run("form", "plain").stdout
    assert "credentials.api_token" in text
    assert "required, secret" in text


def test_an_unknown_method_is_refused(host):
    result = host.run("form", "plain", "--method", "Tokn")
    assert result.exit_code == 2
    assert 'Did you mean "Token"?' in result.stderr


def test_a_sound_connector_passes_its_check(host):
    for name in ("plain", host.folder):
        result = host.run("check", name)
        assert result.exit_code == 0, result.output
        assert "plain: no problem." in result.stderr


def test_check_prints_every_problem_with_its_place(host, copy):
    folder = copy(
        "bad",
        **{
            "operation: things.ListColours": "operation: things.ListColors",
            "schema: {type: boolean}": "schema: {type: object}",
            "        secret: true\n        schema:\n": "        schema:\n",
        },
    )
    result = host.run("check", folder)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert {line.rsplit("[", 1)[1] for line in lines} >= {"operation-exists]", "form-field]", "secret-marked]"}
    assert all(line.startswith(f"{folder}/connector.yaml:") for line in lines)
    assert f"bad: {len(lines)} problems." in result.stderr


def test_check_tells_programs_the_same(host, copy):
    folder = copy("bad", **{"operation: things.ListColours": "operation: things.ListColors"})
    result = host.run("check", folder, "--json")
    assert result.exit_code == 2
    assert '"rule": "operation-exists"' in result.stdout
    assert '"ok": false' in result.stdout


def test_check_prints_what_is_wrong_with_a_manifest_that_cannot_be_read(host, copy):
    folder = copy("bad", **{"colour: cyan": "color: cyan"})
    result = host.run("check", folder)
    assert result.exit_code == 2
    assert 'Did you mean "colour"?' in result.stdout


def test_check_tells_wrong_shapes_and_the_rest_together_by_line(host, copy):
    folder = copy(
        "bad",
        **{
            "colour: cyan": "color: cyan",
            "things.ListColours": "things.ListColors",
            "        secret: true\n        schema:\n": "        schema:\n",
            "primary_key: [id]": "primary_key: id",
        },
    )
    result = host.run("check", folder)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert [line.rsplit("[", 1)[1] for line in lines] == [
        "missing-key]",
        "unknown-key]",
        "secret-marked]",
        "type]",
        "operation-exists]",
        "operation-exists]",
    ]
    numbers = [int(line.removeprefix(f"{folder}/connector.yaml:").split(":")[0]) for line in lines]
    assert numbers == sorted(numbers)


def test_check_tells_every_name_that_stands_twice(host, copy):
    again = "  - {key: include_archived, label: Again, help: The same once more., schema: {type: boolean}}\n"
    folder = copy("bad", **{"settings:\n": f"settings:\n{again}{again}", "colour: cyan": "color: cyan"})
    result = host.run("check", folder)
    twice = [line for line in result.stdout.splitlines() if "include_archived is declared twice." in line]
    assert len(twice) == 2


def test_check_reports_code_that_does_not_load(host, copy):
    folder = copy("hollow", plugin="import nothing_of_that_name")
    result = host.run("check", folder)
    assert result.exit_code == 2
    assert "nothing_of_that_name" in result.stdout
    assert "[connector-loads]" in result.stdout


def test_check_of_nothing_suggests_a_name(host):
    result = host.run("check", "plan")
    assert result.exit_code == 2
    assert 'Did you mean "plain"?' in result.stderr
