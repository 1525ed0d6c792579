"""Pulling over the small vendor: what is asked for, what comes out, and where it stops."""

import datetime
import json

import httpx
import pytest

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.errors import AnswerUnreadable, ConfigurationError, InputInvalid, UnknownName
from connector_host.engine.pull import Page

UTC = datetime.UTC


def stream(**more):
    details = more.pop("details", None)
    head = {key: more.pop(key) for key in ("each", "inherit") if key in more}
    return {
        "name": "things",
        "title": "Things",
        "description": "Things of the shop.",
        "entity_type": "Products",
        "lists": [{"operation": "shop.List", **more}],
        "primary_key": ["id"],
        "record_schema": "things.json",
        **head,
        **({"details": details} if details else {}),
    }


PAGES = {"kind": "page_number", "page": "page", "size": "size", "page_size": 2}
TOTAL = {**PAGES, "until": "total_pages", "total_pages": "n"}
SHORT = {**PAGES, "until": "short_page"}
END = {**PAGES, "until": "end_answer"}
CURSOR = {"kind": "cursor_token", "token": "token", "next": "next"}
OFFSET = {"kind": "offset", "offset": "page", "page_size": 2}


def things(*numbers, **around):
    return {**around, "data": [{"id": number} for number in numbers]}


async def numbers(connection, **given):
    async with connection as shop:
        return [record["id"] async for record in shop.pull("things", **given)]


def asked(vendor):
    return [json.loads(request.content) for request in vendor.sent]


CASES = [
    (TOTAL, [things(1, 2, n=2), things(3, n=2)], [1, 2, 3], [{"page": 1, "size": 2}, {"page": 2, "size": 2}]),
    (TOTAL, [things(n=0)], [], [{"page": 1, "size": 2}]),
    (SHORT, [things(1, 2), things(3)], [1, 2, 3], [{"page": 1, "size": 2}, {"page": 2, "size": 2}]),
    (SHORT, [things(1, 2), things()], [1, 2], [{"page": 1, "size": 2}, {"page": 2, "size": 2}]),
    (END, [things(1), things(2), 400], [1, 2], [{"page": n, "size": 2} for n in (1, 2, 3)]),
    (END, [things(1), things()], [1], [{"page": n, "size": 2} for n in (1, 2)]),
    (CURSOR, [things(1, next="t1"), things(next="t2"), things(2)], [1, 2], [{}, {"token": "t1"}, {"token": "t2"}]),
    (OFFSET, [things(1, 2), things(3)], [1, 2, 3], [{"page": 0}, {"page": 2}]),
    ({"kind": "none"}, [things(1, 2, 3)], [1, 2, 3], [{}]),
    ({"kind": "none"}, [httpx.Response(204)], [], [{}]),
    ({"kind": "none"}, [{"data": None}], [], [{}]),
]


def ends(_operation, answer, _now):
    return Meaning(MeaningKind.END_OF_LIST) if answer.status == 400 else None


@pytest.mark.parametrize(("paging", "script", "expected", "inputs"), CASES)
async def test_pages_are_asked_for_until_the_list_ends(connect, vendor, *, paging, script, expected, inputs):
    vendor.script = list(script)
    assert await numbers(connect(streams=[stream(paging=paging, records="data")], reads=ends)) == expected
    assert asked(vendor) == inputs
    assert vendor.script == []


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 9])
async def test_a_limit_asks_for_no_more_pages_than_it_needs(connect, vendor, limit):
    vendor.script = [things(1, 2, n=3), things(3, 4, n=3), things(5, n=3)]
    found = await numbers(connect(streams=[stream(paging=TOTAL, records="data")]), limit=limit)
    assert found == [1, 2, 3, 4, 5][:limit]
    assert len(vendor.sent) == {0: 0, 1: 1, 2: 1, 3: 2, 9: 3}[limit]


async def test_records_are_the_bytes_that_came(connect, vendor):
    body = b'{ "n":1,"data" : [ {"id":1.0,  "b":1e2},\r\n {"id":\n2} ] }'
    vendor.script = [httpx.Response(200, content=body)]
    async with connect(streams=[stream(paging=TOTAL, records="data")]) as shop:
        pages = [page async for page in shop.pages("things")]
    assert [bytes(record) for record in pages[0].records] == [b'{"id":1.0,  "b":1e2}', b'{"id":\n2}']
    assert pages[0].lines() == b'{"id":1.0,  "b":1e2}\n{"id": 2}\n'
    assert (pages[0].number, pages[0].pages) == (1, 1)
    assert repr(pages[0]) == "Page(number=1, pages=1)"
    assert Page(1, []).lines() == b""


