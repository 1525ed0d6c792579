import json

import pytest

from .conftest import values_of


@pytest.fixture
def running(shop):
    return shop()


@pytest.mark.usefixtures("running")
def test_a_run_is_started_listed_and_shown(host):
    started = host.run("runs", "start", "shop", "things", "--parameters", "-", given={"limit": 3})
    assert started.exit_code == 0, started.output
    run_id = started.stdout.strip()
    assert [each["id"] for each in host.json("runs", "list", "--instance", "SHOP", "--state", "success", "--json")] == [
        run_id
    ]
    for search, found in (("THINGS shop", [run_id]), ("shop", [run_id]), ("things colours", []), ("\udcff", [])):
        assert [each["id"] for each in host.json("runs", "list", "--search", search, "--json")] == found
    shown = host.json("runs", "show", run_id, "--json")
    assert (shown["state"], shown["counts"]["written"]) == ("success", 3)
    assert shown["log"][1]["data"]["request_id"]
    told = host.run("runs", "show", run_id).stdout
    assert "things.jsonl" in told
    assert f"things.ListThings: success (200) {shown['log'][1]['data']['request_id']}" in told
    assert "ended already" in host.run("runs", "stop", run_id).output
    assert host.run("runs", "resume", run_id).exit_code == 2
    assert host.run("runs", "list", "--state", "odd").exit_code == 2


def test_a_run_that_fails_says_so_with_its_code_and_goes_on_when_resumed(host, running):
    token = running.options["token"]
    running.options["token"] = "tok-changed-since"
    failed = host.run("runs", "start", "shop", "colours")
    assert (failed.exit_code, "failure" in failed.output) == (5, True)
    running.options["token"] = token
    resumed = host.run("runs", "resume", failed.stdout.strip())
    assert (resumed.exit_code, "success" in resumed.output) == (0, True)


def test_runs_of_a_stream_go_on_from_each_other_until_it_is_started_over(host, running):
    def start(*options):
        started = host.run("runs", "start", "shop", "things", *options)
        assert started.exit_code == 0, started.output
        run_id = started.stdout.strip()
        return run_id, host.json("runs", "show", run_id, "--json")

    first, _ = start()
    second, shown = start("--mode", "incremental")
    assert (shown["counts"]["written"], shown["reach"]["after"]) == (0, first)
    told = host.run("runs", "show", second).stdout
    assert f"It goes on from run {first} and reads what changed." in told
    assert "What changed since the last run" in told
    assert start("--mode", "full")[1]["counts"]["written"] == 23
    chosen, shown = start("--filter", "colour=red", "--columns", "name,colour", "--normalise", "--limit", "2")
    lines = (host.home / "runs" / chosen / "things.jsonl").read_text().splitlines()
    assert [sorted(json.loads(line)) for line in lines] == [["colour", "id", "name"]] * 2
    assert shown["parameters"] == {
        "limit": 2,
        "filters": {"colour": "red"},
        "columns": ["name", "colour"],
        "normalise": True,
    }
    states = host.json("runs", "state", "shop", "--json")
    assert {(each["run_id"], each["unfinished"]) for each in states} == {(second, False), (chosen, True)}
    assert "colour: red" in host.run("runs", "state", "SHOP").stdout
    assert "reads everything" in host.run("runs", "reset", "shop", "things").output
    assert host.run("runs", "reset", "shop", "things").exit_code == 0
    assert host.run("runs", "reset", "shop", "thing").exit_code == 2
    assert host.json("runs", "state", "shop", "--json") == []
    assert start()[1]["counts"]["written"] == 23
    assert len(running.requests) > 4


@pytest.mark.usefixtures("running")
def test_what_a_stream_cannot_do_is_told_before_it_is_run_or_planned(host):
    for command in (("runs", "start"), ("schedule", "add", "--every", "5")):
        told = host.run(*command, "shop", "colours", "--mode", "incremental", "--filter", "size=big")
        assert told.exit_code == 2, told.output
        assert "only what changed" in told.output
        assert "size" in told.output
    assert host.json("runs", "list", "--json") == []
    assert host.json("schedule", "list", "--json") == []


@pytest.mark.usefixtures("running")
def test_an_operation_is_run(host):
    started = host.run("runs", "start", "shop", "things.ListColours")
    assert started.exit_code == 0
    assert (host.home / "runs" / started.stdout.strip() / "answer.json").exists()


@pytest.mark.usefixtures("running")
def test_schedules_are_added_listed_and_removed(host):
    given = ("--cron", "30 6 * * *", "--since", "1d", "--mode", "full", "--filter", "state=present")
    made = host.json("schedule", "add", "shop", "things", *given, "--json")
    assert made["parameters"] == {"mode": "full", "since": "1d", "filters": {"state": "present"}}
    assert made["cron"] == "30 6 * * *"
    assert "Reads: Everything; From: 1d; Only state: present" in host.run("schedule", "list").stdout
    assert "30 6 * * * (UTC)" in host.run("schedule", "list").stdout
    assert host.run("instance", "remove", "shop", "--yes").exit_code == 2
    assert host.run("schedule", "add", "shop", "nothing", "--every", "5").exit_code == 2
    assert host.run("schedule", "add", "shop", "things").exit_code == 2
    assert host.run("schedule", "remove", made["id"]).exit_code == 0
    assert host.json("schedule", "list", "--json") == []


def test_retention_is_shown_and_set(host):
    assert "30 days" in host.run("runs", "retention").stdout
    assert host.run("runs", "retention", "--log-days", "7").exit_code == 0
    told = host.run("runs", "retention").stdout
    assert ("7 days" in told, "72 hours" in told) == (True, True)


def test_an_environment_says_which_instance_is_meant(host, vendor):
    live, sandbox = vendor(things=3), vendor(things=7)
    for name, server in (("live", live), ("sandbox", sandbox)):
        host.run("instance", "add", "plain", "--values", "-", given=values_of(server, name))
    assert host.run("environment", "add", "staging", "live=sandbox").exit_code == 0
    assert host.json("instance", "show", "live", "--environment", "STAGING", "--json")["name"] == "sandbox"
    before = len(live.requests)
    called = host.run("call", "--environment", "staging", "live", "things.GetThing", "id=t7")
    assert (called.exit_code, "Thing 7" in called.stdout) == (0, True)
    assert len(live.requests) == before
    assert host.run("call", "live", "things.GetThing", "id=t7", "--environment", "stagin").exit_code == 2
    assert host.run("runs", "start", "live", "things", "--environment", "staging").exit_code == 0
    for options, names in (((), []), (("--environment", "staging"), ["sandbox"])):
        found = host.json("runs", "list", "--instance", "live", *options, "--json")
        assert [each["instance"] for each in found] == names
    assert len(host.json("runs", "list", "--environment", "staging", "--json")) == 1
    assert host.run("instance", "remove", "sandbox", "--yes").exit_code == 2
    assert host.json("environment", "list", "--json") == [{"name": "staging", "replacements": {"live": "sandbox"}}]
    assert host.run("environment", "set", "staging", "live").exit_code == 2
    assert host.run("environment", "remove", "staging").exit_code == 0


def test_every_command_that_takes_an_instance_takes_an_environment(host):
    for command in (
        ("call",),
        ("pull",),
        ("instance", "test"),
        ("instance", "edit"),
        ("runs", "start"),
        ("runs", "list"),
        ("schedule", "add"),
    ):
        assert "--environment" in host.run(*command, "--help").output, command
    assert "--environment" not in host.run("instance", "list", "--help").output
