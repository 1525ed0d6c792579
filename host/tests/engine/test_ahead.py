"""Awaitables side by side, in order."""

import asyncio

import pytest

from connector_host.engine.ahead import in_order


class Jobs:
    """Jobs that end when they are told to."""

    def __init__(self, count):
        self.gates = [asyncio.Event() for _ in range(count)]
        self.started = []
        self.cancelled = []

    async def __call__(self, number):
        self.started.append(number)
        try:
            await self.gates[number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        if number == 13:
            raise ValueError(number)
        return number

    async def all(self):
        for number in range(len(self.gates)):
            yield lambda number=number: self(number)


async def idle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_run_than_asked_for_and_results_come_in_order():
    jobs = Jobs(6)
    results = in_order(jobs.all(), 3)
    first = asyncio.ensure_future(anext(results))
    await idle()
    assert jobs.started == [0, 1, 2]
    jobs.gates[2].set()
    jobs.gates[1].set()
    await idle()
    assert not first.done()
    assert jobs.started == [0, 1, 2]
    for gate in jobs.gates:
        gate.set()
    assert [await first, *[each async for each in results]] == [0, 1, 2, 3, 4, 5]


async def test_who_stops_early_leaves_nothing_running():
    jobs = Jobs(6)
    jobs.gates[0].set()
    results = in_order(jobs.all(), 3)
    assert await anext(results) == 0
    await idle()
    await results.aclose()
    assert jobs.cancelled == jobs.started[1:]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_a_job_raises_comes_at_its_place():
    jobs = Jobs(16)
    for gate in jobs.gates:
        gate.set()
    results = in_order(jobs.all(), 4)
    assert [await anext(results) for _ in range(13)] == list(range(13))
    with pytest.raises(ValueError, match="13"):
        await anext(results)


async def test_what_the_source_raises_comes_after_the_jobs_before_it():
    async def broken():
        yield lambda: asyncio.sleep(0, "first")
        raise KeyError("source")

    results = in_order(broken(), 2)
    assert await anext(results) == "first"
    with pytest.raises(KeyError):
        await anext(results)
