import asyncio
import sqlite3

import anyio
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector_host.contract.catalogue import OperationRate
from connector_host.contract.errors import QuotaExhausted
from connector_host.contract.manifest import RateLimit, RateUnit
from connector_host.engine.journal import Journal
from connector_host.engine.quota import MemoryLedger, open_ledger
from connector_host.engine.turnstile import Turnstile
from connector_host.testing.clock import FakeClock

TWO_A_MINUTE = OperationRate(2, 60)


def turnstile(clock, *, concurrency=4, limit=None, ledger=None):
    return Turnstile(ledger or MemoryLedger(clock), "owner", clock, rate_limit=limit, concurrency=concurrency)


def journal(clock, total=1000.0):
    return Journal("shop.Read", "my-shop", "id", clock.monotonic(), clock.monotonic() + total)


async def test_requests_leave_in_the_order_they_came(clock):
    gate, left = turnstile(clock), []

    async def one(number):
        release = await gate.admit("shop.Read", TWO_A_MINUTE, None)
        left.append((number, clock.monotonic()))
        release()

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(one, number)
            await anyio.lowlevel.checkpoint()
    assert [number for number, _ in left] == [0, 1, 2, 3, 4, 5]
    assert [round(at) for _, at in left] == [0, 0, 61, 61, 121, 121]


async def test_another_operation_does_not_wait_behind_a_full_one(clock):
    gate = turnstile(clock, limit=RateLimit(amount=100, unit=RateUnit.SECOND))
    for _ in range(2):
        (await gate.admit("shop.Read", TWO_A_MINUTE, None))()
    async with anyio.create_task_group() as group:
        group.start_soon(gate.admit, "shop.Read", TWO_A_MINUTE, None)
        await anyio.lowlevel.checkpoint()
        (await gate.admit("shop.Write", TWO_A_MINUTE, None))()
        assert clock.monotonic() == 0


async def test_the_instance_limit_counts_all_operations_together(clock):
    gate = turnstile(clock, limit=RateLimit(amount=3, unit=RateUnit.MINUTE))
    times = []
    for number in range(7):
        (await gate.admit(f"shop.Op{number}", None, None))()
        times.append(round(clock.monotonic()))
    assert times == [0, 0, 0, 61, 61, 61, 121]
    assert gate.instance_usage().used == 1


async def test_only_so_many_are_under_way_at_once(clock):
    gate, under_way, most = turnstile(clock, concurrency=2), 0, 0

    async def one():
        nonlocal under_way, most
        release = await gate.admit("shop.Read", None, None)
        under_way += 1
        most = max(most, under_way)
        await anyio.lowlevel.checkpoint()
        under_way -= 1
        release()

    async with anyio.create_task_group() as group:
        for _ in range(9):
            group.start_soon(one)
    assert most == 2


async def test_a_place_is_counted_when_the_request_leaves_and_not_while_it_waits_for_a_connection(clock):
    gate = turnstile(clock, concurrency=1)
    release = await gate.admit("shop.Slow", None, None)
    async with anyio.create_task_group() as group:
        group.start_soon(gate.admit, "shop.Read", TWO_A_MINUTE, None)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        assert gate.usage("shop.Read", TWO_A_MINUTE).used == 0
        release()
    assert gate.usage("shop.Read", TWO_A_MINUTE).used == 1


async def test_no_room_before_the_deadline_is_told_at_once(clock):
    gate = turnstile(clock)
    for _ in range(2):
        (await gate.admit("shop.Read", TWO_A_MINUTE, None))()
    with pytest.raises(QuotaExhausted, match=r"shop\.Read") as caught:
        await gate.admit("shop.Read", TWO_A_MINUTE, journal(clock, total=30))
    assert caught.value.retry_after == pytest.approx(60.5, abs=0.01)
    assert clock.slept == []


async def test_waiting_is_written_down(clock):
    gate, record = turnstile(clock), journal(clock)
    for _ in range(2):
        (await gate.admit("shop.Read", TWO_A_MINUTE, record))()
    assert record.waited == 0
    (await gate.admit("shop.Read", TWO_A_MINUTE, record))()
    assert record.waited == pytest.approx(60.5, abs=0.01)


