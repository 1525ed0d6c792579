import json
import re
import signal

import pytest

from .conftest import values_of


def _records(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_streams_are_pulled_into_files_with_read_equal_to_written(host, shop, tmp_path):
    shop(things=25)
    to = tmp_path / "new" / "folder"
    result = host.run("pull", "shop", "things", "colours", "--to", to)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in to.iterdir()) == ["colours.jsonl", "things.jsonl"]
    assert [record["id"] for record in _records(to / "things.jsonl")][:3] == ["t1", "t2", "t3"]
    assert len(_records(to / "things.jsonl")) == 23
    assert f"things: 23 records read, 23 written to {to / 'things.jsonl'}" in result.stderr
    assert "2 files in" in result.stderr
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
    assert events[2] == {"event": "page", "stream": "things", "records": 20, "page": 2, "pages": 3}
    assert events[-1] == {
        "event": "finished",
        "stream": "things",
        "read": 23,
        "written": 23,
        "file": str(tmp_path / "things.jsonl"),
    }


def test_no_progress_is_shown_when_none_is_wanted(host, shop, tmp_path):
    shop()
    result = host.run("pull", "shop", "colours", "--to", tmp_path, "--progress", "none")
    assert result.stderr == f"1 file in {tmp_path}.\n"


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
    shop(faults=["400"])
    result = host.run("pull", "shop", "things", "--to", tmp_path)
    assert result.exit_code == 5
    assert "Fault 400 on demand." in result.stderr


def test_an_error_after_a_part_leaves_what_is_complete_and_says_so(host, shop, tmp_path):
    running = shop(things=25)
    assert host.run("pull", "shop", "things", "--to", tmp_path).exit_code == 0
    before = (tmp_path / "things.jsonl").read_bytes()
    running.faults += ["", "", "400"]
    result = host.run("pull", "shop", "colours", "things", "--to", tmp_path)
    assert result.exit_code == 6
    assert f"Complete: {tmp_path / 'colours.jsonl'} (3 records)." in result.stderr
    assert f"Not complete: {tmp_path / 'things.jsonl.part'} (10 records so far)." in result.stderr
    assert len(_records(tmp_path / "things.jsonl.part")) == 10
    assert (tmp_path / "things.jsonl").read_bytes() == before


def test_ctrl_c_leaves_what_is_complete(host, vendor, tmp_path, request):
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
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 6
    text = said.decode()
    assert re.search(
        r"Interrupted\. Complete: .*colours\.jsonl \(3 records\)\. Not complete: .*things\.jsonl\.part", text
    )
    assert "Traceback" not in text
    part = tmp_path / "out" / "things.jsonl.part"
    assert len(_records(part)) % 10 == 0
    assert not (tmp_path / "out" / "things.jsonl").exists()
