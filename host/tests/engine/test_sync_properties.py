"""Whatever a vendor's things are, however they change, and wherever a pull is stopped: nothing lost, nothing twice."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_host.engine import slices
from connector_host.engine.retry import RetryLimits
from connector_host.testing.clock import FakeClock

from .conftest import connection_to
from .pulls import adds_up, dead_letters, records, sync_of
from .scripted import ThingsVendor, stream

DAYS_40 = 40 * 86_400
MOMENTS = st.one_of(st.sampled_from([0, 1, 3600, DAYS_40 // 2]), st.integers(0, DAYS_40 - 1))
FAULTS = st.lists(st.sampled_from(["", "", "", "503", "reset", "cut"]), max_size=30)
STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 14), st.sampled_from(["change", "remove"])), max_size=4),
        st.one_of(st.none(), st.integers(1, 6)),
        FAULTS,
    ),
    min_size=1,
    max_size=5,
)

STOPPED_THEN_CHANGED = [([], 1, []), ([(0, "change")], None, [])]


class Story:
    """A vendor, a folder and a clock, through several pulls."""

    def __init__(self, catalogue, made, seconds, folder):
        self.vendor = ThingsVendor([{"id": number, "at": at, "v": 0} for number, at in enumerate(seconds)])
        self.made = made
        self.folder = folder
        self.clock = FakeClock()
        self._catalogue = catalogue
        self._faults = []
        self._amid = []
        self.vendor.before = self._fault
        self._version = 0
        self.bad = frozenset()

    def _fault(self, name, given):
        if name == "details" and self.bad & {*given["ids"]}:
            return httpx.Response(400)
        if self._amid and len(self.vendor.sent) % 3 == 0:
            self.change(*self._amid.pop(0))
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "reset":
            raise httpx.ReadError("gone")
        if fault == "cut":
            return httpx.Response(200, content=b'{"data": [', headers={"content-length": "10"})
        return httpx.Response(int(fault)) if fault else None

    def change(self, number, what):
        """Change or remove a thing, a while after what happened before."""
        self.clock.advance(30)
        if what == "remove":
            self.vendor.things.pop(number, None)
            return
        self._version += 1
        self.vendor.things[number] = {"id": number, "at": int(self.clock.monotonic()) + DAYS_40, "v": self._version}

    async def pull(self, stop_after=None, faults=(), amid=()):
        """Pull; stop after so many blocks; `amid` is what changes on the way."""
        self._faults, self._amid = list(faults), list(amid)
        limits = RetryLimits(attempts=2, first_pause=0.0, longest_pause=0.0)
        blocks = 0

        def watch(_):
            nonlocal blocks
            blocks += 1
            if blocks == stop_after:
                sync.stop()

        connection = connection_to(self.vendor, self.clock, self._catalogue, streams=[self.made], limits=limits)
        async with connection as shop:
            sync = sync_of(shop, self.folder, progress=watch)
            report = await sync.run()
        assert adds_up(report)
        return report

    def dead(self):
        """Return the ids that the dead-letter file tells."""
        letters = dead_letters(self.folder) if (self.folder / "things.dead.jsonl").exists() else []
        return {each for letter in letters for each in letter.get("ids", ())}

    def records(self):
        return records(self.folder)


async def _tell(story, steps):
    for changes, stop_after, faults in steps:
        for number, what in changes:
            story.change(number, what)
        await story.pull(stop_after, faults)
    story.clock.advance(60)
    for _ in range(3):
        report = await story.pull()
    assert report.finished
    assert (str(report.state), report.failures) == ("partial success" if report.dead else "success", ())


@settings(max_examples=40, deadline=None)
@example(seconds=[0] * 3, steps=STOPPED_THEN_CHANGED, most=1, paging="total", details=False, bad=frozenset())
@example(seconds=[0] * 3, steps=STOPPED_THEN_CHANGED, most=1, paging="short", details=True, bad=frozenset({1}))
@given(
    seconds=st.lists(MOMENTS, max_size=15),
    steps=STEPS,
    most=st.integers(1, 3),
    paging=st.sampled_from(["total", "short", "token"]),
    details=st.booleans(),
    bad=st.frozensets(st.integers(0, 14), max_size=3),
)
def test_incremental_pulls_bring_the_last_version_of_everything_once(
    catalogue, *, seconds, steps, most, paging, details, bad
):
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(slices, "MOST_PAGES", most):
        story = Story(catalogue, stream(paging, time=True, details=details), seconds, Path(folder))
        story.bad = bad
        asyncio.run(_tell(story, steps))
        written = story.records()
        assert max(Counter((record["id"], record["v"]) for record in written).values(), default=1) == 1
        latest = {record["id"]: record["v"] for record in written}
        lost = {thing["id"] for thing in story.vendor.things.values() if latest.get(thing["id"]) != thing["v"]}
        assert lost == ({*bad} & {*story.vendor.things} if details else set())
        assert lost <= story.dead() <= bad


@settings(max_examples=40, deadline=None)
@given(seconds=st.lists(MOMENTS, max_size=15), steps=STEPS, details=st.booleans())
def test_the_changes_of_a_snapshot_lead_to_what_is_there(catalogue, *, seconds, steps, details):
    with tempfile.TemporaryDirectory() as folder:
        story = Story(catalogue, stream("total", details=details), seconds, Path(folder))
        asyncio.run(_tell(story, steps))
        there = {}
        for record in story.records():
            change = record.pop("_change")
            assert (record["id"] in there) == (change != "created")
            if change == "removed":
                del there[record["id"]]
            else:
                assert there.get(record["id"]) != record
                there[record["id"]] = record
        assert {key: record["v"] for key, record in there.items()} == {
            key: thing["v"] for key, thing in story.vendor.things.items()
        }


@settings(max_examples=40, deadline=None)
@example(seconds=[0] * 5, steps=STOPPED_THEN_CHANGED, most=1, timed=True, counted=True)
@example(seconds=[0] * 6, steps=[([(0, "change")], None, [])], most=3, timed=True, counted=False)
@example(seconds=[0] * 5, steps=[([(0, "change")], 3, [])], most=3, timed=True, counted=True)
@given(
    seconds=st.lists(MOMENTS, min_size=4, max_size=15),
    steps=STEPS,
    most=st.integers(1, 8),
    timed=st.booleans(),
    counted=st.booleans(),
)
def test_what_changes_while_it_is_read_comes_with_this_pull_or_the_next(
    catalogue, *, seconds, steps, most, timed, counted
):
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(slices, "MOST_PAGES", most):
        story = Story(catalogue, stream("total", time=timed, counted=counted), seconds, Path(folder))

        async def tell():
            for changes, stop_after, _ in steps:
                await story.pull(stop_after, amid=changes)
            await _tell(story, [])

        asyncio.run(tell())
        latest = {record["id"]: record["v"] for record in story.records() if record.get("_change") != "removed"}
        assert all(latest.get(thing["id"]) == thing["v"] for thing in story.vendor.things.values())
