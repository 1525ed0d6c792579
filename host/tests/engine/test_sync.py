"""Runs over a vendor whose things change: what is written, what is told, and from where the next run goes on."""

import contextlib
import datetime
import json
import sqlite3
from collections import Counter

import httpx
import pytest

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse, UnknownName
from connector_host.engine.checkpoints import Cadence
from connector_host.engine.dead_letters import DeadLetterFile
from connector_host.engine.report import RunEnd
from connector_host.engine.retry import RetryLimits
from connector_host.engine.sinks import sink_for
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync
from connector_host.testing.clock import FakeClock

from .conftest import _connection
from .scripted import ThingsVendor, stream


@pytest.fixture
def pull(catalogue, tmp_path):
    """Pull the things of a vendor into a folder: once, with everything new but the folder."""

    async def run(
        vendor, made, *, clock=None, folder=tmp_path, file_format="jsonl", watch=None, settings=None, **given
    ):
        clock = clock or FakeClock()
        limits = RetryLimits(attempts=1)
        transport = httpx.MockTransport(vendor)
        connection = _connection(
            vendor, clock, catalogue, streams=[made], transport=transport, limits=limits, settings=settings
        )
        async with connection as shop:
            sync = Sync(
                shop,
                "things",
                sink=sink_for(folder, "things", file_format, {"properties": {"id": {"type": "integer"}}}),
                state=FolderState(folder / ".state", "things"),
                dead_letters=DeadLetterFile(folder / "things.dead.jsonl"),
                cadence=Cadence(records=1),
                progress=(lambda moved: watch(sync, moved)) if watch else None,
                **given,
            )
            return await sync.run()

    return run


def records(folder, name="things.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def adds_up(report):
    counts = report.counts
    return counts.read == counts.written + counts.dead + counts.duplicates + counts.filtered + counts.unchanged


def things(*numbers, **more):
    return [{"id": number, "at": number, **more} for number in numbers]


@pytest.mark.parametrize("paging", ["total", "short", "token"])
@pytest.mark.parametrize("details", [False, True])
async def test_every_record_is_written_once_and_in_order(pull, tmp_path, paging, details):
    report = await pull(ThingsVendor(things(*range(9))), stream(paging, details=details), mode="full")
    assert [record["id"] for record in records(tmp_path)] == list(range(9))
    assert (report.state, report.finished, report.read, report.written) == (RunEnd.SUCCESS, True, 9, 9)


async def test_time_limited_streams_bring_what_changed_since(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2, 3))
    made = stream(time=True)
    first = FakeClock()
    assert (await pull(vendor, made, clock=first)).mode == "incremental"
    late = FakeClock(first.time() + 86_400)
    vendor.things[2] = {"id": 2, "at": 40 * 86_400 + 100, "colour": "red"}
    vendor.things[4] = {"id": 4, "at": 40 * 86_400 + 200}
    report = await pull(vendor, made, clock=late)
    assert [record["id"] for record in records(tmp_path)] == [1, 2, 3, 2, 4]
    assert vendor.sent[-1][1]["from"] == "2027-01-15T07:50:00Z"
    assert report.written == 2


async def test_a_record_stamped_late_is_found_in_the_overlap_and_none_comes_twice(pull, tmp_path):
    vendor = ThingsVendor(things(40 * 86_400 - 300))
    made = stream(time=True)
    first = FakeClock()
    await pull(vendor, made, clock=first)
    vendor.things[7] = {"id": 7, "at": 40 * 86_400 - 280}
    report = await pull(vendor, made, clock=FakeClock(first.time() + 60))
    assert [record["id"] for record in records(tmp_path)] == [40 * 86_400 - 300, 7]
    assert report.duplicates == 1
    assert adds_up(report)


