"""Pushes: one result for each record, nothing sent twice, and what stops all of them."""

import asyncio
import json
import threading

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.errors import (
    ConfigurationError,
    ConnectorBroken,
    CredentialsRejected,
    InputInvalid,
    InUse,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    SessionLost,
    UnknownName,
    VendorUnreachable,
)
from connector_host.engine.push import MOST_UNKNOWN
from connector_host.engine.record_source import Unreadable
from connector_host.engine.results_file import ResultsFile
from connector_host.engine.retry import RetryLimits

RECORD = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "integer"}, "note": {"type": "string", "default": "none"}, "why": {"type": "string"}},
}
BACK = {"operation": "shop.Free", "equals": {"n": "{{record.n}}"}}
LOST = httpx.ReadError("the connection broke")


def action(**more):
    return {
        "name": "write",
        "title": "Write",
        "description": "Writes a number.",
        "entity_type": "Custom",
        "operation": "shop.Write",
        "input": {"n": "{{record.n}}", "note": "{{record.note}}"},
        "record_schema": "write.json",
        **more,
    }


@pytest.fixture
def pushing(connect):
    """Push records with the action, and return the report."""

    async def push(records, *, given=None, connection=None, **options):
        async with connect(
            actions=[action(**(given or {}))], schemas={"write.json": RECORD}, **connection or {}
        ) as shop:
            return await shop.push("write", records, **options)

    return push


def outcomes(report):
    assert [result.record for result in report.results] == list(range(1, len(report.results) + 1))
    counts = report.counts.as_dict()
    assert counts.pop("read") == sum(counts.values())
    return [result.outcome.value for result in report.results]


def numbers(vendor, path="/write"):
    return [json.loads(request.content)["n"] for request in vendor.sent if request.url.path == path]


async def test_a_record_that_a_schema_refuses_stands_between_two_that_are_written(pushing, vendor):
    report = await pushing([{"n": 1}, {"n": "two"}, {"n": 3}])
    assert outcomes(report) == ["written", "rejected", "written"]
    assert numbers(vendor) == [1, 3]
    assert str(report.results[1].problems[0]) == "n: This is a text, not a whole number. [type]"
    assert report.state == "partial success"
    assert report.results[0].answer == {"n": 1}
    assert report.results[0].request_id == vendor.sent[0].headers["x-request-id"]


async def test_the_input_is_made_of_the_record_with_its_own_types(pushing, vendor):
    given = {"input": {"n": "{{record.n}}", "note": "no. {{record.n}} {{address}}"}}
    await pushing([{"n": 7}], given=given)
    assert json.loads(vendor.sent[0].content) == {"n": 7, "note": "no. 7 https://eu.shop.example"}


async def test_defaults_are_filled_in_and_fields_without_a_value_left_out(pushing, vendor):
    await pushing([{"n": 1}], given={"input": {"n": "{{record.n}}", "note": "{{record.note}}"}})
    await pushing([{"n": 1}], given={"input": {"n": "{{record.n}}", "note": "{{record.why}}"}})
    assert [json.loads(request.content) for request in vendor.sent] == [{"n": 1, "note": "none"}, {"n": 1}]


@pytest.mark.parametrize("record", [5, None, ["n"], {"n": object()}, Unreadable("The line is not JSON.")])
async def test_what_is_no_record_is_rejected_and_the_others_go_on(pushing, vendor, record):
    report = await pushing([record, {"n": 2}])
    assert outcomes(report) == ["rejected", "written"]
    assert numbers(vendor) == [2]


@pytest.mark.parametrize("part", ["input", "answer"])
async def test_a_record_without_what_a_text_needs_is_rejected_before_it_is_sent(pushing, vendor, part):
    text = {"note": "because {{record.why.deep}}"}
    given = {"input": {"n": "{{record.n}}", **text}} if part == "input" else {"answer": {"equals": text}}
    report = await pushing([{"n": 1}], given=given)
    assert outcomes(report) == ["rejected"]
    assert str(report.results[0].problems[0]).startswith("why.deep: This is required.")
    assert vendor.sent == []


