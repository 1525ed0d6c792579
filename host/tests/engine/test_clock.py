import asyncio

import anyio

from connector_host.contract.clock import SystemClock
from connector_host.testing.clock import FakeClock


async def test_time_jumps_to_the_end_of_a_sleep():
    clock = FakeClock(start=1000.0)
    await clock.sleep(90)
    assert (clock.time(), clock.monotonic(), clock.slept) == (1090.0, 90.0, [90])


async def test_the_earliest_sleeper_wakes_first():
    clock, woken = FakeClock(), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async with anyio.create_task_group() as group:
        for seconds in (30, 10, 20, 10):
            group.start_soon(sleeper, seconds)
    assert woken == [(10, 10), (10, 10), (20, 20), (30, 30)]


async def test_by_hand_time_moves_only_when_told():
    clock = FakeClock(auto=False)
    task = asyncio.create_task(clock.sleep(10))
    await anyio.wait_all_tasks_blocked()
    clock.advance(9)
    await anyio.wait_all_tasks_blocked()
    assert not task.done()
    clock.advance(1)
    await task


async def test_who_is_cancelled_in_its_sleep_is_forgotten():
    clock = FakeClock(auto=False)
    task = asyncio.create_task(clock.sleep(10))
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    clock.advance(20)
    assert clock.monotonic() == 20


async def test_no_sleep_is_a_turn_for_the_others():
    clock = FakeClock()
    await clock.sleep(0)
    assert clock.monotonic() == 0


async def test_the_machines_clock():
    clock = SystemClock()
    before, monotonic = clock.time(), clock.monotonic()
    await clock.sleep(0)
    assert clock.time() >= before
    assert clock.monotonic() >= monotonic
