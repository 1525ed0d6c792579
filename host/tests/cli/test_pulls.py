import datetime
import json
import re
import signal

import pytest

from .conftest import interrupt, values_of


def _records(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_streams_are_pulled_into_files_with_read_equal_to_written(host, shop, tmp_path):
    shop(things=25)
    to = tmp_path / "new" / "folder"
    result = host.run("pull", "shop", "things", "colours", "--to", to)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in to.iterdir()) == [".state", "colours.jsonl", "things.jsonl"]
    assert [record["id"] for record in _records(to / "things.jsonl")][:3] == ["t1", "t2", "t3"]
    assert len(_records(to / "things.jsonl")) == 23
    assert f"things: 23 records read, 23 written to {to / 'things.jsonl'}" in result.stderr
    assert result.stdout == ""


def test_settings_of_the_instance_reach_the_vendor(host, shop, tmp_path):
    shop(things=25, settings={"include_archived": True})
    host.run("pull", "shop", "things", "--to", tmp_path)
    assert len(_records(tmp_path / "things.jsonl")) == 25


def test_progress_is_told_to_programs_as_json_lines(host, shop, tmp_path):
    shop(things=25)
    result = host.run("pull", "shop", "things", "--to", tmp_path, "--progress", "json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["event"] for event in events] == ["started", "page", "page", "page", "finished"]
    page = {"event": "page", "stream": "things", "read": 20, "written": 20, "page": 2, "pages": 3, "requests": 3}
    assert events[2].items() >= {**page, "requests": events[2]["requests"]}.items()
    assert set(events[2]) == {*page, "rate", "remaining", "quota"}
    finished = {"event": "finished", "stream": "things", "state": "success", "mode": "incremental"}
    counts = {"read": 23, "written": 23, "dead": 0, "duplicates": 0, "file": str(tmp_path / "things.jsonl")}
    assert events[-1].items() >= {**finished, **counts}.items()


def test_no_progress_is_shown_when_none_is_wanted(host, shop, tmp_path):
    shop()
    result = host.run("pull", "shop", "colours", "--to", tmp_path, "--progress", "none")
    assert result.exit_code == 0
    assert result.output == ""


@pytest.mark.parametrize(
    ("options", "zone", "first", "last"),
    [
        ("--since 2026-01-01 --until 2026-01-01", "UTC", 1, 23),
        ("--since 2026-01-01 --until 2026-01-01", "America/New_York", 5, 28),
        ("--until 2026-01-01T03:00", "UTC", 1, 3),
        ("--since 2026-01-02T01:00:00+02:00 --until 2026-01-02", "Europe/Paris", 23, 46),
        ("--since 1h", "UTC", 1, 0),
    ],
)
def test_times_are_read_in_the_zone_of_the_instance(pulled, options, zone, first, last):
    assert pulled(zone, options.split()) == [f"t{number}" for number in range(first, last + 1)]


@pytest.fixture
def pulled(host, shop, tmp_path):
    """Pull the things of a shop in a time zone, one of each hour of the year, and return their ids."""

    def pull(zone, options):
        shop(things=60, settings={"time_zone": zone, "include_archived": True})
        result = host.run("pull", "shop", "things", "--to", tmp_path, *options)
        assert result.exit_code == 0, result.output
        return [record["id"] for record in _records(tmp_path / "things.jsonl")]

    return pull


def test_a_limit_is_of_each_stream(host, shop, tmp_path):
    running = shop(things=25)
    host.run("pull", "shop", "things", "colours", "--to", tmp_path, "--limit", 2)
    assert [len(_records(tmp_path / f"{name}.jsonl")) for name in ("things", "colours")] == [2, 2]
    assert len(running.requests) == 2
    host.run("pull", "shop", "things", "--to", tmp_path)
    assert [record["id"] for record in _records(tmp_path / "things.jsonl")][:4] == ["t1", "t2", "t3", "t4"]
    assert len(_records(tmp_path / "things.jsonl")) == 23


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["thigns"], 'There is no stream "thigns".'),
        (["things", "colours", "--since", "7d"], "Colours cannot be limited by this"),
        (["things", "--since", "yesterday-ish"], "--since: This is no time."),
        (["things", "--since", "2026-02-01", "--until", "2026-01-01"], "This is later than until."),
    ],
)
def test_mistakes_show_before_anything_is_pulled(host, shop, tmp_path, arguments, words):
    running = shop()
    result = host.run("pull", "shop", *arguments, "--to", tmp_path / "out")
    assert result.exit_code == 2
    assert words in result.stderr
    assert running.requests == []
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told(host, shop, tmp_path):
    shop()
    (tmp_path / "file").write_text("")
    result = host.run("pull", "shop", "things", "--to", tmp_path / "file" / "folder")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_an_error_before_the_first_record_ends_with_its_own_code(host, shop, tmp_path):
    shop(faults=["400"] * 40)
    result = host.run("pull", "shop", "colours", "--to", tmp_path)
    assert result.exit_code == 5
    assert "Fault 400 on demand." in result.stderr
    assert "colours: 0 records read, 0 written" in result.stderr