async def test_what_the_vendor_refuses_is_rejected_with_its_words(pushing, vendor):
    vendor.script = [{"n": 1}, httpx.Response(400, json={"message": "No such number."}), {"n": 1}]
    report = await pushing([{"n": 1}, {"n": 2}, {"n": 3}])
    assert outcomes(report) == ["written", "rejected", "written"]
    assert report.results[1].message == "Shop refused shop.Write: No such number."
    assert report.invalid == 0


async def test_a_quota_answer_is_waited_for(pushing, vendor, clock):
    vendor.script = [429]
    report = await pushing([{"n": 1}])
    assert outcomes(report) == ["written"]
    assert clock.slept


STOPS = {
    "quota": (httpx.Response(429, headers={"retry-after": "86400"}), QuotaExhausted, 1),
    "permission": (403, PermissionMissing, 1),
    "session": (401, SessionLost, 2),
    "network": (httpx.ConnectError("nobody listens"), VendorUnreachable, 4),
}


@pytest.mark.parametrize("case", STOPS)
async def test_what_concerns_all_records_stops_the_push(pushing, vendor, case):
    answer, error, requests = STOPS[case]
    vendor.script = [{"n": 1}, *[answer] * requests]
    report = await pushing([{"n": number} for number in range(1, 5)])
    assert outcomes(report) == ["written", "skipped", "skipped", "skipped"]
    assert type(report.error) is error
    assert report.state == "partial success"
    assert numbers(vendor) == [1, *[2] * requests]


async def test_credentials_that_are_refused_stop_it_before_anything_is_sent(pushing, vendor):
    vendor.sign_in_script = [401]
    report = await pushing([{"n": 1}, {"n": 2}])
    assert outcomes(report) == ["skipped", "skipped"]
    assert type(report.error) is CredentialsRejected
    assert (report.state, vendor.sent) == ("failure", [])


@pytest.mark.parametrize(
    "answer", [LOST, 500, httpx.Response(200, content=b'{"n": '), httpx.Response(200, content=b"?")]
)
async def test_a_lost_answer_is_unknown_and_not_repeated(pushing, vendor, answer):
    vendor.script = [answer]
    report = await pushing([{"n": 1}, {"n": 2}])
    assert outcomes(report) == ["unknown", "written"]
    assert numbers(vendor) == [1, 2]
    assert "ook at" in report.results[0].next_step


async def test_three_lost_answers_in_a_row_stop_it(pushing, vendor):
    vendor.script = [LOST, {"n": 1}, *[LOST] * MOST_UNKNOWN]
    report = await pushing([{"n": number} for number in range(8)])
    assert outcomes(report) == ["unknown", "written", *["unknown"] * MOST_UNKNOWN, *["skipped"] * 3]
    assert isinstance(report.error, OutcomeUnknown)
    assert len(numbers(vendor)) == 2 + MOST_UNKNOWN


async def test_an_answer_that_the_connector_cannot_read_leaves_one_unknown_and_stops(pushing, vendor):
    def fails(operation, answer, now):
        del operation, answer, now
        raise ConnectorBroken("The hook read_answer of shop raised KeyError.")

    report = await pushing([{"n": 1}, {"n": 2}], connection={"reads": fails})
    assert outcomes(report) == ["unknown", "skipped"]
    assert isinstance(report.error, ConnectorBroken)
    assert numbers(vendor) == [1]


@pytest.mark.parametrize(
    ("seen", "outcome"), [({"n": 5}, "written"), ({"n": 4}, "unknown"), ([], "unknown"), (400, "unknown")]
)
async def test_a_look_tells_whether_a_lost_write_was_done(pushing, vendor, seen, outcome):
    vendor.script = [LOST, seen]
    report = await pushing([{"n": 5}], given={"read_back": BACK})
    assert outcomes(report) == [outcome]
    assert [request.url.path for request in vendor.sent] == ["/write", "/free"]


async def test_a_success_that_changed_nothing_is_rejected(pushing, vendor):
    vendor.script = [{"n": 1}, {"n": 4}, {"n": 1}, 400, {"n": 1}, {"n": 5.0}]
    report = await pushing([{"n": 5}] * 3, given={"read_back": BACK})
    assert outcomes(report) == ["rejected", "written", "written"]
    assert report.results[0].message == "Shop answered success and did not do it: n is 4, not 5."
    assert "could not be read back" in report.results[1].message


