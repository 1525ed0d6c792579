"""Streams that a connector's own code reads are pulled like others: limited, filtered, gone on with and compared."""

import datetime
import json

import pytest

from connector_host import connect
from connector_host.connectors import code as code_module
from connector_host.contract.errors import CredentialsRejected, PermissionMissing, VendorRefused
from connector_host.embedding import connect_async
from connector_host.engine.checkpoints import Cadence
from connector_host.engine.sinks import JsonLinesSink
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync


@pytest.fixture
def shop(coded, running):
    with connect(coded, credentials=running.credentials, settings=running.settings) as shop:
        yield shop


def asked(running):
    return [(method, path) for method, path, _, _ in running.requests]


def test_records_come_as_from_every_stream(shop):
    found = list(shop.pull("whole_things"))
    assert len(found) == 32
    assert found == list(shop.pull("things"))


def test_a_limit_asks_for_no_page_more(shop, running):
    assert len(list(shop.pull("whole_things", limit=10))) == 10
    assert sum(path.startswith("/things?") for _, path in asked(running)) == 1


def test_times_and_settings_reach_the_code(coded, running):
    settings = {**running.settings, "include_archived": True}
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    hours = [day + datetime.timedelta(hours=number) for number in (9, 11)]
    with connect(coded, credentials=running.credentials, settings=settings) as shop:
        found = [record["id"] for record in shop.pull("whole_things", since=hours[0], until=hours[1])]
    assert found == ["t9", "t10", "t11"]


async def _synced(coded, running, folder, **given):
    connection = connect_async(coded, credentials=running.credentials, settings=running.settings)
    async with connection as shop:
        sync = Sync(
            shop,
            "whole_things",
            sink=JsonLinesSink(folder / "whole_things.jsonl"),
            state=FolderState(folder / ".state", "whole_things"),
            cadence=Cadence(records=1),
            **given,
        )
        return await sync.run()


async def test_a_run_that_was_broken_off_goes_on_behind_the_last_page_that_is_safe(coded, running, tmp_path):
    def refuse(moved):
        if moved.page == 2:
            running.faults.append("400")

    report = await _synced(coded, running, tmp_path, progress=refuse)
    assert isinstance(report.error, VendorRefused)
    assert (report.written, report.finished) == (20, False)
    running.requests.clear()
    report = await _synced(coded, running, tmp_path)
    assert (report.resumed, report.finished, report.written) == (True, True, 32)
    assert "page=3" in asked(running)[0][1]
    ids = [json.loads(line)["id"] for line in (tmp_path / "whole_things.jsonl").read_text().splitlines()]
    assert ids == [f"t{number}" for number in range(1, 36) if number % 10]


async def test_the_next_pull_reads_what_changed_since(coded, running, tmp_path):
    report = await _synced(coded, running, tmp_path)
    assert report.mode == "incremental"
    now = datetime.datetime.now(datetime.UTC)
    running.things["t7"]["updated_at"] = now.isoformat()
    running.requests.clear()
    report = await _synced(coded, running, tmp_path)
    assert (report.written, report.finished) == (1, True)
    assert "since=" in asked(running)[0][1]
    assert len(running.requests) == 2


async def test_compared_with_everything_what_is_gone_is_told(coded, running, tmp_path):
    await _synced(coded, running, tmp_path, mode="changes")
    del running.things["t4"]
    report = await _synced(coded, running, tmp_path, mode="changes")
    assert (report.written, report.counts.removed, report.counts.unchanged) == (0, 1, 31)


async def test_what_lies_outside_the_times_that_were_read_is_not_told_as_gone(coded, running, tmp_path):
    await _synced(coded, running, tmp_path, mode="changes")
    del running.things["t4"]
    since = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    for times in ({"since": since}, {"until": since}):
        report = await _synced(coded, running, tmp_path, mode="changes", **times)
        assert report.counts.removed == 0
        assert "cannot be told from what lies outside" in report.warnings[0]
    report = await _synced(coded, running, tmp_path, mode="changes")
    assert (report.counts.removed, report.warnings) == (1, ())


async def test_a_filter_leaves_out_what_does_not_match(coded, running, tmp_path):
    report = await _synced(coded, running, tmp_path, filters={"colour": "red"})
    assert (report.written, report.filtered) == (10, 22)


def test_a_missing_permission_is_told_before_anything_is_sent(coded, running):
    credentials = {**running.credentials, "access": "Things.Write"}
    with (
        pytest.raises(PermissionMissing, match=r"things\.ListThings needs the permission"),
        connect(coded, credentials=credentials, settings=running.settings) as shop,
    ):
        list(shop.pull("whole_things"))
    assert running.requests == []


def test_a_vendor_that_lets_nobody_in_is_told_as_it_is(coded, running):
    running.options = {**running.options, "token": "tok-another-one"}
    with (
        pytest.raises(CredentialsRejected),
        connect(coded, credentials=running.credentials, settings=running.settings) as shop,
    ):
        list(shop.pull("whole_things"))


def test_the_vendors_time_is_not_the_codes(coded, running, monkeypatch):
    monkeypatch.setattr(code_module, "CODE_SECONDS", 0.45)
    running.options = {**running.options, "slow": True}
    with connect(coded, credentials=running.credentials, settings=running.settings) as shop:
        assert len(list(shop.pull("whole_things", since=_hour(33), until=_hour(33)))) == 1


def _hour(number):
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=number)
