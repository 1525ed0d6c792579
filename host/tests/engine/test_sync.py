"""Runs over a vendor whose things change: what is written, in which mode, and what is told."""

import json

import httpx
import pytest

from connector_host.contract.errors import InputInvalid, UnknownName
from connector_host.engine.report import RunEnd
from connector_host.testing.clock import FakeClock

from .conftest import connection_to
from .pulls import adds_up, records, sync_of
from .scripted import START, ThingsVendor, stream, things


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


async def test_a_stream_that_is_only_listed_within_times_says_so_where_it_is_compared(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2, 3))
    made = stream(time=True)
    await pull(vendor, made, mode="changes")
    vendor.things[2]["colour"] = "red"
    del vendor.things[3]
    report = await pull(vendor, made, mode="changes")
    assert records(tmp_path)[3:] == [{"_change": "updated", "id": 2, "at": 2, "colour": "red"}]
    (warning,) = report.warnings
    assert warning.startswith("Things can only be listed within times, and the last 60 days were read: ")
    assert warning.endswith(" To read only what is new, leave the mode out and choose another folder.")
    given = await pull(vendor, made, mode="changes", since=START)
    assert given.warnings[0].startswith("Only some times were read")


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


async def test_one_place_holds_one_kind_of_content(pull):
    vendor = ThingsVendor(things(1))
    await pull(vendor, stream(filters=FILTERS))
    with pytest.raises(InputInvalid, match="mode changes"):
        await pull(vendor, stream(filters=FILTERS), mode="full")
    with pytest.raises(InputInvalid, match="other filters"):
        await pull(vendor, stream(filters=FILTERS), filters={"place": "a"})
    with pytest.raises(InputInvalid, match="another choice of columns: all"):
        await pull(vendor, stream(filters=FILTERS), columns=["at"])
    with pytest.raises(InputInvalid, match="another choice of normalise: no"):
        await pull(vendor, stream(filters=FILTERS), normalise=True)
    with pytest.raises(InputInvalid, match="only what changed"):
        await pull(vendor, stream(filters=FILTERS), mode="incremental")


async def test_the_same_columns_in_another_order_are_the_same_content(pull):
    vendor = ThingsVendor(things(1))
    await pull(vendor, stream(), columns=["at", "a"])
    assert (await pull(vendor, stream(), columns=["a", "at", "a"])).state is RunEnd.SUCCESS
    with pytest.raises(InputInvalid, match="another choice of columns: a, at"):
        await pull(vendor, stream())


async def test_a_full_pull_replaces_the_content_with_other_columns(pull, tmp_path):
    vendor = ThingsVendor([{"id": 1, "a": 1, "b": 2}])
    await pull(vendor, stream(), mode="full")
    await pull(vendor, stream(), mode="full", columns=["b"])
    assert records(tmp_path) == [{"id": 1, "b": 2}]


async def test_a_state_that_does_not_tell_its_columns_is_gone_on_with(pull, tmp_path):
    vendor = ThingsVendor(things(1))
    await pull(vendor, stream())
    path = tmp_path / ".state" / "things.json"
    state = json.loads(path.read_text())
    del state["columns"], state["normalise"]
    path.write_text(json.dumps(state))
    assert (await pull(vendor, stream())).state is RunEnd.SUCCESS


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


@pytest.mark.parametrize(("status", "asked"), [(500, "list"), (503, "free"), (502, "free"), (504, "free")])
async def test_a_vendor_that_is_down_does_not_settle_for_the_other_way(pull, status, asked):
    made = stream(fallback=FALLBACK)
    made["lists"] = [{"operation": "shop.Ask", "records": "data"}]
    vendor = ThingsVendor(things(1), page_size=10)
    vendor.before = lambda name, _: httpx.Response(status) if name == "free" else None
    await pull(vendor, made)
    vendor.before = lambda *_: httpx.Response(200, json={"data": [{"id": 1, "at": 1}]})
    vendor.sent.clear()
    assert (await pull(vendor, made)).state is RunEnd.SUCCESS
    assert {name for name, _ in vendor.sent} == {asked}


async def test_an_estimate_counts_requests_before_anything_is_pulled(catalogue, tmp_path):
    made = stream(details=True)
    async with connection_to(ThingsVendor(things(*range(9))), FakeClock(), catalogue, streams=[made]) as shop:
        estimate = await sync_of(shop, tmp_path).estimate()
    assert {each.operation: each.requests for each in estimate.operations} == {"shop.List": 7, "shop.Details": 4}
    assert (estimate.records, estimate.exact, estimate.asked, estimate.mode) == (10, True, 2, "changes")
    assert list(tmp_path.iterdir()) == []


async def test_an_estimate_does_without_a_total_that_is_refused(catalogue, tmp_path):
    vendor = ThingsVendor(things(*range(9)))
    vendor.before = lambda name, _: httpx.Response(400) if name == "free" else None
    made = stream("short", total={"operation": "shop.Free", "value": "n"})
    async with connection_to(vendor, FakeClock(), catalogue, streams=[made]) as shop:
        estimate = await sync_of(shop, tmp_path).estimate()
    assert (estimate.requests, estimate.exact) == (1, False)
    assert estimate.per_minute is None


@pytest.mark.parametrize(("more", "pages"), [(0, 5), (3, 6), (-100, 1)])
async def test_about_how_long_a_list_of_tokens_is_shows_where_its_answers_tell(pull, catalogue, tmp_path, more, pages):
    vendor, made = ThingsVendor(things(*range(9))), stream("token")
    made["lists"][0]["paging"] |= {"likely_records": "likely", "page_size": 2}
    vendor.count_more = more
    async with connection_to(vendor, FakeClock(), catalogue, streams=[made]) as shop:
        estimate = await sync_of(shop, tmp_path).estimate()
    likely = 9 + more if more > -9 else None
    assert (estimate.exact, estimate.likely, estimate.records) == (False, likely is not None, likely)
    told = []
    report = await pull(vendor, made, watch=lambda _, moved: told.append(moved.pages))
    assert (report.state, report.written, set(told)) == (RunEnd.SUCCESS, 9, {pages if likely is not None else None})


async def test_progress_tells_rate_and_share(pull):
    told = []
    await pull(ThingsVendor(things(*range(8))), stream(), mode="full", watch=lambda _, moved: told.append(moved))
    assert [moved.share for moved in told] == [0.25, 0.5, 0.75, 1.0]
    assert (told[-1].read, told[-1].requests, told[-1].pages) == (8, 7, 4)