ANSWERS = {
    "as expected": ({"equals": {"done": True}}, {"done": True}, ""),
    "the vendor's words": ({"equals": {"done": True}, "reason": "why"}, {"done": False, "why": "Parked."}, "Parked."),
    "no words": ({"equals": {"done": True}, "reason": "why"}, {"done": False}, "done is false, not true."),
    "1 is not true": ({"equals": {"done": True}}, {"done": 1}, "done is 1, not true."),
    "nothing": ({"equals": {"done": True}}, [], "The answer has nothing about the record."),
    "entry": (
        {"at": "rows", "where": {"k": "{{record.n}}"}, "equals": {"v": 1}},
        {"rows": [{"k": 2}, {"k": 1, "v": 1}]},
        "",
    ),
    "no entry": ({"where": {"k": "{{record.n}}"}, "equals": {"v": 1}}, [{"k": 2, "v": 1}], "The answer has nothing"),
    "id in capitals": (
        {"equals": {"id": "0C0FFEE0-0000-4000-8000-00000000000A"}},
        {"id": "0c0ffee0-0000-4000-8000-00000000000a"},
        "",
    ),
    "text in capitals": ({"equals": {"name": "A"}}, {"name": "a"}, "name is a, not A."),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_the_answer_says_whether_it_was_done(pushing, vendor, case):
    expected, answer, words = ANSWERS[case]
    vendor.script = [answer]
    report = await pushing([{"n": 1}], given={"answer": expected})
    assert outcomes(report) == ["rejected" if words else "written"]
    assert words in report.results[0].message


async def test_a_dry_run_checks_everything_and_sends_nothing(pushing, vendor):
    report = await pushing([{"n": 1}, {"n": "two"}, {"n": 3}], dry_run=True)
    assert outcomes(report) == ["checked", "rejected", "checked"]
    assert (vendor.sent, vendor.sign_ins) == ([], 0)


async def test_a_missing_permission_is_told_before_a_record_is_read(pushing, vendor):
    given = {"read_back": {"operation": "shop.Guarded", "equals": {"n": 1}}}

    def records():
        raise AssertionError("nothing is to be read")
        yield

    for dry_run in (False, True):
        with pytest.raises(PermissionMissing, match=r"Perm\.Stock\.ItemsNode"):
            await pushing(records(), given=given, connection={"scope": "Other"}, dry_run=dry_run)
    assert vendor.sent == []


async def test_an_action_that_there_is_not(connect):
    async with connect(actions=[action()]) as shop:
        with pytest.raises(UnknownName, match="wriet") as caught:
            await shop.push("wriet", [])
    assert 'Did you mean "write"?' in str(caught.value)


async def test_an_empty_push_is_a_success(pushing):
    report = await pushing([])
    assert (report.state, report.counts.read) == ("success", 0)


async def test_records_may_come_from_a_generator_that_waits_and_from_an_async_one(pushing, vendor):
    gate = threading.Event()

    def waits():
        yield {"n": 1}
        assert gate.wait(10)
        yield {"n": 2}

    async def opens():
        yield {"n": 3}
        gate.set()
        yield {"n": 4}

    await asyncio.gather(pushing(waits()), pushing(opens()))
    assert sorted(numbers(vendor)) == [1, 2, 3, 4]


async def test_what_the_source_raises_comes_out(pushing, vendor):
    def breaks():
        yield {"n": 1}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await pushing(breaks())
    assert numbers(vendor) == [1]


async def test_a_stop_ends_it_after_the_record_under_way(connect, vendor):
    async with connect(actions=[action()]) as shop:
        push = shop.pushing("write", ({"n": number} for number in range(10)))

        async def stop(_):
            if len(vendor.sent) == 3:
                push.stop()

        vendor.before = stop
        found = [result.outcome.value async for result in push.results()]
    assert found == ["written"] * 3
    assert (push.report().state, numbers(vendor)) == ("stopped", [0, 1, 2])


async def test_a_stop_does_not_wait_for_a_source(connect):
    waiting, over = threading.Event(), threading.Event()

    def waits():
        yield {"n": 1}
        waiting.set()
        over.wait(10)

    def stop_when_waiting(loop):
        assert waiting.wait(10)
        loop.call_soon_threadsafe(push.stop)

    async with connect(actions=[action()]) as shop:
        push = shop.pushing("write", waits())
        found = []
        async for result in push.results():
            found.append(result.outcome.value)
            threading.Thread(target=stop_when_waiting, args=(asyncio.get_running_loop(),)).start()
    over.set()
    assert (found, push.report().state) == (["written"], "stopped")


async def test_secrets_do_not_show_in_results(pushing, vendor, tmp_path):
    secret = "MARKER-secret-of-the-application"
    vendor.script = [{"n": 1, "echo": secret}, {"done": False, "why": f"because {secret}"}]
    file = tmp_path / "results.jsonl"
    given = {"answer": {"equals": {"n": 1}, "reason": "why"}}
    report = await pushing([{"n": 1}, {"n": 1}], given=given, results=file)
    assert outcomes(report) == ["written", "rejected"]
    assert "MARKER" not in repr(report) + file.read_text()


async def test_the_progress_is_told(connect):
    told = []
    async with connect(actions=[action()]) as shop:
        push = shop.pushing("write", [{"n": 1}, {"n": 2}], told=told.append)
        assert len([result async for result in push.results()]) == 2
    assert (told[0].stream, told[0].read, told[0].written, told[0].share) == ("write", 1, 1, 0.5)


# Files of results


async def _resumed(pushing, file, records, **more):
    return await pushing(records, results=file, resume=True, **more)


def _lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_a_push_goes_on_behind_the_last_result(pushing, vendor, tmp_path):
    file, records = tmp_path / "results.jsonl", [{"n": number} for number in range(1, 5)]
    vendor.script = [{"n": 1}, httpx.Response(429, headers={"retry-after": "86400"})]
    first = await pushing(records, results=file)
    assert outcomes(first) == ["written", "skipped", "skipped", "skipped"]
    second = await _resumed(pushing, file, records)
    assert [(each.record, each.outcome.value) for each in second.results] == [(n, "written") for n in (2, 3, 4)]
    assert second.counts.as_dict() == {
        **dict.fromkeys(second.counts.as_dict(), 0),
        "read": 4,
        "written": 3,
        "earlier": 1,
    }
    assert second.state == "success"
    assert numbers(vendor) == [1, 2, 2, 3, 4]
    told = [(line["record"], line["outcome"]) for line in _lines(file) if "outcome" in line]
    assert told == [(number, "written") for number in (1, 2, 3, 4)]


async def test_what_is_sent_is_in_the_file_before(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    seen = []

    async def look(_):
        seen.append(_lines(file)[-1])

    vendor.before = look
    await pushing([{"n": 1}, {"n": "no"}, {"n": 2}], results=file)
    assert [(line["record"], "sending" in line) for line in seen] == [(1, True), (3, True)]


async def test_a_file_that_is_there_is_not_written_over(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}], results=file)
    with pytest.raises(InputInvalid, match="--resume"):
        await pushing([{"n": 2}], results=file)
    assert numbers(vendor) == [1]