BROKEN = [
    (TOTAL, [things(1, 2, n=3), things(1, 2, n=3)], "page 2 repeats page 1"),
    (CURSOR, [things(1, next="t"), things(2, next="t")], "page 2 leads to itself"),
    (TOTAL, [things(1)], "n is no number"),
    (TOTAL, [{"n": 1}], "there is no data"),
    (TOTAL, [{"n": 1, "data": {}}], "there is no list"),
    (SHORT, [[1, 2]], "there is no object with data"),
]


@pytest.mark.parametrize(("paging", "script", "words"), BROKEN)
async def test_a_list_that_is_not_what_the_stream_says_is_an_error_and_no_loop(
    connect, vendor, *, paging, script, words
):
    vendor.script = list(script)
    with pytest.raises(AnswerUnreadable, match=words) as caught:
        await numbers(connect(streams=[stream(paging=paging, records="data")]))
    assert caught.value.call.operation == "shop.List"
    assert caught.value.call.request_id


async def test_an_unknown_stream_names_the_nearest(connect):
    async with connect(streams=[stream(paging=TOTAL, records="data")]) as shop:
        with pytest.raises(UnknownName, match="things"):
            await anext(shop.pages("thing"))


BATCHES = {"operation": "shop.Details", "ids": "ids", "batch": 3}
BY_ID = {"paging": TOTAL, "records": "data", "id": "id", "details": BATCHES}


async def test_details_are_asked_for_in_batches_that_span_pages(connect, vendor):
    vendor.script = [things(1, 2, n=2), things(3, 4, n=2), [{"id": 10}, {"id": 20}], [{"id": 40}]]
    assert await numbers(connect(streams=[stream(**BY_ID)])) == [10, 20, 40]
    assert asked(vendor)[2:] == [{"ids": [1, 2, 3]}, {"ids": [4]}]


async def test_with_a_limit_no_more_details_are_asked_for_than_it_needs(connect, vendor):
    vendor.script = [things(1, 2, n=2), [{"id": 10}]]
    assert await numbers(connect(streams=[stream(**BY_ID)]), limit=1) == [10]
    assert asked(vendor) == [{"page": 1, "size": 2}, {"ids": [1]}]


async def test_a_listed_record_without_its_id(connect, vendor):
    vendor.script = [{"n": 1, "data": [{"name": "x"}]}]
    with pytest.raises(AnswerUnreadable, match="has no id"):
        await numbers(connect(streams=[stream(**BY_ID)]))


async def test_a_list_for_each_value_of_another_operation(connect, vendor):
    each = {"operation": "shop.Places", "value": "key", "into": "place"}
    vendor.script = [[{"key": "a"}, {"key": "b"}], things(1), things(2)]
    found = await numbers(connect(streams=[stream(paging={"kind": "none"}, records="data", for_each=each)]))
    assert found == [1, 2]
    assert asked_with_bodies(vendor) == [{"place": "a"}, {"place": "b"}]


async def test_a_request_may_take_further_fields_of_the_values_record(connect, vendor):
    each = {"operation": "shop.Places", "value": "key", "into": "place", "also": {"token": "owner.id"}}
    vendor.script = [[{"key": "a", "owner": {"id": "x"}}, {"key": "b", "owner": None}], things(1), things(2)]
    found = await numbers(connect(streams=[stream(paging={"kind": "none"}, records="data", for_each=each)]))
    assert found == [1, 2]
    assert asked_with_bodies(vendor) == [{"place": "a", "token": "x"}, {"place": "b", "token": None}]


KEYED = {**BY_ID, "details": {**BATCHES, "records": "parts", "keyed": True}}


async def test_details_may_come_in_a_list_for_each_id(connect, vendor):
    parts = {"1": [{"id": 10}, {"id": 11}], "2": [], "3": None, "4": [{"id": 40}]}
    vendor.script = [things(1, 2, n=1), {"parts": parts}]
    assert await numbers(connect(streams=[stream(**KEYED)])) == [10, 11, 40]


@pytest.mark.parametrize("parts", [[{"id": 10}], {"1": {"id": 10}}, "none"])
async def test_details_that_are_no_lists_by_id(connect, vendor, parts):
    vendor.script = [things(1, 2, n=1), {"parts": parts}]
    with pytest.raises(AnswerUnreadable, match=r"there is no (object of lists|list)"):
        await numbers(connect(streams=[stream(**KEYED)]))


