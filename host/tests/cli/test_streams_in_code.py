"""A stream that the connector's own code reads, on the command line: no different from the others but in its plan."""

import json
import re

import pytest

from ..conftest import copy_of, edit  # noqa: TID252 -- test helpers are in no package
from .conftest import interrupt, values_of


@pytest.fixture
def plain_folder(coded_folder):
    return coded_folder


def _ids(file):
    return [json.loads(line)["id"] for line in file.read_text().splitlines()]


def _present(count):
    return [f"t{number}" for number in range(1, count + 1) if number % 10]


def test_it_is_pulled_and_the_next_time_only_what_changed(host, shop, tmp_path):
    running = shop(things=25)
    result = host.run("pull", "shop", "whole_things", "--to", tmp_path)
    assert result.exit_code == 0, result.output
    assert "whole_things: 23 records read, 23 written" in result.stderr
    assert _ids(tmp_path / "whole_things.jsonl") == _present(25)
    running.requests.clear()
    assert host.run("pull", "shop", "whole_things", "--to", tmp_path).exit_code == 0
    assert [path.partition("?")[0] for _, path, _, _ in running.requests] == ["/things"]
    assert _ids(tmp_path / "whole_things.jsonl") == _present(25)


def test_limits_and_filters_are_those_of_every_stream(host, shop):
    shop(things=25)
    options = ["--since", "2026-01-01T05:00Z", "--until", "2026-01-01T12:00Z", "--filter", "colour=green", "--dedupe"]
    result = host.run("pull", "shop", "whole_things", "--to", "-", *options)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["t7"]


def test_a_signal_stops_where_everything_is_safe(host, shop, tmp_path, request):
    running = shop(things=60)
    process = host.process("pull", "shop", "whole_things", "--to", tmp_path / "out", "--progress", "json")
    request.addfinalizer(process.kill)
    for line in process.stdout:
        if json.loads(line)["event"] == "page":
            running.options = {**running.options, "slow": True}
            break
    interrupt(process)
    before = len(_ids(tmp_path / "out" / "whole_things.jsonl"))
    assert 0 < before < 54
    running.options = {**running.options, "slow": False}
    running.requests.clear()
    assert host.run("pull", "shop", "whole_things", "--to", tmp_path / "out").exit_code == 0
    assert f"page={before // 10 + 1}" in running.requests[0][1]
    assert _ids(tmp_path / "out" / "whole_things.jsonl") == _present(60)


def test_its_plan_says_that_its_requests_are_not_known(host, shop, tmp_path):
    running = shop(things=25)
    result = host.run("pull", "shop", "whole_things", "colours", "--to", tmp_path / "out", "--plan")
    assert result.exit_code == 0, result.output
    assert re.search(r"whole_things +incremental +not told +things.ListThings +not known +300 in 60 s", result.stdout)
    assert re.search(r"\n +things.GetThing +not known +none +not known", result.stdout)
    assert "At least 1 request.\n" in result.stdout
    assert "How often the connector's own code calls is not known beforehand" in result.stderr
    assert len(running.requests) == 1
    assert not (tmp_path / "out").exists()


def test_its_scope_is_that_of_the_operations_it_declares(host):
    told = host.json("scope", "coded", "--for", "whole_things", "--json")
    assert told["nodes"] == ["Plain.Things.ReadNode"]
    assert [each["operation"] for each in told["needs"]] == ["things.ListThings", "things.GetThing"]


def test_what_the_scope_does_not_cover_is_not_sent(host, shop, tmp_path):
    running = shop(access="Things.Write")
    result = host.run("pull", "shop", "whole_things", "--to", tmp_path)
    assert result.exit_code == 3
    assert "things.ListThings needs the permission" in result.stderr
    assert running.requests == []


def test_it_is_shown_with_what_it_may_call(host):
    assert "whole_things" in host.run("connector", "coded").stdout
    streams = {each["name"]: each for each in host.json("connector", "coded", "--json")["streams"]}
    assert streams["whole_things"]["code"]["operations"] == ["things.ListThings", "things.GetThing"]


@pytest.fixture
def broken(tmp_path, coded_folder):
    """A copy of the coded connector whose plugin says something else."""

    def make(name, file, old, new):
        folder = copy_of(coded_folder, tmp_path / name, name)
        edit(folder / f"{name}_connector" / file, {old: new})
        return folder

    return make


def test_check_finds_no_fault_with_it(host, coded_folder):
    result = host.run("check", coded_folder)
    assert result.exit_code == 0, result.output


WRONG = {
    "nohook": ("def stream_code(", "def _stream_code(", "gives the stream whole_things to code, and no hook"),
    "other": ('"whole_things"', '"half_things"', "did not return code with pages() for the stream whole_things"),
    "fails": ("return WholeThings()", "return WhoelThings()", "The hook stream_code of fails raised NameError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_check_tells_what_is_wrong_with_its_code(host, broken, name):
    old, new, words = WRONG[name]
    result = host.run("check", broken(name, "plugin.py", old, new))
    assert result.exit_code == 2
    assert words in result.stdout
    assert "[connector-loads]" in result.stdout


def test_code_that_fails_ends_the_pull_with_what_was_read_before_it(host, shop, broken, tmp_path):
    folder = broken(
        "halfway", "reading.py", "            page += 1\n", "            page += 1\n            1 / (page - 2)\n"
    )
    running = shop(things=25)
    running.requests.clear()
    values = {**values_of(running, "half"), "credentials": dict(running.credentials)}
    added = host.run("instance", "add", "halfway", "--values", "-", given=values, folders=[folder])
    assert added.exit_code == 0, added.output
    result = host.run("pull", "half", "whole_things", "--to", tmp_path / "out", folders=[folder])
    assert result.exit_code == 6, result.output
    assert "The code of the stream whole_things (hook stream_code of halfway) raised ZeroDivisionError" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(_ids(tmp_path / "out" / "whole_things.jsonl")) == 10