async def test_other_streams_tell_what_was_created_updated_and_removed(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2, 3))
    made = stream()
    assert (await pull(vendor, made)).mode == "changes"
    vendor.things[2]["colour"] = "red"
    del vendor.things[3]
    vendor.things[4] = {"id": 4}
    report = await pull(vendor, made)
    assert records(tmp_path)[:3] == [{"_change": "created", **thing} for thing in things(1, 2, 3)]
    assert records(tmp_path)[3:] == [
        {"_change": "updated", "id": 2, "at": 2, "colour": "red"},
        {"_change": "created", "id": 4},
        {"_change": "removed", "id": 3},
    ]
    assert (report.counts.unchanged, report.counts.removed, report.written) == (1, 1, 2)
    assert adds_up(report)
    assert (await pull(vendor, made)).counts.removed == 0


async def test_removed_records_are_looked_up_first(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2, 3))
    made = stream(confirm_removed={"operation": "shop.Details", "ids": "ids", "batch": 2})
    await pull(vendor, made)
    hidden = {1: vendor.things[1]}
    vendor.before = lambda name, _: httpx.Response(200, json={"data": things(2), "n": 1}) if name == "list" else None
    del vendor.things[3]
    report = await pull(vendor, made)
    assert [record["id"] for record in records(tmp_path) if record["_change"] == "removed"] == [3]
    assert report.counts.removed == len(hidden)


async def test_a_part_that_fails_removes_nothing(pull, tmp_path):
    vendor = ThingsVendor(things(*range(6)))
    await pull(vendor, stream())
    vendor.before = lambda _, given: httpx.Response(400) if given.get("page") == 2 else None
    report = await pull(vendor, stream())
    assert report.state is RunEnd.PARTIAL_SUCCESS
    assert not [record for record in records(tmp_path) if record["_change"] == "removed"]


@pytest.mark.parametrize("most", [2, 3])
async def test_windows_that_are_too_full_are_split_and_their_edges_come_once(pull, tmp_path, monkeypatch, most):
    monkeypatch.setattr("connector_host.engine.slices.MOST_PAGES", most)
    monkeypatch.setattr("connector_host.engine.slices._THIN", 1)
    seconds = [0, 0, 0, 9_000, 9_000, 9_001, 500_000, 500_000, 2_000_000, 2_000_001, 3_000_000, 3_000_000]
    vendor = ThingsVendor([{"id": number, "at": at} for number, at in enumerate(seconds)])
    report = await pull(vendor, stream(time=True))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(len(seconds)))
    windows = {(given["from"], given["to"]) for name, given in vendor.sent if name == "list"}
    assert len(windows) > 3
    assert adds_up(report)


async def test_windows_that_the_vendor_refuses_are_halved(pull, tmp_path):
    vendor = ThingsVendor(things(1, 1_000_000, 2_000_000, 3_000_000))

    def refuse(_, given):
        days = (int(given["to"][8:10]) + 31 * int(given["to"][5:7])) - (
            int(given["from"][8:10]) + 31 * int(given["from"][5:7])
        )
        return httpx.Response(400, json={"message": "too much"}) if not -400 < days < 12 else None

    vendor.before = refuse
    report = await pull(vendor, stream(time=True))
    assert report.state is RunEnd.SUCCESS
    assert len(records(tmp_path)) == 4


async def test_a_window_that_keeps_failing_is_told_and_read_again_the_next_time(pull, tmp_path, monkeypatch):
    monkeypatch.setattr("connector_host.engine.slices.MOST_PAGES", 1)
    vendor = ThingsVendor(things(1, 2, 1_000_000, 1_000_001, 2_000_000, 3_000_000))
    broken = {"on": True}
    vendor.before = lambda _, given: (
        httpx.Response(503) if broken["on"] and given["from"] <= "2026-12-18" <= given["to"] else None
    )
    report = await pull(vendor, stream(time=True))
    assert report.state is RunEnd.PARTIAL_SUCCESS
    assert report.failures
    assert "shop.List from 2026-1" in report.failures[0]
    broken["on"] = False
    assert (await pull(vendor, stream(time=True))).state is RunEnd.SUCCESS
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(list(vendor.things))


