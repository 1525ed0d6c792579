"""Lists that move while they are read: what shows that they do, and when they are read again."""

from collections import Counter

import httpx
import pytest

from connector_host.engine.report import RunEnd

from .pulls import adds_up, records
from .scripted import ThingsVendor, stream, things


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
