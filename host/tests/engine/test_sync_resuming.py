"""Runs that end early or cannot begin: where the next goes on, and which folders are left alone."""

import contextlib
import datetime
import json
import sqlite3
from collections import Counter

import pytest

from connector_host.contract.errors import ConfigurationError, InUse
from connector_host.engine.keys import KeyStore
from connector_host.engine.report import RunEnd
from connector_host.engine.state import FolderState
from connector_host.testing.clock import FakeClock

from .pulls import records
from .scripted import ThingsVendor, stream, things


async def test_a_limit_in_the_midst_of_one_record_loses_none_of_its_parts(pull, tmp_path):
    vendor = ThingsVendor([{"id": 1, "notes": [{"no": number} for number in range(5)]}])
    made = stream(details=True, each="notes", inherit={"of": "id"}, primary_key=["of", "no"])
    for _ in range(4):
        await pull(vendor, made, limit=2)
    assert [record["no"] for record in records(tmp_path)] == list(range(5))


async def test_a_limit_in_the_midst_of_the_records_of_one_id_loses_none_of_them(pull, tmp_path):
    class WithParts(ThingsVendor):
        def details(self, given):
            return [{"id": number} for key in given["ids"] for number in (key, key * 100 + 1, key * 100 + 2)]

    vendor = WithParts(things(1, 2, 3))
    while not (await pull(vendor, stream(details=True, time=True), limit=1)).finished:
        pass
    assert sorted(record["id"] for record in records(tmp_path)) == [1, 2, 3, 101, 102, 201, 202, 301, 302]


async def test_a_stop_leaves_a_checkpoint_that_the_next_run_goes_on_from(pull, tmp_path):
    vendor = ThingsVendor(things(*range(10)))
    report = await pull(vendor, stream(), watch=lambda sync, moved: sync.stop() if moved.page == 2 else None)
    assert (report.state, report.finished) == (RunEnd.STOPPED, False)
    assert 0 < len(records(tmp_path)) < 10
    again = await pull(vendor, stream())
    assert (again.state, again.resumed, again.finished) == (RunEnd.SUCCESS, True, True)
    assert [record["id"] for record in records(tmp_path)] == list(range(10))


async def test_a_settled_window_goes_on_page_by_page(pull, tmp_path):
    vendor = ThingsVendor(things(*range(12)))
    made = stream(time=True, counted=True)
    until = datetime.datetime.fromtimestamp(FakeClock().time() - 86_400 * 30, datetime.UTC)
    await pull(vendor, made, until=until, watch=lambda sync, moved: sync.stop() if moved.page == 4 else None)
    position = json.loads((tmp_path / ".state" / "things.json").read_text())["run"]["position"]
    assert position["step"]["number"] >= 4
    vendor.sent.clear()
    await pull(vendor, made, until=until)
    assert min(given["page"] for _, given in vendor.sent) >= 4
    assert [record["id"] for record in records(tmp_path)] == list(range(12))


@pytest.mark.parametrize(("paging", "counted"), [("total", True), ("total", False), ("short", False), ("token", False)])
async def test_what_leaves_a_settled_window_between_two_runs_hides_nothing(pull, tmp_path, paging, counted):
    vendor = ThingsVendor(things(*range(12)))
    made = stream(paging, time=True, counted=counted)
    until = datetime.datetime.fromtimestamp(FakeClock().time() - 86_400 * 30, datetime.UTC)
    await pull(vendor, made, until=until, watch=lambda sync, moved: sync.stop() if moved.page == 4 else None)
    del vendor.things[0], vendor.things[1]
    report = await pull(vendor, made, until=until)
    assert (report.finished, report.resumed, report.warnings) == (True, True, ())
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(12))


async def test_a_limit_ends_the_run_for_now(pull, tmp_path):
    vendor = ThingsVendor(things(*range(7)))
    report = await pull(vendor, stream(), limit=3)
    assert (report.written, report.finished, report.state) == (3, False, RunEnd.SUCCESS)
    await pull(vendor, stream())
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(7))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read"),
        ('{"version": 99}', "a later version"),
        ("[]", "cannot be read"),
        ('{"version": 1, "stream": "other", "mode": "full", "filters": {}}', "of the stream other"),
        ('{"version": 1, "stream": "things", "mode": "full", "filters": {}, "sequence": 7}', "of checkpoint 7"),
    ],
)
async def test_a_state_that_cannot_be_used_is_told_and_left_alone(pull, tmp_path, content, words):
    (tmp_path / ".state").mkdir()
    file = tmp_path / ".state" / "things.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=words):
        await pull(ThingsVendor(things(1)), stream())
    assert file.read_text() == content
    assert not (tmp_path / "things.jsonl").exists()


async def test_two_pulls_of_a_stream_into_one_folder_do_not_meet(pull, tmp_path, monkeypatch):
    vendor = ThingsVendor(things(1, 2))
    await pull(vendor, stream())
    monkeypatch.setattr("connector_host.engine.keys._WAITED_SECONDS", 0.0)
    other = FolderState(tmp_path / ".state", "things").keys()
    with contextlib.closing(other), pytest.raises(InUse, match="Another pull of things is at work"):
        await pull(vendor, stream())
    assert (await pull(vendor, stream())).state is RunEnd.SUCCESS


