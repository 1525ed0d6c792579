"""What a Sync answers to arguments that it does not take, and what it takes."""

import datetime
import json

import pytest

from connector_host.contract.errors import InputInvalid, UnknownName
from connector_host.contract.stream_models import Stream
from connector_host.embedding import SyncConnection
from connector_host.engine.report import RunEnd
from connector_host.engine.sinks import JsonLinesSink
from connector_host.engine.state import MemoryState
from connector_host.engine.sync import Sync

from .conftest import connection_to
from .scripted import ThingsVendor, stream, things

NAIVE = datetime.datetime(2026, 1, 31)  # noqa: DTZ001 -- that it has no zone is the case

WRONG = [
    ("connection", "shop", "This is a text, not a Connection."),
    ("connection", SyncConnection(lambda: None), "This is a Python SyncConnection, not a Connection."),
    ("stream", 5, "This is a number, not the name of a stream."),
    ("sink", "things.jsonl", "This is a text, not a sink."),
    ("state", "state", "This is a text, not a place for the state."),
    ("mode", "sideways", "This is a text, not a mode."),
    ("mode", None, "This is None, not a mode."),
    ("mode", ["full"], "This is a list, not a mode."),
    ("since", NAIVE, "This time has no zone."),
    ("until", NAIVE, "This time has no zone."),
    ("since", "2026-01-01", "This is a text, not a datetime."),
    ("until", datetime.date(2026, 1, 1), "This is a Python date, not a datetime."),
    ("limit", -1, "This is a number, not a whole number from 0 on."),
    ("limit", 1.5, "This is a number, not a whole number from 0 on."),
    ("limit", True, "This is true or false, not a whole number from 0 on."),
    ("filters", "colour=red", "This is a text, not a dict of texts."),
    ("filters", {"colour": 5}, "This is an object, not a dict of texts."),
    ("columns", "id", "This is a text, not a list of texts."),
    ("columns", ["id", 5], "This is a list, not a list of texts."),
    ("columns", {"id": "colour"}, "This is an object, not a list of texts."),
    ("normalise", "no", "This is a text, not a bool."),
    ("dedupe", 1, "This is a number, not a bool."),
    ("dead_letters", "dead.jsonl", "This is a text, not a place for dead letters."),
    ("progress", "progress", "This is a text, not a function."),
    ("clock", 5, "This is a number, not a clock."),
    ("cadence", 10, "This is a number, not a Cadence."),
]


@pytest.fixture
def shop(clock, catalogue):
    """A connection to a vendor of three things."""
    return connection_to(ThingsVendor(things(1, 2, 3)), clock, catalogue, streams=[stream(time=True)])


@pytest.fixture
def made(shop, tmp_path):
    """Make a Sync of the things: with what it needs, and what is given."""

    def make(**given):
        needed = {"connection": shop, "stream": "things", "sink": JsonLinesSink(tmp_path / "a"), "state": MemoryState()}
        needed |= given
        return Sync(needed.pop("connection"), needed.pop("stream"), **needed)

    return make


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG, ids=lambda each: str(each)[:40])
def test_what_a_sync_does_not_take(made, name, value, sentence):
    with pytest.raises(InputInvalid) as raised:
        made(**{name: value})
    (problem,) = raised.value.problems
    assert (problem.where, problem.sentence) == (name, sentence)
    assert problem.fix


def test_every_wrong_argument_is_told_at_once(made):
    with pytest.raises(InputInvalid) as raised:
        made(limit=-1, since=NAIVE, mode="sideways", filters=["colour"], cadence="often")
    assert [each.where for each in raised.value.problems] == ["mode", "since", "limit", "filters", "cadence"]
    assert "Give one of: auto, full, incremental, changes." in str(raised.value)


def test_a_stream_that_is_not_there_is_told(made):
    with pytest.raises(UnknownName, match="thinks"):
        made(stream="thinks")


TAKEN = [
    {"since": datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC), "until": None, "mode": "full"},
    {"columns": ("id",), "filters": {}, "limit": 5},
    {"columns": {"id", "at"}},
    {"stream": Stream.model_validate(stream(time=True))},
]


@pytest.mark.parametrize("given", TAKEN, ids=" ".join)
async def test_what_a_sync_takes(made, shop, tmp_path, given):
    async with shop:
        report = await made(**given).run()
    assert (report.state, report.error) == (RunEnd.SUCCESS, None)
    assert [json.loads(line)["id"] for line in (tmp_path / "a").read_text().splitlines()] == [1, 2, 3]
