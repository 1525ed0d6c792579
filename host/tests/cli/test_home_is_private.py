"""Whatever the host writes into its home is the owner's alone, however generous the umask is."""

import json
import os
import stat

import pytest


@pytest.fixture
def generous_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous_umask")
def test_every_file_and_folder_of_the_home_is_the_owners_alone(host, shop, tmp_path, monkeypatch):
    shop(things=25)
    (tmp_path / "parameters.json").write_text(json.dumps({"input": {"id": "t1"}}))
    commands = [
        "connectors --load",
        "instance test shop",
        "call shop things.ListColours",
        f"pull shop things --to {tmp_path / 'data'}",
        "runs start shop things",
        "runs start shop things",
        "runs start shop colours",
        f"runs start shop things.GetThing --parameters {tmp_path / 'parameters.json'}",
        "schedule add shop things --every 30",
        "instance duplicate shop other",
        "environment add rehearsal shop=other",
        "token add reports",
        "keys rotate",
    ]
    for command in commands:
        result = host.run(*command.split())
        assert result.exit_code == 0, (command, result.output)
    monkeypatch.setattr("connector_host.cli.state.HostState.find", lambda _: 1 / 0)
    assert host.run("connectors").exit_code == 1
    found = [host.home, *host.home.rglob("*")]
    names = {path.name for path in found}
    assert names >= {
        "instances.db",
        "quota.db",
        "encryption.key",
        "manifests.json",
        "connector-host.log",
        "things.jsonl",
    }
    open_to_others = {
        str(path.relative_to(host.home)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in found
        if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)
    }
    assert open_to_others == {}


@pytest.mark.usefixtures("generous_umask")
def test_a_pull_into_a_folder_of_ones_own_keeps_to_the_umask(host, shop, tmp_path):
    shop(things=5)
    to = tmp_path / "shared"
    to.mkdir(mode=0o775)
    assert host.run("pull", "shop", "things", "--to", to).exit_code == 0
    assert stat.S_IMODE((to / "things.jsonl").stat().st_mode) == 0o664


@pytest.mark.usefixtures("generous_umask")
def test_a_quota_file_of_an_older_version_is_closed_to_others(host, shop):
    shop()
    host.home.joinpath("quota.db").touch(mode=0o644)
    assert host.run("call", "shop", "things.ListColours").exit_code == 0
    assert stat.S_IMODE((host.home / "quota.db").stat().st_mode) == 0o600
