import json


def test_the_demo_shows_the_main_job_and_leaves_nothing_but_its_files(host, tmp_path):
    to = tmp_path / "demo-data"
    result = host.run("demo", "plain", "--to", to)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    for words in (
        "$ connector-host connectors",
        "$ connector-host sandbox plain",
        "$ connector-host instance add plain",
        '$ connector-host instance test "demo shop"',
        '$ connector-host pull "demo shop" things colours',
        "$ head -1",
        '$ connector-host call "demo shop" things.',
        "23 things, 3 colours",
        "What was done",
    ):
        assert words in shown
    assert sorted(path.name for path in to.iterdir()) == [".state", "colours.jsonl", "things.jsonl"]
    assert json.loads((to / "things.jsonl").read_text().splitlines()[0])["id"] == "t1"
    assert "tok-5a4db0c5-plain" not in result.output
    assert not host.home.exists()


def test_the_demo_takes_a_connector_that_has_a_sandbox_by_itself(host, tmp_path, monkeypatch):
    monkeypatch.setattr("connector_host.connectors.discovery.entry_points", lambda **_: [])
    result = host.run("demo", "--to", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "connector-host sandbox plain" in result.stdout


def test_without_any_sandbox_the_demo_says_what_to_do(host, tmp_path, monkeypatch):
    monkeypatch.setattr("connector_host.connectors.discovery.entry_points", lambda **_: [])
    host.folder = tmp_path
    result = host.run("demo", "--to", tmp_path / "demo-data")
    assert result.exit_code == 2
    assert "No installed connector has a sandbox." in result.stderr
    assert not (tmp_path / "demo-data").exists()


def test_the_demo_may_be_run_again_into_the_same_folder(host, tmp_path):
    for _ in range(2):
        result = host.run("demo", "plain", "--to", tmp_path)
        assert result.exit_code == 0, result.output
        assert "23 things, 3 colours" in result.stdout


def test_a_folder_that_is_not_the_demos_own_is_left_alone(host, shop, tmp_path):
    shop()
    assert host.run("pull", "shop", "things", "--to", tmp_path).exit_code == 0
    before = (tmp_path / "things.jsonl").read_bytes()
    result = host.run("demo", "plain", "--to", tmp_path)
    assert result.exit_code == 2
    assert "another folder" in result.stderr
    assert (tmp_path / "things.jsonl").read_bytes() == before