def test_what_fails_once_is_tried_again(host, shop, tmp_path):
    running = shop(things=25)
    running.faults += ["", "400"]
    result = host.run("pull", "shop", "things", "--to", tmp_path)
    assert result.exit_code == 0, result.output
    assert sorted(record["id"] for record in _records(tmp_path / "things.jsonl")) == sorted(
        f"t{number}" for number in range(1, 26) if number % 10
    )


def test_what_fails_does_not_stop_the_others_and_is_told(host, shop, tmp_path):
    running = shop(things=25)
    running.faults += ["400"] * 2
    result = host.run("pull", "shop", "colours", "things", "--to", tmp_path)
    assert result.exit_code == 6
    assert "colours: things.ListColours: " in result.stderr
    assert len(_records(tmp_path / "things.jsonl")) == 23
    assert host.run("pull", "shop", "colours", "things", "--to", tmp_path).exit_code == 0
    assert len(_records(tmp_path / "colours.jsonl")) == 3
    assert len(_records(tmp_path / "things.jsonl")) == 23


@pytest.mark.parametrize("progress", ["plain", "json"])
def test_a_pull_that_goes_on_tells_all_that_it_read(host, shop, tmp_path, progress):
    running = shop(things=25)
    token, running.options["token"] = running.options["token"], "another"
    assert host.run("pull", "shop", "things", "--to", tmp_path).exit_code == 3
    running.options["token"] = token
    running.requests.clear()
    result = host.run("pull", "shop", "things", "--to", tmp_path, "--progress", progress)
    assert result.exit_code == 0, result.output
    if progress == "plain":
        assert result.stderr.splitlines()[-1].startswith("things: 23 records read, 23 written to ")
    else:
        finished = json.loads(result.stdout.splitlines()[-1])
        counts = {"event": "finished", "read": 23, "written": 23, "requests": len(running.requests)}
        assert finished.items() >= counts.items()


def test_the_same_command_brings_every_change_once(host, shop, tmp_path):
    running = shop(things=25)
    assert host.run("pull", "shop", "things", "colours", "--to", tmp_path).exit_code == 0
    assert host.run("pull", "shop", "things", "colours", "--to", tmp_path).exit_code == 0
    assert len(_records(tmp_path / "things.jsonl")) == 23
    assert [record["_change"] for record in _records(tmp_path / "colours.jsonl")] == ["created"] * 3
    running.things["t5"] |= {"name": "Renamed", "updated_at": _now()}
    result = host.run("pull", "shop", "things", "colours", "--to", tmp_path)
    assert result.exit_code == 0, result.output
    assert [record["name"] for record in _records(tmp_path / "things.jsonl")][23:] == ["Renamed"]


def _now():
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_records_go_to_standard_output(host, shop):
    shop(things=25)
    result = host.run("pull", "shop", "things", "--to", "-", "--progress", "json")
    assert result.exit_code == 0, result.output
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 23
    assert json.loads(result.stderr.splitlines()[-1])["event"] == "finished"


def test_full_mode_replaces_what_is_there(host, shop, tmp_path):
    running = shop(things=25)
    for _ in range(2):
        assert host.run("pull", "shop", "things", "--to", tmp_path, "--mode", "full").exit_code == 0
        running.things.pop("t1", None)
    assert len(_records(tmp_path / "things.jsonl")) == 22
    other = host.run("pull", "shop", "things", "--to", tmp_path)
    assert other.exit_code == 2
    assert "Use --mode full, or another folder." in other.stderr


