"""How long calls wait: for their quota, for what the vendor asks for, and no longer than they may take."""

import anyio
import anyio.lowlevel
import httpx
import pytest

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.errors import OutcomeUnknown, QuotaExhausted, VendorUnreachable
from connector_host.contract.manifest import RateLimit, RateUnit
from connector_host.engine.quota import MemoryLedger


@pytest.mark.parametrize("status", [429, 503, 400])
async def test_the_wait_that_the_vendor_asks_for_holds_for_everybody(connect, vendor, clock, status):
    quota_text = httpx.Response(status, json={"message": "slow down"}, headers={"retry-after": "45"})
    vendor.script = [quota_text]
    arrived = []

    async def note(_request):
        arrived.append(clock.monotonic())

    vendor.before = note

    def reads(_operation, answer, _now):
        return Meaning(MeaningKind.QUOTA, "slow down") if answer.status == status else None

    async with connect(reads=reads) as shop, anyio.create_task_group() as group:
        group.start_soon(shop.call, "shop.Read")
        while not vendor.sent:
            await anyio.lowlevel.checkpoint()
        group.start_soon(shop.call, "shop.Read")
    assert arrived[0] == 0
    assert len(arrived) == 3
    assert min(arrived[1:]) >= 45


async def test_a_wait_longer_than_the_call_may_take_is_told_at_once(connect, vendor, clock):
    vendor.script = [httpx.Response(429, headers={"retry-after": "31536000"})]
    async with connect() as shop:
        with pytest.raises(QuotaExhausted) as caught:
            await shop.call("shop.Read")
        assert caught.value.retry_after == 31536000
        assert caught.value.next_step == "Try again in 365 d."
        assert clock.slept == []
        with pytest.raises(QuotaExhausted):
            await shop.call("shop.Read")
        await shop.call("shop.Free")
    assert len(vendor.sent) == 2


async def test_calls_wait_for_their_quota_and_say_so(connect, clock):
    async with connect() as shop:
        for _ in range(6):
            await shop.call("shop.Read")
        assert clock.monotonic() == pytest.approx(60.5, abs=0.01)
        assert shop.stats.waited_for_quota == pytest.approx(60.5, abs=0.01)
        usage = shop.quota_in_use()
        assert shop.quota_share() == 1 / 5
    assert usage.instance is None
    assert {name: (each.used, each.limit) for name, each in usage.operations.items()} == {"shop.Read": (1, 5)}


async def test_the_fullest_quota_is_the_one_of_what_was_called_or_of_the_instance(connect, clock):
    ledger = MemoryLedger(clock)
    async with connect(quota=ledger) as other, connect(quota=ledger) as shop:
        assert shop.quota_share() is None
        for _ in range(5):
            await other.call("shop.Read")
        await shop.call("shop.Free")
        assert shop.quota_share() == 2 / 150
        assert shop.quota_in_use().operations["shop.Read"].used == 5
    async with connect(quota=ledger, rate_limit=RateLimit(amount=4, unit=RateUnit.MINUTE)) as shop:
        for _ in range(3):
            await shop.call("shop.Free")
        assert shop.quota_share() == 1.0


async def test_a_call_may_be_given_less_time(connect, clock):
    async with connect() as shop:
        for _ in range(5):
            await shop.call("shop.Read")
        with pytest.raises(QuotaExhausted) as caught:
            await shop.call("shop.Read", total_timeout=20)
    assert caught.value.retry_after == pytest.approx(60.5, abs=0.01)
    assert clock.slept == []


async def test_what_hangs_is_ended_when_the_time_is_over(connect, vendor):
    async def hang(_request):
        await anyio.sleep_forever()

    vendor.before = hang
    async with connect() as shop:
        with pytest.raises(VendorUnreachable, match=r"nothing came within 0\.05 s"):
            await shop.call("shop.Ask", total_timeout=0.05)
        with pytest.raises(OutcomeUnknown, match="may have happened"):
            await shop.call("shop.Write", total_timeout=0.05)


async def test_who_waits_for_a_connection_until_the_time_is_over_is_told_that_nothing_was_sent(connect, vendor):
    release = anyio.Event()

    async def hang(_request):
        await release.wait()

    vendor.before = hang
    async with connect(concurrency=1) as shop, anyio.create_task_group() as group:
        group.start_soon(shop.call, "shop.Ask")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(QuotaExhausted):
            await shop.call("shop.Write", total_timeout=0.05)
        release.set()
    assert [request.url.path for request in vendor.sent] == ["/free"]