async def test_a_list_that_loses_a_record_while_it_is_read_is_read_again(pull, tmp_path):
    vendor = ThingsVendor(things(*range(8)))

    def lose(_, given):
        if given.get("page") == 2:
            vendor.things.pop(0, None)

    vendor.before = lose
    report = await pull(vendor, stream(counted=True), mode="full")
    assert {record["id"] for record in records(tmp_path)} == set(range(8))
    assert len(records(tmp_path)) == 8
    assert adds_up(report)


def shrinking(vendor, when):
    """Let the first thing go as the given request arrives, counted from 1."""

    def before(name, _):
        if name == "list" and len(vendor.sent) == when:
            vendor.things.pop(min(vendor.things))

    vendor.before = before


@pytest.mark.parametrize("when", range(2, 12))
async def test_a_list_that_tells_only_its_pages_shows_that_one_record_left_it(pull, tmp_path, when):
    # Ten things are five pages, and nine are five as well: no page tells that all behind the first have moved up.
    vendor = ThingsVendor(things(*range(10)))
    shrinking(vendor, when)
    report = await pull(vendor, stream(), mode="full")
    assert {record["id"] for record in records(tmp_path)} >= set(range(1, 10))
    assert (report.state, report.warnings) == (RunEnd.SUCCESS, ())


async def test_a_list_that_holds_still_costs_two_requests_more(pull):
    vendor = ThingsVendor(things(*range(10)))
    report = await pull(vendor, stream(), mode="full")
    assert [given["page"] for _, given in vendor.sent[:3]] == [1, 5, 1]
    assert (len(vendor.sent), vendor.sent[-1][1]["page"]) == (7, 5)
    assert (report.read, report.duplicates) == (10, 0)


async def test_records_that_are_added_at_the_end_are_no_reason_to_read_again(pull, tmp_path):
    vendor = ThingsVendor(things(*range(9)))

    def add(_, given):
        if given["page"] == 3:
            vendor.things[9] = {"id": 9}

    vendor.before = add
    await pull(vendor, stream(), mode="full")
    assert len(vendor.sent) == 7
    assert {record["id"] for record in records(tmp_path)} >= set(range(9))


async def test_a_list_that_gets_pages_fewer_is_read_again(pull, tmp_path):
    vendor = ThingsVendor(things(*range(9)))

    def lose(_, given):
        if given["page"] == 5 and len(vendor.sent) == 2:
            vendor.things = {key: thing for key, thing in vendor.things.items() if key > 4}

    vendor.before = lose
    await pull(vendor, stream(), mode="full")
    assert {record["id"] for record in records(tmp_path)} >= {5, 6, 7, 8}


async def test_a_total_that_does_not_fit_asks_for_another_pass_and_is_remembered(pull):
    vendor = ThingsVendor(things(1, 2, 3))
    vendor.count_more = 5
    made = stream(total={"operation": "shop.Free", "value": "n"})
    await pull(vendor, made)
    assert Counter(name for name, _ in vendor.sent) == {"list": 6, "free": 2}
    vendor.sent.clear()
    assert (await pull(vendor, made)).state is RunEnd.SUCCESS
    assert Counter(name for name, _ in vendor.sent) == {"list": 3, "free": 1}


@pytest.mark.parametrize(("status", "removed"), [(400, 1), (403, 1), (503, 0)])
async def test_a_total_that_cannot_be_had_is_a_warning(pull, status, removed):
    vendor = ThingsVendor(things(1, 2, 3))
    made = stream(total={"operation": "shop.Free", "value": "n"})
    await pull(vendor, made)
    del vendor.things[3]
    vendor.before = lambda name, _: httpx.Response(status) if name == "free" else None
    report = await pull(vendor, made)
    assert (report.state, report.finished, report.failures, report.error) == (RunEnd.SUCCESS, True, (), None)
    assert "not their total" in report.warnings[0]
    assert report.counts.removed == removed
    vendor.before = None
    assert (await pull(vendor, made)).counts.removed == 1 - removed