def test_a_plan_tells_requests_and_time_and_pulls_nothing(host, shop, tmp_path):
    shop(things=25)
    result = host.run("pull", "shop", "things", "colours", "--to", tmp_path / "out", "--plan")
    assert result.exit_code == 0, result.output
    assert re.search(r"things +incremental +30 +things.ListThings +5 +300 in 60 s", result.stdout)
    assert "6 requests" in result.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "csv"], "There is no format csv."),
        (["--filter", "colour"], '"colour" is no filter.'),
        (["--filter", "color=red"], 'The stream things has no filter "color".'),
    ],
)
def test_options_that_do_not_fit(host, shop, tmp_path, options, words):
    shop()
    result = host.run("pull", "shop", "things", "--to", tmp_path, *options)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_where_everything_is_safe(host, vendor, tmp_path, request, number):
    running = vendor(things=200)
    assert host.run("instance", "add", "plain", "--values", "-", given=values_of(running)).exit_code == 0
    process = host.process("pull", "shop", "colours", "things", "--to", tmp_path / "out", "--progress", "json")
    request.addfinalizer(process.kill)
    for line in process.stdout:
        event = json.loads(line)
        if event["stream"] == "colours" and event["event"] == "finished":
            running.options = {**running.options, "slow": True}
        if event["stream"] == "things" and event["event"] == "page":
            break
    interrupt(process, number)
    assert 0 < len(_records(tmp_path / "out" / "things.jsonl")) < 180
    running.options = {**running.options, "slow": False}
    assert host.run("pull", "shop", "things", "--to", tmp_path / "out").exit_code == 0
    ids = [record["id"] for record in _records(tmp_path / "out" / "things.jsonl")]
    assert sorted(ids) == sorted(f"t{number}" for number in range(1, 201) if number % 10)


def test_the_report_of_every_stream_is_json_on_stdout(host, shop, tmp_path):
    shop(things=25)
    report = host.json("pull", "shop", "things", "colours", "--to", tmp_path, "--json")
    assert report["stopped"] is False
    things, colours = report["streams"]
    expected = {"stream": "things", "state": "success", "read": 23, "written": 23, "finished": True, "error": None}
    assert things.items() >= {**expected, "file": str(tmp_path / "things.jsonl"), "warnings": []}.items()
    assert colours["stream"] == "colours"


def test_progress_for_programs_leaves_stdout_to_the_report(host, shop, tmp_path):
    shop(things=25)
    result = host.run("pull", "shop", "things", "--to", tmp_path, "--json", "--progress", "json")
    assert json.loads(result.stdout)["streams"][0]["written"] == 23
    assert [json.loads(line)["event"] for line in result.stderr.splitlines()][-1] == "finished"


def test_a_pull_that_fails_has_its_report_and_its_error(host, shop, tmp_path):
    shop(faults=["400"] * 40)
    result = host.run("pull", "shop", "colours", "--to", tmp_path, "--json", "--progress", "none")
    assert result.exit_code == 5
    (colours,) = json.loads(result.stdout)["streams"]
    assert (colours["state"], colours["written"]) == ("failure", 0)
    error = json.loads(result.stderr)
    assert colours["error"] == error["message"]
    assert error["exit_code"] == 5


def test_a_plan_is_json_too(host, shop, tmp_path):
    shop(things=25)
    plan = host.json("pull", "shop", "things", "--to", tmp_path, "--plan", "--json")
    (things,) = plan["streams"]
    assert things["stream"] == "things"
    assert things["requests"] == sum(each["requests"] for each in things["operations"])
    assert things["operations"][0]["operation"] == "things.ListThings"
    assert set(things["operations"][0]) == {"operation", "requests", "rate_limit"}
    assert list(tmp_path.glob("*.jsonl")) == []


def test_standard_output_takes_records_or_the_report(host, shop):
    shop()
    result = host.run("pull", "shop", "things", "--to", "-", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    (problem,) = json.loads(result.stderr)["problems"]
    assert problem["where"] == "--json"
    assert "leave out --json" in problem["fix"]


def test_a_column_that_no_stream_has_is_told_with_the_nearest(host, shop, tmp_path):
    shop()
    result = host.run("pull", "shop", "things", "--to", tmp_path, "--columns", "id,colr")
    assert result.exit_code == 2
    assert 'A record has no field "colr". Did you mean "colour"?' in " ".join(result.stderr.split())
    assert not list(tmp_path.glob("*.jsonl"))
    assert host.run("pull", "shop", "things", "colours", "--to", tmp_path, "--columns", "id,colour").exit_code == 0
