"""Where a push's records come from, how it is stopped, and what is told on the way."""

import asyncio
import threading

import pytest

from .pushes import action, numbers


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


async def test_the_progress_is_told(connect):
    told = []
    async with connect(actions=[action()]) as shop:
        push = shop.pushing("write", [{"n": 1}, {"n": 2}], told=told.append)
        assert len([result async for result in push.results()]) == 2
    assert (told[0].stream, told[0].read, told[0].written, told[0].share) == ("write", 1, 1, 0.5)