@pytest.mark.parametrize("paging", ["total", "short", "token"])
async def test_a_page_that_comes_again_is_an_error_and_no_loop(pull, paging):
    vendor = ThingsVendor(things(*range(8)))
    rows = {"data": things(1, 2), "n": 4, "next": "7"}
    vendor.before = lambda _, given: (
        httpx.Response(200, json=rows)
        if given.get("page", 1) != 2
        else httpx.Response(200, json={**rows, "data": [{"id": 9}, {"id": 8}]})
    )
    report = await pull(vendor, stream(paging), mode="full")
    assert report.state is RunEnd.PARTIAL_SUCCESS
    assert "does not end" in report.failures[0]
    assert len(vendor.sent) < 20


BAD = [
    ([1], "it is no JSON object"),
    ([{"at": 1}], "it has no id"),
    ([{"id": None}], "it has no id"),
    ([{"id": ""}], "it has no id"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
async def test_a_bad_record_is_kept_with_its_reason_and_the_others_go_on(pull, tmp_path, bad, reason):
    vendor = ThingsVendor()
    vendor.before = lambda *_: httpx.Response(200, json={"data": [{"id": 5}, *bad, {"id": 6}], "n": 1})
    report = await pull(vendor, stream(), mode="full")
    assert [record["id"] for record in records(tmp_path)] == [5, 6]
    assert (report.state, report.dead, report.read) == (RunEnd.PARTIAL_SUCCESS, 1, 3)
    letter = records(tmp_path, "things.dead.jsonl")[0]
    assert reason in letter["reason"]
    assert letter["record"] == bad[0]


def failing_details(vendor, answer, *ids):
    """Answer so wherever one of the ids is asked for; nothing is asked for any more without it."""
    vendor.before = lambda name, given: answer() if name == "details" and {*ids} & {*given["ids"]} else None


def out_of_time():
    raise httpx.ReadTimeout("nothing came")


async def test_an_id_that_the_vendor_refuses_twice_is_dead_and_the_others_come(pull, tmp_path):
    vendor = ThingsVendor(things(*range(1, 8)))
    failing_details(vendor, lambda: httpx.Response(400, json={"message": "broken"}), 5)
    report = await pull(vendor, stream(details=True), mode="full")
    assert sorted(record["id"] for record in records(tmp_path)) == [1, 2, 3, 4, 6, 7]
    (letter,) = records(tmp_path, "things.dead.jsonl")
    assert (letter["ids"], "broken" in letter["reason"]) == ([5], True)
    assert (report.dead, report.read, report.state) == (1, 7, RunEnd.PARTIAL_SUCCESS)
    assert [given["ids"] for name, given in vendor.sent if name == "details"].count([5]) == 2


async def test_an_id_that_is_refused_only_once_is_not_dead(pull):
    vendor = ThingsVendor(things(1))
    answers = [httpx.Response(400)]
    vendor.before = lambda name, _: answers.pop() if name == "details" and answers else None
    report = await pull(vendor, stream(details=True))
    assert (report.state, report.written, report.dead) == (RunEnd.SUCCESS, 1, 0)


async def test_an_id_that_failed_and_is_then_refused_is_not_dead_before_it_is_refused_again(pull, tmp_path):
    vendor = ThingsVendor(things(1))
    made = stream(details=True, time=True)
    answers = []
    vendor.before = lambda name, _: answers.pop() if name == "details" else None
    told = []
    for day, statuses in enumerate([(503, 503), (400,), (400,)]):
        answers += map(httpx.Response, statuses)
        report = await pull(vendor, made, clock=FakeClock(FakeClock().time() + day * 86_400))
        told.append((report.dead, len(report.failures), "refused" in "".join(report.failures)))
    assert told == [(0, 1, False), (0, 1, True), (1, 0, False)]
    assert records(tmp_path, "things.dead.jsonl")[0]["ids"] == [1]


@pytest.mark.parametrize("answer", [lambda: httpx.Response(503), lambda: httpx.Response(500), out_of_time])
@pytest.mark.parametrize("more", [{}, {"time": True}])
async def test_an_id_that_fails_in_passing_waits_for_the_next_pull(pull, tmp_path, answer, more):
    vendor = ThingsVendor(things(*range(1, 8)))
    made = stream(details=True, **more)
    failing_details(vendor, answer, 5)
    report = await pull(vendor, made)
    assert (report.state, report.finished, report.dead) == (RunEnd.PARTIAL_SUCCESS, True, 0)
    assert report.failures[0].startswith("1 id of things, asked for again by the next pull: ")
    assert 5 not in {record["id"] for record in records(tmp_path)}
    assert adds_up(report)
    late = FakeClock(FakeClock().time() + 86_400)
    again = await pull(vendor, made, clock=late)
    assert (again.state, again.finished) == (RunEnd.PARTIAL_SUCCESS, True)
    vendor.before = None
    vendor.sent.clear()
    assert (await pull(vendor, made, clock=late)).state is RunEnd.SUCCESS
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(1, 8))
    if more:
        # Only the id was asked for: its time was not read again.
        assert [given["ids"] for name, given in vendor.sent if name == "details"] == [[5]]
    assert not (tmp_path / "things.dead.jsonl").exists()


async def test_a_failure_that_passes_before_the_end_is_none(pull):
    vendor = ThingsVendor(things(*range(1, 8)))
    fails = [httpx.Response(503)] * 2
    vendor.before = lambda name, given: fails.pop() if name == "details" and 5 in given["ids"] and fails else None
    report = await pull(vendor, stream(details=True))
    assert (report.state, report.written, report.failures) == (RunEnd.SUCCESS, 7, ())


async def test_what_waits_is_asked_for_behind_a_run_that_was_given_up(pull, tmp_path):
    vendor = ThingsVendor(things(*range(1, 8)))
    made = stream(details=True, time=True)
    failing_details(vendor, lambda: httpx.Response(503), 5)
    await pull(vendor, made)
    late = FakeClock(FakeClock().time() + 86_400)
    vendor.things[9] = {"id": 9, "at": 40 * 86_400 + 100}
    vendor.things[10] = {"id": 10, "at": 40 * 86_400 + 100}
    await pull(vendor, made, clock=late, watch=lambda sync, _: sync.stop())
    vendor.before = None
    assert (await pull(vendor, made, clock=late, columns=["at"])).state is RunEnd.SUCCESS
    assert Counter(record["id"] for record in records(tmp_path)) == Counter([*range(1, 8), 9, 10])


async def test_a_vendor_that_is_down_is_not_asked_for_every_single_id(pull, tmp_path):
    vendor = ThingsVendor(things(*range(200)), page_size=200)
    made = stream(details=True)
    made["details"]["batch"] = 100
    vendor.before = lambda name, _: httpx.Response(503) if name == "details" else None
    report = await pull(vendor, made)
    assert (report.state, report.dead, report.written) == (RunEnd.FAILURE, 0, 0)
    assert sum(name == "details" for name, _ in vendor.sent) < 50
    vendor.before = None
    assert (await pull(vendor, made)).state is RunEnd.SUCCESS
    assert len(records(tmp_path)) == 200


async def test_an_id_does_not_wait_for_ever_behind_those_that_always_fail(pull, tmp_path):
    vendor = ThingsVendor(things(*range(40)), page_size=40)
    made = stream(details=True, time=True)
    made["details"]["batch"] = 10
    failing_details(vendor, lambda: httpx.Response(500), *range(40))
    await pull(vendor, made)
    failing_details(vendor, lambda: httpx.Response(500), *range(30, 39))
    for _ in range(8):
        await pull(vendor, made)
    assert {record["id"] for record in records(tmp_path)} == {*range(30), 39}


async def test_more_ids_than_a_state_keeps_are_read_again_with_their_time(pull, tmp_path, monkeypatch):
    monkeypatch.setattr("connector_host.engine.leftovers._MOST", 1)
    vendor = ThingsVendor(things(*range(1, 8)))
    made = stream(details=True, time=True)
    failing_details(vendor, lambda: httpx.Response(503), 2, 5, 7)
    report = await pull(vendor, made)
    assert report.failures[0].startswith("3 ids of things")
    vendor.before = None
    assert (await pull(vendor, made)).state is RunEnd.SUCCESS
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(1, 8))