@pytest.mark.parametrize("text", ["a diary", "a diary\n", "{}\n", '{"push":1,"connector":"shop","action":"other"}\n'])
async def test_another_file_is_refused_and_left_alone(pushing, vendor, tmp_path, text):
    file = tmp_path / "results.jsonl"
    file.write_text(text)
    with pytest.raises(InputInvalid, match="is not of"):
        await _resumed(pushing, file, [{"n": 1}])
    assert (file.read_text(), vendor.sent) == (text, [])


async def test_records_in_another_order_are_refused(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}, {"n": 2}], results=file)
    with pytest.raises(InputInvalid, match="Record 1 is another one"):
        await _resumed(pushing, file, [{"n": 2}, {"n": 1}, {"n": 3}])
    assert numbers(vendor) == [1, 2]


async def test_a_line_that_a_crash_has_cut_off_counts_for_nothing(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}, {"n": 2}], results=file)
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    # The sending of the second was not written whole: it has not been sent.
    file.write_bytes(b"".join(lines[:3]) + lines[3][:10])
    report = await _resumed(pushing, file, [{"n": 1}, {"n": 2}])
    assert [each.outcome.value for each in report.results] == ["written"]
    # The result of the second was not written whole: it may have been done.
    file.write_bytes(b"".join(lines[:4]) + lines[4][:10])
    report = await _resumed(pushing, file, [{"n": 1}, {"n": 2}])
    assert [each.outcome.value for each in report.results] == ["unknown"]
    assert numbers(vendor) == [1, 2, 2]


