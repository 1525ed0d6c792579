"""The conformance suite: a good connector passes, and for every check there is a hostile one that it catches."""

import contextlib
import json

import httpx
import pytest

from connector_host.connectors import load_connector
from connector_host.contract.stream_models import Stream
from connector_host.testing.clock import FakeClock
from connector_host.testing.conformance import conformance
from connector_host.testing.streams import CHECKS, Bench

from ..engine.conftest import catalogue, connection_to  # noqa: F401, TID252 -- a fixture; test helpers are in no package
from ..engine.scripted import ThingsVendor, stream  # noqa: TID252 -- as above

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "at": {"type": "integer"}, "full": {"type": "boolean"}},
}
RARE = {"full": "Only details have it."}


@pytest.fixture
def complaints(catalogue):  # noqa: F811 -- the fixture
    """Run one check over a stream of a vendor and return what it says."""

    async def run(check, vendor, made=None, schema=None, rare=RARE):
        made = made or stream(time=True, cursor="at")

        def connect():
            return connection_to(vendor, FakeClock(), catalogue, streams=[made])

        bench = Bench(Stream.model_validate(made), schema or SCHEMA, connect, rare)
        return [sentence async for sentence in check(bench)]

    return run


def vendor(count=7):
    return ThingsVendor([{"id": number, "at": 1000 * number} for number in range(1, count)])


def answering(change):
    """Return a vendor whose lists are changed on their way; `change` gets the answer, the request and their number."""
    made = vendor()

    def before(name, given):
        if name != "list":
            return None
        answer = made.list(given)
        return httpx.Response(200, content=json.dumps(change(answer, given, len(made.sent))))

    made.before = before
    return made


def _with_rows(answer, change):
    return {**answer, "data": [change(dict(row)) for row in answer["data"]]}


HOSTILE = {
    "records_match_their_schema": [
        (answering(lambda answer, *_: _with_rows(answer, lambda row: {**row, "at": "soon"})), {}, "at"),
        (vendor(), {"schema": {"type": "thing"}}, "is no JSON Schema"),
    ],
    "primary_keys_are_there_and_unique": [
        (answering(lambda answer, *_: _with_rows(answer, lambda row: {**row, "id": None})), {}, "has no id"),
        (answering(lambda answer, *_: _with_rows(answer, lambda row: {**row, "id": row["id"] // 2})), {}, "2 records"),
    ],
    "cursors_are_declared_and_there": [
        (vendor(), {"made": stream(cursor="changed")}, "no field of"),
        (
            answering(lambda answer, *_: _with_rows(answer, lambda row: {"id": row["id"]})),
            {"made": stream(cursor="at")},
            "records have no at",
        ),
    ],
    "every_checkpoint_is_a_restart_point": [
        (answering(lambda answer, _, number: answer if number < 4 else {"data": [], "n": 0}), {}, "Going on from"),
    ],
    "two_reads_are_equal": [
        (
            answering(lambda answer, _, number: _with_rows(answer, lambda row: {**row, "at": row["at"] + number // 4})),
            {},
            "another content",
        ),
        (answering(lambda answer, _, number: answer if number < 4 else {"data": [], "n": 0}), {}, "only the first"),
    ],
    "the_future_is_empty": [
        (answering(lambda *_: {"data": [{"id": 1, "at": 1}], "n": 1}), {}, "has not come yet"),
    ],
    "declared_fields_are_seen": [
        (vendor(), {"rare": {}}, "No record has full"),
        (ThingsVendor(), {}, "no record"),
        (vendor(), {"rare": {**RARE, "at": "It never comes."}}, "a record has it: at"),
    ],
}


def test_every_check_has_a_hostile_vendor_and_says_what_it_wants():
    assert {check.__name__ for check in CHECKS} == set(HOSTILE)
    assert all(check.__doc__ for check in CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_a_good_vendor_gives_no_cause_for_complaint(complaints, check):
    assert await complaints(check, vendor()) == []
    assert await complaints(check, vendor(), made=stream("token", details=True), rare={}) == []
    together = vendor()
    together.page_size = 20
    assert await complaints(check, together, made=stream("none", details=True), rare={}) == []


@pytest.mark.parametrize(
    ("check", "case"),
    [(check, case) for check in CHECKS for case in HOSTILE[check.__name__]],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_hostile_vendor_is_caught(complaints, check, case):
    hostile, more, words = case
    hostile.sent.clear()
    said = await complaints(check, hostile, **more)
    assert any(words in sentence for sentence in said), said


@pytest.mark.parametrize("name", ["plain", "coded"])
def test_one_line_tests_every_stream_of_a_connector(plain_folder, coded_folder, name):
    folders = [plain_folder if name == "plain" else coded_folder]
    suite = conformance(name, sandbox={"things": 35}, folders=folders)
    tests = [test for test in vars(suite) if test.startswith("test_")]
    assert len(tests) == len(CHECKS) * len(load_connector(name, folders).manifest.streams)
    suite.setup_class()
    try:
        for test in tests:
            getattr(suite(), test)()
    finally:
        suite.teardown_class()


def test_a_stream_that_fails_is_told_with_what_was_wanted(plain_folder):
    suite = conformance("plain", streams=["things"], sandbox={"things": 0}, folders=[plain_folder])
    suite.setup_class()
    with (
        contextlib.closing(suite.running),
        pytest.raises(AssertionError, match=r"(?s)things: Records come.*no record"),
    ):
        suite().test_things_declared_fields_are_seen()
