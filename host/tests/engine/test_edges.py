"""Pulls without a state, through windows of time: what stands on an edge that two windows share comes once."""

import asyncio
import datetime
from collections import Counter
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_host.embedding import SyncConnection
from connector_host.engine import slices
from connector_host.testing.clock import FakeClock

from .conftest import connection_to
from .scripted import START, ThingsVendor, stream

MINUTES = 12
HALF_A_SECOND = datetime.timedelta(milliseconds=500)
TWO_HOURS = datetime.timezone(datetime.timedelta(hours=2))


def in_zone(at):
    """Tell a time as a vendor does whose clocks have changed in between."""
    return at.astimezone(TWO_HOURS).isoformat() if at.minute % 2 else at.isoformat()


FORMS = {
    "in UTC": lambda at: {"when": f"{at:%Y-%m-%dT%H:%M:%SZ}"},
    "with fractions": lambda at: {"when": f"{at:%Y-%m-%dT%H:%M:%S}.1234567Z"},
    "without a zone": lambda at: {"when": f"{at:%Y-%m-%dT%H:%M:%S}"},
    "with blanks": lambda at: {"when": f"{at:%Y-%m-%d %H:%M:%S}"},
    "in other zones": lambda at: {"when": in_zone(at)},
    "as dates": lambda at: {"when": f"{at:%Y-%m-%d}"},
    "as numbers": lambda at: {"when": at.timestamp()},
    "not at all": lambda _: {},
    "behind another of that name": lambda at: {
        "parts": [{"when": f"{START:%Y-%m-%dT%H:%M:%SZ}"}] * (at.minute % 3),
        "when": f"{at:%Y-%m-%dT%H:%M:%SZ}",
    },
    "deeper": lambda at: {"head": {"when": f"{at:%Y-%m-%dT%H:%M:%SZ}"}},
}


def things_of(seconds, form):
    """Return things by id, which the vendor lists in this order whatever their time."""
    things = []
    for number, second in enumerate(seconds):
        at = START + datetime.timedelta(seconds=second)
        things.append({"id": number, "at": second, "place": "ab"[number % 2], **FORMS[form](at)})
    return things


def timed(paging, *, longest=None, field="when", **more):
    made = stream(paging, time=True, **more)
    time = made["lists"][0]["time"]
    time["field"] = field
    if longest is not None:
        time["longest"] = longest
    return made


class Pulled:
    """A vendor, and what is pulled from it, from `since` on."""

    def __init__(self, catalogue, made, things, since=START):
        self.vendor = ThingsVendor(things)
        self._limits = {"since": since, "until": START + datetime.timedelta(minutes=MINUTES, seconds=7)}
        self._made = made
        self._catalogue = catalogue

    def _connection(self):
        return connection_to(self.vendor, FakeClock(), self._catalogue, streams=[self._made])

    def records(self, way="async"):
        if way == "sync":
            with SyncConnection(self._connection) as shop:
                return list(shop.pull("things", **self._limits))
        return asyncio.run(self._records())

    async def _records(self):
        async with self._connection() as shop:
            return [record async for record in shop.pull("things", **self._limits)]


def once(things):
    return Counter(thing["id"] for thing in things)


MOMENTS = st.one_of(st.integers(0, MINUTES).map(lambda minute: 60 * minute), st.integers(0, 60 * MINUTES))

SIMPLE = {
    "seconds": [60] * 30,
    "form": "in UTC",
    "most": 1,
    "paging": "total",
    "longest": 60,
    "details": False,
    "places": False,
    "late": False,
}


@pytest.mark.parametrize("way", ["async", "sync"])
@settings(max_examples=100, deadline=None)
@example(**SIMPLE)
@example(**SIMPLE | {"seconds": [59, 60] * 5, "late": True})
@example(**SIMPLE | {"seconds": [300, *range(301, 600, 20)], "most": 3, "longest": 300})
@example(**SIMPLE | {"form": "not at all", "paging": "token", "details": True, "places": True})
@given(
    seconds=st.lists(MOMENTS, max_size=40),
    form=st.sampled_from([*FORMS]),
    most=st.integers(1, 8),
    paging=st.sampled_from(["total", "short", "token"]),
    longest=st.sampled_from([None, 60, 120, 300]),
    details=st.booleans(),
    places=st.booleans(),
    late=st.booleans(),
)
def test_each_record_comes_once_whatever_the_windows(
    catalogue, *, way, seconds, form, most, paging, longest, details, places, late
):
    more = {"for_each": {"operation": "shop.Places", "value": "key", "into": "place"}} if places else {}
    made = timed(paging, longest=longest, field="head.when" if form == "deeper" else "when", details=details, list=more)
    if form == "not at all":
        del made["lists"][0]["time"]["field"]
    things = things_of(seconds, form)
    with mock.patch.object(slices, "MOST_PAGES", most):
        pulled = Pulled(catalogue, made, things, START - HALF_A_SECOND if late else START)
        assert Counter(record["id"] for record in pulled.records(way)) == once(things)


def row(key, minute, **more):
    return {"id": key, "when": f"{START + datetime.timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}", **more}


def at_second(key, second, **more):
    """Return a row so many seconds behind the edge, as a vendor writes it that has no zones."""
    return {**row(key, 1), "when": f"{START + datetime.timedelta(minutes=1):%Y-%m-%dT%H:%M}:{second}", **more}


A, B, C = row("a", 1), row("b", 1), row("c", 1)


@pytest.mark.parametrize(
    ("windows", "more", "expected"),
    [
        pytest.param([[A, B], [B, C]], {}, [A, B, C], id="known and new"),
        pytest.param([[A], [A | {"v": 2}]], {}, [A], id="changed, at the same time"),
        pytest.param([[A, B], [B, row("a", 2)]], {}, [A, B, row("a", 2)], id="changed, and moved on in time"),
        pytest.param([[row("a", 0)], [A]], {}, [row("a", 0), A], id="moved onto the edge"),
        pytest.param(
            [[at_second("a", "00.2")], [at_second("a", "00.7", v=2)]],
            {},
            [at_second("a", "00.2")],
            id="changed, and moved on within the second",
        ),
        pytest.param(
            [[at_second("a", "00.9")], [at_second("a", "01.1", v=2)]],
            {},
            [at_second("a", "00.9"), at_second("a", "01.1", v=2)],
            id="changed, and moved on to the next second",
        ),
        pytest.param(
            [[A, at_second("b", "01")], [at_second("a", "01", v=2), at_second("b", "01")]],
            {},
            [A, at_second("b", "01")],
            id="changed, and moved on to the latest second that is remembered",
        ),
        pytest.param([[A, A, B], [A, A, A, B]], {}, [A, A, B, A], id="as often as the vendor has it"),
        pytest.param([[A], [row("a", 1, v=1)]], {"primary_key": ["v"]}, [A, row("a", 1, v=1)], id="without its key"),
        pytest.param([[A | {"parts": [B, C]}]] * 2, {"each": "parts"}, [B, C], id="taken apart"),
    ],
)
async def test_a_row_that_two_windows_have(connect, vendor, windows, more, expected):
    vendor.script = [{"data": rows} for rows in windows]
    until = START + datetime.timedelta(minutes=len(windows))
    async with connect(streams=[timed("none", longest=60, **more)]) as shop:
        assert [record async for record in shop.pull("things", since=START, until=until)] == expected
    assert len(vendor.sent) == len(windows)