async def test_files_that_do_not_fit_the_state_are_left_alone(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2))
    (tmp_path / "things.jsonl").write_text("mine\n")
    with pytest.raises(ConfigurationError, match="is there already"):
        await pull(vendor, stream())
    assert (tmp_path / "things.jsonl").read_text() == "mine\n"
    (tmp_path / "things.jsonl").unlink()
    await pull(vendor, stream())
    (tmp_path / "things.jsonl").write_text("")
    with pytest.raises(ConfigurationError, match="shorter"):
        await pull(vendor, stream())
    (tmp_path / "things.jsonl").unlink()
    vendor.things[3] = {"id": 3}
    await pull(vendor, stream())
    assert [record["id"] for record in records(tmp_path)] == [3]


def keys_of_format_1(file):
    """Turn the file with the keys into what the format before would have in it."""
    with contextlib.closing(sqlite3.connect(file)) as keys:
        keys.execute("INSERT INTO ids SELECT key, asked FROM records WHERE asked > 0")
        keys.execute("ALTER TABLE records DROP COLUMN asked")
        keys.execute("PRAGMA user_version=1")
        keys.commit()


@pytest.mark.parametrize("between", [lambda _: None, keys_of_format_1], ids=["as it is", "from the format before"])
async def test_ids_whose_records_are_safe_are_not_asked_for_again(pull, tmp_path, between):
    vendor = ThingsVendor(things(*range(12)))
    await pull(vendor, stream(details=True), watch=lambda sync, moved: sync.stop() if moved.page == 3 else None)
    safe = {record["id"] for record in records(tmp_path)}
    assert 0 < len(safe) < 12
    between(tmp_path / ".state" / "things.keys.db")
    vendor.sent.clear()
    await pull(vendor, stream(details=True))
    assert not safe & {key for operation, given in vendor.sent if operation == "details" for key in given["ids"]}
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(12))


async def test_an_id_that_is_the_key_of_another_ones_record_is_asked_for(pull, tmp_path):
    class Shifted(ThingsVendor):
        def details(self, given):
            return [{"id": key + 1} for key in given["ids"]]

    vendor = Shifted(things(*range(12)))
    await pull(vendor, stream(details=True), watch=lambda sync, moved: sync.stop() if moved.page == 3 else None)
    await pull(vendor, stream(details=True))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(1, 13))


@pytest.mark.parametrize("listed", [{"id": "head.id"}, {"id": None}])
async def test_ids_may_stand_deeper_in_what_is_listed_or_be_all_of_it(pull, tmp_path, listed):
    class Lists(ThingsVendor):
        def list(self, given):
            answer = super().list(given)
            rows = [row["id"] if listed["id"] is None else {"head": {"id": row["id"]}} for row in answer["data"]]
            return answer | {"data": rows}

    made = stream(details=True)
    made["lists"][0].update(listed)
    await pull(Lists(things(*range(7))), made)
    assert [record["id"] for record in records(tmp_path)] == list(range(7))


async def test_an_id_is_asked_for_once_even_if_its_record_comes_with_other_ids_too(pull):
    class WithTheFirst(ThingsVendor):
        def list(self, given):
            answer = super().list(given)
            return answer | {"data": [*answer["data"], {"id": 0}]} if given["page"] == answer["n"] else answer

        def details(self, given):
            return [*super().details(given), *([{"id": 0, "seen": given["ids"]}] if 0 not in given["ids"] else [])]

    vendor = WithTheFirst(things(*range(7)))
    await pull(vendor, stream(details=True))
    asked = Counter(key for operation, given in vendor.sent if operation == "details" for key in given["ids"])
    assert asked == Counter(range(7))


@pytest.mark.parametrize("paging", ["total", "short", "token"])
async def test_a_list_with_a_row_for_each_line_is_not_taken_for_one_without_end(pull, tmp_path, paging):
    class Lines(ThingsVendor):
        def list(self, given):
            answer = super().list(given)
            rows = [{"id": 1 if row["id"] < 4 else 2, "line": row["id"]} for row in answer["data"]]
            return answer | {"data": rows}

        def details(self, given):
            return [{"id": key} for key in given["ids"]]

    report = await pull(Lines(things(*range(5))), stream(paging, details=True))
    assert (report.failures, report.error) == ((), None)
    assert [record["id"] for record in records(tmp_path)] == [1, 2]


async def test_many_keys_at_once_need_no_more_variables_than_every_sqlite_takes():
    with contextlib.closing(KeyStore(None)) as keys:
        keys._db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        rows = [(b"%d" % number, number, 1) for number in range(1_000)]
        keys.add(rows, 1)
        assert keys.ids_of_run([key for key, _, _ in rows], 1) == {key for key, _, _ in rows}
        assert len(keys.known([key for key, _, _ in rows])) == 1_000


async def test_keys_of_the_format_before_are_taken_over(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2))
    await pull(vendor, stream(details=True))
    file = tmp_path / ".state" / "things.keys.db"
    keys_of_format_1(file)
    vendor.things[3] = {"id": 3, "at": 3}
    report = await pull(vendor, stream(details=True))
    assert (report.written, report.counts.unchanged) == (1, 2)
    with contextlib.closing(sqlite3.connect(file)) as keys:
        assert keys.execute("PRAGMA user_version").fetchone() == (2,)
        assert keys.execute("SELECT count(*) FROM records").fetchone() == (3,)
