"""Pushes: one result for each record, nothing sent twice, and what stops all of them."""

import json

import httpx
import pytest

from connector_host.contract.errors import (
    ConnectorBroken,
    CredentialsRejected,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    SessionLost,
    UnknownName,
    VendorUnreachable,
)
from connector_host.engine.push import MOST_UNKNOWN
from connector_host.engine.record_source import Unreadable

from .conftest import outcomes
from .pushes import LOST, action, numbers

BACK = {"operation": "shop.Free", "equals": {"n": "{{record.n}}"}}


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


async def test_secrets_do_not_show_in_results(pushing, vendor, tmp_path):
    secret = "MARKER-secret-of-the-application"
    vendor.script = [{"n": 1, "echo": secret}, {"done": False, "why": f"because {secret}"}]
    file = tmp_path / "results.jsonl"
    given = {"answer": {"equals": {"n": 1}, "reason": "why"}}
    report = await pushing([{"n": 1}, {"n": 1}], given=given, results=file)
    assert outcomes(report) == ["written", "rejected"]
    assert "MARKER" not in repr(report) + file.read_text()
