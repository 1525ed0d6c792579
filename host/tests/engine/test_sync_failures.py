"""Records and ids that fail: which are dead, which wait for the next pull, and which are gone."""

import datetime
from collections import Counter

import httpx
import pytest

from connector_host.engine.report import RunEnd
from connector_host.testing.clock import FakeClock

from .pulls import adds_up, dead_letters, records
from .scripted import ThingsVendor, stream, things

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
    letter = dead_letters(tmp_path)[0]
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
    (letter,) = dead_letters(tmp_path)
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
    assert dead_letters(tmp_path)[0]["ids"] == [1]


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


@pytest.mark.parametrize("hours", [1, 12, 24])
async def test_an_id_that_fails_in_every_pull_is_dead_after_three_pulls_and_a_day(pull, tmp_path, hours):
    vendor = ThingsVendor(things(*range(1, 8)))
    made = stream(details=True, time=True)
    failing_details(vendor, lambda: httpx.Response(500), 5)
    told = []
    for number in range(26):
        report = await pull(vendor, made, clock=FakeClock(FakeClock().time() + number * hours * 3600))
        assert adds_up(report)
        told.append((report.dead, report.state))
        if report.dead:
            break
    waits = max(2, 24 // hours)
    assert told == [(0, RunEnd.PARTIAL_SUCCESS)] * waits + [(1, RunEnd.PARTIAL_SUCCESS)]
    (letter,) = dead_letters(tmp_path)
    assert letter["ids"] == [5]
    assert letter["reason"].startswith(f"The vendor has failed on it in {waits + 1} pulls since 2")
    after = await pull(vendor, made, clock=FakeClock(FakeClock().time() + 100 * 86_400))
    assert (after.state, after.dead) == (RunEnd.SUCCESS, 0)


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
    until = datetime.datetime.fromtimestamp(late.time() + 1, datetime.UTC)
    assert (await pull(vendor, made, clock=late, until=until)).state is RunEnd.SUCCESS
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