async def test_a_limit_in_the_midst_of_one_record_loses_none_of_its_parts(pull, tmp_path):
    vendor = ThingsVendor([{"id": 1, "notes": [{"no": number} for number in range(5)]}])
    made = stream(details=True, each="notes", inherit={"of": "id"}, primary_key=["of", "no"])
    for _ in range(4):
        await pull(vendor, made, limit=2)
    assert [record["no"] for record in records(tmp_path)] == list(range(5))


async def test_an_id_without_a_record_is_asked_for_once_more_and_then_gone(pull, tmp_path):
    vendor = ThingsVendor(things(*range(1, 5)))
    kept = {}

    def hide(name, given):
        if name == "details" and len(given["ids"]) == 3:
            kept.update({number: vendor.things.pop(number) for number in (1, 2)})
        elif name == "details" and 1 in given["ids"]:
            vendor.things[2] = kept[2]

    vendor.before = hide
    report = await pull(vendor, stream(details=True), mode="full")
    assert sorted(record["id"] for record in records(tmp_path)) == [2, 3, 4]
    assert (report.counts.gone, report.state) == (1, RunEnd.SUCCESS)


async def test_lists_of_values_come_in_order_and_what_they_keep_is_added(pull, tmp_path):
    vendor = ThingsVendor([{"id": 1, "place": "a"}, {"id": 2, "place": "b"}, {"id": 3, "place": "b"}])
    each = {"operation": "shop.Places", "value": "key", "into": "place", "keep": {"where": "key"}}
    await pull(vendor, stream("none", list={"for_each": each}), mode="full")
    assert [(record["where"], record["id"]) for record in records(tmp_path)] == [("a", 1), ("b", 2), ("b", 3)]