async def test_an_id_that_two_lists_have_is_asked_for_once(connect, vendor):
    each = {"operation": "shop.Places", "value": "key", "into": "place"}
    about = {"paging": {"kind": "none"}, "records": "data", "id": "id", "for_each": each, "details": BATCHES}
    first, second = [{"id": 10}, {"id": 20}, {"id": 30}], [{"id": 40}]
    vendor.script = [[{"key": "a"}, {"key": "b"}], things(1, 2, 3), things(3, 4, 1), first, second]
    assert await numbers(connect(streams=[stream(**about)])) == [10, 20, 30, 40]
    assert asked_with_bodies(vendor)[2:] == [{"ids": [1, 2, 3]}, {"ids": [4]}]


async def test_an_id_that_another_list_has_had_is_asked_for_once(connect, vendor):
    each = {"operation": "shop.List", "records": "data", "id": "id"}
    vendor.script = [things(1, 2, 3, 4), [{"id": 10}], [{"id": 40}], things(4, 5, 1), [{"id": 50}]]
    assert await numbers(connect(streams=[{**stream(details=BATCHES), "lists": [each, each]}])) == [10, 40, 50]
    assert [given["ids"] for given in asked(vendor) if "ids" in given] == [[1, 2, 3], [4], [5]]


def asked_with_bodies(vendor):
    return [json.loads(request.content) for request in vendor.sent if request.content]


MOMENT = datetime.datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
TIME = {"since": "from", "until": "to"}
WINDOWS = [
    ({}, {}, {}),
    ({}, {"since": MOMENT}, {"from": "2026-03-01T12:00:00Z"}),
    ({}, {"until": MOMENT}, {"to": "2026-03-01T12:00:01Z"}),
    (
        {},
        {"since": MOMENT.astimezone(datetime.timezone(datetime.timedelta(hours=5)))},
        {"from": "2026-03-01T12:00:00Z"},
    ),
    ({"required": True, "default_days": 10}, {}, {"from": "2027-01-05T08:00:00Z", "to": "2027-01-15T08:00:00Z"}),
    ({"required": True}, {"since": MOMENT}, {"from": "2026-03-01T12:00:00Z", "to": "2027-01-15T08:00:00Z"}),
    (
        {"required": True, "default_days": 1},
        {"until": MOMENT},
        {"from": "2026-02-28T12:00:00Z", "to": "2026-03-01T12:00:01Z"},
    ),
]


@pytest.mark.parametrize(("time", "given", "sent"), WINDOWS)
async def test_times_are_written_as_the_vendor_takes_them(connect, vendor, *, time, given, sent):
    vendor.script = [things(1)]
    await numbers(connect(streams=[stream(paging={"kind": "none"}, records="data", time={**TIME, **time})]), **given)
    assert asked(vendor) == [sent]


async def test_times_may_stand_in_the_template(connect, vendor):
    vendor.script = [things(1), things(1)]
    template = {"from": "{{since}}", "to": "{{until}}", "token": "on {{address}}"}
    made = stream(paging={"kind": "none"}, records="data", input=template)
    await numbers(connect(streams=[made]), since=MOMENT)
    assert asked(vendor) == [{"from": "2026-03-01T12:00:00Z", "token": "on https://eu.shop.example"}]


MISTAKES = [
    ({}, {"since": MOMENT}, "no-time-filter"),
    ({"time": {"since": "from"}}, {"until": MOMENT}, "no-time-filter"),
    ({"time": TIME}, {"since": MOMENT.replace(tzinfo=None)}, "time-zone"),
    ({"time": TIME}, {"since": MOMENT, "until": MOMENT - datetime.timedelta(1)}, "empty-window"),
]


@pytest.mark.parametrize(("more", "given", "rule"), MISTAKES)
async def test_limits_that_make_no_sense_are_told_before_anything_is_sent(connect, vendor, *, more, given, rule):
    with pytest.raises(InputInvalid) as caught:
        await numbers(connect(streams=[stream(paging={"kind": "none"}, records="data", **more)]), **given)
    assert [problem.rule for problem in caught.value.problems] == [rule]
    assert vendor.sent == []


async def test_a_variable_without_a_value_is_named(connect):
    made = stream(paging={"kind": "none"}, records="data", input={"token": "x {{unknown}}"})
    with pytest.raises(ConfigurationError, match="unknown"):
        await numbers(connect(streams=[made]))