async def test_who_gives_up_waiting_does_not_hold_up_the_others():
    manual = FakeClock(auto=False)
    gate = turnstile(manual)
    for _ in range(2):
        (await gate.admit("shop.Read", TWO_A_MINUTE, None))()
    first = asyncio.create_task(gate.admit("shop.Read", TWO_A_MINUTE, None))
    second = asyncio.create_task(gate.admit("shop.Read", TWO_A_MINUTE, None))
    await anyio.wait_all_tasks_blocked()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await anyio.wait_all_tasks_blocked()
    manual.advance(61)
    (await second)()
    assert gate.usage("shop.Read", TWO_A_MINUTE).used == 1


async def test_a_shared_ledger_works_the_same(tmp_path, clock):
    ledger = open_ledger(tmp_path / "quota.sqlite", clock)
    one, other = (turnstile(clock, ledger=ledger) for _ in range(2))
    (await one.admit("shop.Read", TWO_A_MINUTE, None))()
    (await other.admit("shop.Read", TWO_A_MINUTE, None))()
    (await one.admit("shop.Read", TWO_A_MINUTE, None))()
    assert 60.5 <= clock.monotonic() < 61
    await other.close_lane("shop.Read", TWO_A_MINUTE, 100)
    (await one.admit("shop.Read", TWO_A_MINUTE, None))()
    assert 160 <= clock.monotonic() < 162
    ledger.close()


async def test_a_ledger_that_another_process_holds_is_waited_for_beside_other_work(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = open_ledger(path, clock)
    gate = turnstile(clock, ledger=ledger)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    admitted = asyncio.create_task(gate.admit("shop.Read", TWO_A_MINUTE, None))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not admitted.done()
    writer.execute("COMMIT")
    (await admitted)()
    writer.close()
    ledger.close()


OPERATIONS = {"a": OperationRate(1, 5), "b": OperationRate(4, 7), "c": None}
INSTANCE = RateLimit(amount=6, unit=RateUnit.MINUTE)


class Crowd(RuleBasedStateMachine):
    """Callers come, give up, finish and are held up in any order; no window may overflow and nobody may starve."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock(auto=False)
        self.gate = self.runner.run(self._make())
        self.left = []
        self.waiting = []
        self.under_way = []
        self.tasks = []

    async def _make(self):
        return turnstile(self.clock, limit=INSTANCE, concurrency=3)

    def settle(self):
        async def rest():
            for _ in range(60):
                await asyncio.sleep(0)

        self.runner.run(rest())

    async def _caller(self, operation):
        entry = [operation, self.clock.monotonic(), None]
        self.waiting.append(entry)
        try:
            release = await self.gate.admit(operation, OPERATIONS[operation], None)
        finally:
            self.waiting.remove(entry)
        entry[2] = self.clock.monotonic()
        self.left.append(entry)
        self.under_way.append(release)

    @rule(operations=st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
    def come(self, operations):
        async def begin():
            self.tasks += [asyncio.create_task(self._caller(each)) for each in operations]

        self.runner.run(begin())
        self.settle()

    @rule(data=st.data())
    def give_up(self, data):
        tasks = [task for task in self.tasks if not task.done()]
        if tasks:
            task = data.draw(st.sampled_from(tasks))

            async def cancel():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            self.runner.run(cancel())
            self.settle()

    @rule(seconds=st.floats(0.01, 15))
    def wait(self, seconds):
        self.clock.advance(seconds)
        self.settle()

    @rule(number=st.integers(1, 3))
    def finish(self, number):
        for _ in range(min(number, len(self.under_way))):
            self.under_way.pop(0)()
        self.settle()

    @rule(operation=st.sampled_from("abc"), seconds=st.floats(0.1, 40))
    def hold_up(self, operation, seconds):
        async def close():
            await self.gate.close_lane(operation, OPERATIONS[operation], seconds)

        self.runner.run(close())

    @invariant()
    def no_window_overflows(self):
        windows = [(name, rate.calls, rate.seconds) for name, rate in OPERATIONS.items() if rate]
        for name, calls, seconds in [*windows, ("*", INSTANCE.amount, 60)]:
            times = [at for operation, _, at in self.left if name in (operation, "*")]
            assert all(last - first >= seconds for first, last in zip(times, times[calls:], strict=False))

    @invariant()
    def nobody_overtakes(self):
        for name in OPERATIONS:
            came = [entry[1] for entry in self.left if entry[0] == name]
            assert came == sorted(came)

    @invariant()
    def no_more_are_under_way_than_may_be(self):
        assert len(self.under_way) <= 3

    def teardown(self):
        for _ in range(400):
            if not self.waiting:
                break
            self.finish(3)
            self.wait(5.0)
        starved = list(self.waiting)
        self.runner.close()
        assert not starved


Crowd.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestCrowd = Crowd.TestCase
