"""`push` over a real socket: what arrives at the vendor, what the command says, and how it goes on after a kill."""

import contextlib
import json
import signal
import subprocess
import time

import pytest

from .conftest import values_of


def _lines(*records):
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def _added(running):
    return [
        json.loads(body)["name"] for method, path, _, body in running.requests if (method, path) == ("POST", "/things")
    ]


def _told(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def push(host, tmp_path):
    """Push records, given as lines or a text, by the action add_thing."""

    def run(*records, options=(), action="add_thing", text=None):
        file = tmp_path / "records.jsonl"
        file.write_text(_lines(*records) if text is None else text)
        return host.run("push", "shop", action, "--from", file, *options)

    return run


def test_records_are_written_and_can_be_read_back(host, shop, push):
    shop(things=3)
    result = push({"name": "Lamp", "colour": "blue", "weight": 2.5, "tags": ["new"]}, {"name": "Chair"})
    assert result.exit_code == 0, result.output
    assert "add_thing: 2 records read, 2 written" in result.stderr
    assert result.stdout == ""
    thing = host.json("call", "shop", "things.GetThing", "id=t4")
    assert (thing["name"], thing["colour"], thing["weight"], thing["tags"]) == ("Lamp", "blue", 2.5, ["new"])
    assert host.json("call", "shop", "things.GetThing", "id=t5")["colour"] == "red"


def test_a_list_and_stdin_are_taken_too(host, shop, push):
    running = shop()
    assert push(text=json.dumps([{"name": "A"}, {"name": "B"}])).exit_code == 0
    result = host.run("push", "shop", "add_thing", "--from", "-", given=f"\ufeff\n{_lines({'name': 'C'})}\n\n")
    assert result.exit_code == 0, result.output
    assert _added(running) == ["A", "B", "C"]


def test_records_that_are_refused_stand_between_good_ones(shop, push):
    running = shop()
    result = push({"name": "A"}, "{broken", {"name": ""}, {"name": "B", "colour": "pink"}, {"nam": "C"}, {"name": "D"})
    assert result.exit_code == 6
    assert _added(running) == ["A", "D"]
    assert "Record 2: rejected. The record is not valid. The line is not JSON: JSON is malformed" in result.stderr
    assert "Record 3: rejected. The record is not valid. name: This is empty." in result.stderr
    assert 'Did you mean "name"?' in result.stderr
    assert "add_thing: 6 records read, 2 written, 4 rejected (partial success)" in result.stderr


def test_a_dry_run_sends_nothing(shop, push):
    running = shop()
    result = push({"name": "A"}, {"name": "B"}, options=["--dry-run"])
    assert result.exit_code == 0
    assert "add_thing: 2 records read, 2 valid; nothing was sent" in result.stderr
    assert push({"name": "A"}, {"name": 5}, options=["--dry-run"]).exit_code == 2
    assert running.requests == []


def test_results_are_told_to_programs(shop, push):
    running = shop(faults=["", "400"])
    result = push({"name": "A"}, {"name": "B"}, {"name": 3}, options=["--json"])
    assert result.exit_code == 6
    first, second, third, end = _told(result)
    assert first == {
        "event": "result",
        "record": 1,
        "outcome": "written",
        "request_id": running.requests[0][2]["x-request-id"],
        "answer": running.things["t26"],
    }
    assert (second["outcome"], second["message"]) == (
        "rejected",
        "Plain things refused things.CreateThing: Fault 400 on demand.",
    )
    assert third["problems"] == [{"where": "name", "rule": "type", "sentence": "This is a number, not a text."}]
    counts = {"read": 3, "written": 1, "rejected": 2, "unknown": 0, "skipped": 0, "checked": 0, "earlier": 0}
    assert end.items() >= {"event": "finished", "action": "add_thing", "state": "partial success", **counts}.items()


CODES = {
    "nothing is valid": ([], [{"name": 1}, "x"], 2),
    "the vendor refuses all": (["400", "400"], [{"name": "A"}, {"name": "B"}], 5),
    "a permission is missing at the vendor": (["403"], [{"name": "A"}], 3),
    "an answer is lost": (["reset"], [{"name": "A"}], 6),
    "the vendor fails": (["500"], [{"name": "A"}], 6),
    "nothing to push": ([], [], 0),
}


@pytest.mark.parametrize("case", CODES)
def test_the_exit_code_says_how_it_ended(shop, push, case):
    faults, records, code = CODES[case]
    shop(faults=faults)
    assert push(*records).exit_code == code


def test_a_scope_that_does_not_cover_the_action_is_told_before_anything_is_sent(shop, push):
    running = shop(access="Things.Read")
    result = push({"name": "A"})
    assert result.exit_code == 3
    assert "Add Plain.Things.WriteNode to the credential Access" in result.stderr
    assert running.requests == []


def test_a_vendor_that_is_not_there_is_told_and_nothing_is_sent(shop, push):
    running = shop()
    running.options = {**running.options, "token": "tok-another-one"}
    result = push({"name": "A"}, {"name": "B"}, options=["--json"])
    assert result.exit_code == 3
    assert [each.get("outcome") for each in _told(result)] == ["skipped", "skipped", None]
    assert len(running.requests) == 1


def test_a_connection_that_breaks_after_the_write_is_unknown_and_not_repeated(shop, push):
    running = shop(things=3, faults=["reset"])
    result = push({"name": "A"}, {"name": "B"})
    assert result.exit_code == 6
    assert "Record 1: unknown. things.CreateThing was sent and no clear answer came" in result.stderr
    assert _added(running) == ["A", "B"]
    assert sorted(thing["name"] for thing in running.things.values() if "Thing" not in thing["name"]) == ["A", "B"]


MISTAKES = {
    "no such action": (["add_thng"], 2, 'Did you mean "add_thing"?'),
    "no such file": (["add_thing", "--from", "nowhere.jsonl"], 2, "It cannot be read"),
    "resume without a file": (["add_thing", "--resume"], 2, "Name the results file"),
    "dry run with a file": (["add_thing", "--dry-run", "--results", "r.jsonl"], 2, "A dry run has no results"),
    "results in no folder": (["add_thing", "--results", "no/where/r.jsonl"], 2, "cannot be read or written"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told_before_anything_is_sent(host, shop, tmp_path, monkeypatch, case):
    arguments, code, words = MISTAKES[case]
    running = shop()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_text(_lines({"name": "A"}))
    source = [] if "--from" in arguments else ["--from", "good.jsonl"]
    result = host.run("push", "shop", *arguments, *source)
    assert result.exit_code == code
    assert words in " ".join(result.output.replace("│", "").split())
    assert running.requests == []


def test_a_list_that_is_none_is_told(shop, push):
    running = shop()
    result = push(text='[{"name": "A"}, {"name": ')
    assert result.exit_code == 2
    assert "It is not JSON" in result.stderr
    assert running.requests == []


def test_the_scope_of_an_action_is_printed(host):
    told = host.json("scope", "plain", "--for", "add_thing", "remove_thing", "--json")
    assert told["scope"] == "Things.Write"
    assert [(each["name"], each["operation"]) for each in told["needs"]] == [
        ("add_thing", "things.CreateThing"),
        ("remove_thing", "things.DeleteThing"),
    ]


def test_a_connector_shows_what_the_records_of_its_actions_have(host):
    lines = [line.split() for line in host.run("connector", "plain").stdout.splitlines()]
    assert ["add_thing", "Add", "a", "thing", "Products", "name", "[colour]", "[weight]", "[tags]"] in [
        line[:9] for line in lines
    ]
    action = host.json("connector", "plain", "--json")["actions"][1]
    assert (action["name"], action["record"]["required"]) == ("remove_thing", ["id"])


def test_many_problems_are_counted_and_not_all_shown(shop, push):
    shop()
    result = push(*[{"name": 5}] * 25, {"name": "A"})
    assert result.stderr.count(": rejected.") == 20
    assert "5 more are not shown; --json and --results tell every one." in result.stderr


@pytest.fixture
def start(host):
    """Start commands as processes, and end them afterwards."""
    with contextlib.ExitStack() as stack:

        def begin(*command, **options):
            process = stack.enter_context(host.process(*command, **options))
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def started(host, vendor, tmp_path, start):
    """Start a push of 20 things as a process, and wait until the first results are in its file."""
    running = vendor(things=3)
    assert host.run("instance", "add", "plain", "--values", "-", given=values_of(running)).exit_code == 0
    running.requests.clear()
    records, results = tmp_path / "records.jsonl", tmp_path / "results.jsonl"
    records.write_text(_lines(*({"name": f"No. {number}"} for number in range(1, 21))))
    command = ["push", "shop", "add_thing", "--from", records, "--results", results, "--resume"]
    running.options = {**running.options, "slow": True}
    process = start(*command)
    while not (results.exists() and results.read_text().count('"outcome"') >= 2):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process, running, command, results


def _wait_for_request(running, number):
    while len(running.requests) < number:
        time.sleep(0.02)


def test_a_killed_push_goes_on_and_writes_nothing_twice(host, started):
    process, running, command, results = started
    # The next one has arrived at the vendor, which has not answered yet.
    _wait_for_request(running, results.read_text().count('"outcome"') + 1)
    process.kill()
    process.communicate()
    arrived = _added(running)
    running.options = {**running.options, "slow": False}
    result = host.run(*command)
    assert result.exit_code == 6
    number = len(arrived)
    assert f"Record {number}: unknown. It was being sent when an earlier push ended" in result.stderr
    assert f"{20 - number:,} written, 1 unknown, {number - 1} done earlier" in result.stderr
    assert _added(running) == [f"No. {number}" for number in range(1, 21)]
    told = [json.loads(line) for line in results.read_text().splitlines()]
    found = [(line["record"], line["outcome"]) for line in told if "outcome" in line]
    assert found == [(n, "unknown" if n == number else "written") for n in range(1, 21)]
    assert host.run(*command).exit_code == 0
    assert len(_added(running)) == 20


def test_a_signal_ends_it_after_the_record_under_way(host, started):
    process, running, command, results = started
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 6
    assert b"Interrupted. The same command with --resume goes on from there." in said
    assert b"Traceback" not in said
    text = results.read_text()
    assert text.count('"outcome":"written"') == text.count('"sending"') == len(_added(running)) < 20
    running.options = {**running.options, "slow": False}
    assert host.run(*command).exit_code == 0
    assert _added(running) == [f"No. {number}" for number in range(1, 21)]


def test_a_second_push_with_the_same_file_is_refused(host, started):
    _, running, command, _ = started
    result = host.run(*command)
    assert result.exit_code == 2
    assert "Another push works with" in result.stderr
    assert len(_added(running)) < 20


def test_a_signal_ends_a_push_that_waits_for_stdin(shop, start):
    running = shop()
    process = start("push", "shop", "add_thing", "--from", "-", "--json", stdin=subprocess.PIPE)
    process.stdin.write(_lines({"name": "A"}).encode())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["outcome"] == "written"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 6
    assert json.loads(process.stdout.readline()).items() >= {"state": "stopped", "written": 1}.items()
    assert process.stderr.read() == b""
    assert _added(running) == ["A"]