async def test_what_was_under_way_stays_known_until_it_has_its_result(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}], results=file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]))
    again = ResultsFile(file, resume=True)
    again.open({"connector": "shop", "instance": "my-shop", "action": "write"})
    again.close()
    report = await _resumed(pushing, file, [{"n": 1}])
    assert [each.outcome.value for each in report.results] == ["unknown"]
    assert numbers(vendor) == [1]


async def test_a_line_in_the_middle_that_is_none_is_told(pushing, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([{"n": 1}, {"n": 2}], results=file)
    file.write_text(file.read_text().replace('"outcome":"written"', '"outcome":"wri', 1))
    with pytest.raises(InputInvalid, match=r"Line 3 of .* is no result"):
        await _resumed(pushing, file, [{"n": 1}, {"n": 2}])


async def test_two_pushes_do_not_work_with_one_file(pushing, vendor, tmp_path):
    file = tmp_path / "results.jsonl"
    await pushing([], results=file)
    other = ResultsFile(file, resume=True)
    other.open({"connector": "shop", "instance": "my-shop", "action": "write"})
    with pytest.raises(InUse):
        await _resumed(pushing, file, [{"n": 1}])
    other.close()
    assert vendor.sent == []


async def test_a_folder_that_is_not_there_is_told_before_anything_is_sent(pushing, vendor, tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read or written"):
        await pushing([{"n": 1}], results=tmp_path / "none" / "results.jsonl")
    assert vendor.sent == []


class Died(BaseException):
    """The process is killed while a request is under way."""


ANSWERED = st.sampled_from(["ok", "ok", "ok", "refused", "lost", "fault", "quota", "long quota", "died"])


def _answer(kind):
    match kind:
        case "ok":
            return {"n": 1}
        case "refused":
            return httpx.Response(400, json={"message": "no"})
        case "lost":
            return LOST
        case "fault":
            return 500
        case "quota":
            return httpx.Response(429, headers={"retry-after": "1"})
        case _:
            return httpx.Response(429, headers={"retry-after": "86400"})


@given(
    records=st.lists(st.integers(0, 9) | st.just("bad"), max_size=8),
    script=st.lists(ANSWERED, max_size=14),
    tried=st.integers(1, 3),
)
async def test_every_record_has_one_result_and_nothing_is_written_twice(
    fresh, tmp_path_factory, records, script, tried
):
    """However often a push dies and goes on: one final result each, one writing at most, in order."""
    file = tmp_path_factory.mktemp("push") / "results.jsonl"
    given = [{"n": number, "id": str(place)} for place, number in enumerate(records, 1)]
    script, reached = list(script), []
    written_by_vendor = []

    async def before(request):
        kind = script[0] if script else "ok"
        record = json.loads(json.loads(request.content)["note"])
        reached.append(record)
        if kind in ("ok", "lost", "fault", "died"):
            written_by_vendor.append(record)
        if script:
            script.pop(0)
        vendor.script = [_answer(kind)]
        if kind == "died":
            raise Died

    for attempt in range(tried + script.count("died") + script.count("long quota") + 1):
        limits = RetryLimits(attempts=2)
        vendor, _, connection = fresh(
            actions=[action(input={"n": "{{record.n}}", "note": "{{record.id}}"})],
            schemas={"write.json": RECORD},
            limits=limits,
        )
        vendor.before = before
        try:
            async with connection as shop:
                report = await shop.push("write", given, results=file, resume=attempt > 0)
        except Died:
            continue
        counts = report.counts.as_dict()
        assert counts.pop("read") == sum(counts.values()) == len(given)
        assert [each.record for each in report.results] == list(range(report.counts.earlier + 1, len(given) + 1))
    assert len(written_by_vendor) == len(set(written_by_vendor))
    assert written_by_vendor == sorted(written_by_vendor)
    told = [line for line in _lines(file) if "outcome" in line]
    assert [line["record"] for line in told] == list(range(1, len(told) + 1))
    for line in told:
        was_written = line["record"] in written_by_vendor
        assert line["outcome"] in {True: ("written", "unknown"), False: ("rejected", "skipped")}[was_written]