async def test_elements_inside_a_record_are_the_records(pull, tmp_path):
    vendor = ThingsVendor([{"id": 1, "notes": [{"no": 1}, {"no": 2}]}, {"id": 2, "notes": None}])
    await pull(vendor, stream(each="notes", inherit={"of": "id"}, primary_key=["of", "no"]), mode="full")
    assert records(tmp_path) == [{"of": 1, "no": 1}, {"of": 1, "no": 2}]


FILTERS = [
    {"name": "place", "label": "Place", "help": "Only there.", "into": "place", "match": "place"},
    {"name": "red", "label": "Red", "help": "Only red.", "choices": {"yes": {"match": {"red": True}}}},
]


@pytest.mark.parametrize(
    ("filters", "ids", "left_out"),
    [({"place": "a"}, [1, 2], 0), ({"red": "yes"}, [2, 3], 1), ({"place": "a", "red": "yes"}, [2], 1)],
)
async def test_filters_leave_records_out_here_or_at_the_vendor(pull, tmp_path, filters, ids, left_out):
    vendor = ThingsVendor(
        [
            {"id": 1, "place": "a", "red": False},
            {"id": 2, "place": "a", "red": True},
            {"id": 3, "place": "b", "red": True},
        ]
    )
    report = await pull(vendor, stream(filters=FILTERS), mode="full", filters=filters)
    assert [record["id"] for record in records(tmp_path)] == ids
    assert report.filtered == left_out
    assert adds_up(report)


async def test_filters_that_there_are_not(pull):
    with pytest.raises(UnknownName, match="place"):
        await pull(ThingsVendor(), stream(filters=FILTERS), filters={"plce": "a"})
    with pytest.raises(InputInvalid, match="none of its choices"):
        await pull(ThingsVendor(), stream(filters=FILTERS), filters={"red": "no"})


async def test_columns_and_dates_as_asked(pull, tmp_path):
    vendor = ThingsVendor([{"id": 1, "a": "0001-01-01T00:00:00Z", "b": "2026-03-01T10:00:00.1234567", "c": {"d": 1}}])
    await pull(vendor, stream(), mode="full", columns=["a", "b"], normalise=True)
    assert records(tmp_path) == [{"id": 1, "a": None, "b": "2026-03-01T10:00:00.123456Z"}]


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


async def test_a_page_that_came_late_shows_that_its_list_moved(pull, tmp_path):
    vendor = ThingsVendor(things(*range(6)))
    whole = dict(vendor.things)

    def amid(_, given):
        # The second page is of a shorter list, the third of the whole one again: their records add up to the total.
        vendor.things = dict(whole)
        if given["page"] == 2 and sum(asked["page"] == 2 for _, asked in vendor.sent) == 1:
            del vendor.things[0]

    vendor.before = amid
    await pull(vendor, stream(counted=True), mode="full", dedupe=True)
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(6))


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


async def test_keys_that_cannot_be_kept_are_told(pull, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("connector_host.engine.keys.KeyStore.put", full)
    with pytest.raises(ConfigurationError, match="disk is full"):
        await pull(ThingsVendor(things(1)), stream())


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


async def test_one_place_holds_one_kind_of_content(pull):
    vendor = ThingsVendor(things(1))
    await pull(vendor, stream(filters=FILTERS))
    with pytest.raises(InputInvalid, match="mode changes"):
        await pull(vendor, stream(filters=FILTERS), mode="full")
    with pytest.raises(InputInvalid, match="other filters"):
        await pull(vendor, stream(filters=FILTERS), filters={"place": "a"})
    with pytest.raises(InputInvalid, match="only what changed"):
        await pull(vendor, stream(filters=FILTERS), mode="incremental")


FALLBACK = {
    "setting": "way",
    "first": "new",
    "second": "old",
    "lists": [{"operation": "shop.List", "records": "data"}],
}


@pytest.mark.parametrize(("setting", "asked"), [("auto", ["ask", "list"]), ("old", ["list"]), ("new", ["ask", "ask"])])
async def test_another_way_is_tried_where_the_first_does_not_work(pull, setting, asked):
    made = stream(fallback=FALLBACK)
    made["lists"] = [{"operation": "shop.Ask", "records": "data"}]
    vendor = ThingsVendor(things(1))
    vendor.page_size = 10
    vendor.before = lambda name, _: httpx.Response(404) if name == "free" else None
    await pull(vendor, made, settings={"way": setting}, mode="full")
    assert [name.replace("free", "ask") for name, _ in vendor.sent] == asked


async def test_an_estimate_counts_requests_before_anything_is_pulled(catalogue, tmp_path):
    vendor = ThingsVendor(things(*range(9)))
    clock = FakeClock()
    transport = httpx.MockTransport(vendor)
    made = stream(details=True)
    async with _connection(vendor, clock, catalogue, streams=[made], transport=transport) as shop:
        sync = Sync(
            shop, "things", sink=sink_for(tmp_path, "things", "jsonl", {}), state=FolderState(tmp_path, "things")
        )
        estimate = await sync.estimate()
    assert {each.operation: each.requests for each in estimate.operations} == {"shop.List": 7, "shop.Details": 4}
    assert (estimate.records, estimate.exact, estimate.asked, estimate.mode) == (10, True, 2, "changes")
    assert list(tmp_path.iterdir()) == []


async def test_an_estimate_does_without_a_total_that_is_refused(catalogue, tmp_path):
    vendor = ThingsVendor(things(*range(9)))
    vendor.before = lambda name, _: httpx.Response(400) if name == "free" else None
    made = stream("short", total={"operation": "shop.Free", "value": "n"})
    async with _connection(
        vendor, FakeClock(), catalogue, streams=[made], transport=httpx.MockTransport(vendor)
    ) as shop:
        sync = Sync(
            shop, "things", sink=sink_for(tmp_path, "things", "jsonl", {}), state=FolderState(tmp_path, "things")
        )
        estimate = await sync.estimate()
    assert (estimate.requests, estimate.exact) == (1, False)


async def test_progress_tells_rate_and_share(pull):
    told = []
    await pull(ThingsVendor(things(*range(8))), stream(), mode="full", watch=lambda _, moved: told.append(moved))
    assert [moved.share for moved in told] == [0.25, 0.5, 0.75, 1.0]
    assert (told[-1].read, told[-1].requests, told[-1].pages) == (8, 6, 4)
