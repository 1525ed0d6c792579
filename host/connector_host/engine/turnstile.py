"""Lets requests through one after another: in order, when their quotas have room and a connection is free."""

from collections.abc import Callable

import anyio
import anyio.to_thread

from connector_host.contract.catalogue import OperationRate
from connector_host.contract.clock import Clock
from connector_host.contract.durations import duration
from connector_host.contract.errors import QuotaExhausted
from connector_host.contract.manifest import RateLimit

from .journal import Journal
from .lanes import Lane, QuotaInUse, Usage, lane_of
from .quota import LedgerBusy, QuotaLedger, Shortfall

__all__ = ["Turnstile"]

_WHOLE_INSTANCE = "*"


class Turnstile:
    """The order of one connection's requests: first come, first served, for each operation by itself.

    A place in the quota is taken at the moment a request leaves, when it has its connection already: a place taken
    earlier would be counted in a window before the one in which the vendor sees the request.

    `owner` names whose quota it is: connections with the same owner and ledger share it.
    """

    def __init__(
        self, ledger: QuotaLedger, owner: str, clock: Clock, *, rate_limit: RateLimit | None, concurrency: int
    ) -> None:
        self._ledger = ledger
        self._owner = owner
        self._clock = clock
        self._instance = (
            lane_of(self._key(_WHOLE_INSTANCE), rate_limit.amount, rate_limit.unit.seconds) if rate_limit else None
        )
        self._connections = anyio.Semaphore(concurrency, fast_acquire=True)
        self._lines: dict[str, anyio.Lock] = {}
        self._instance_line = anyio.Lock(fast_acquire=True)

    async def admit(self, operation: str, rate: OperationRate | None, journal: Journal | None) -> Callable[[], None]:
        """Wait for room and a connection; return what gives the connection back.

        Raises QuotaExhausted at once when the room would come after the call's deadline.
        """
        own = self._lane(operation, rate)
        lanes = [own, self._instance] if self._instance else [own]
        line = self._lines.setdefault(operation, anyio.Lock(fast_acquire=True))
        if journal:
            journal.waiting_for_quota = True
        async with line:
            while True:
                # Only one at a time tries the instance's own limit, and it waits there for its turn. While it is
                # the operation's limit that has no room, other operations go first.
                async with self._instance_line:
                    shortfall = await self._try(lanes)
                    while shortfall is not None and shortfall.lane is not own:
                        await self._wait(shortfall, journal)
                        shortfall = await self._try(lanes)
                if shortfall is None:
                    if journal:
                        journal.waiting_for_quota = False
                    return self._connections.release
                await self._wait(shortfall, journal)

    async def close_lane(self, operation: str, rate: OperationRate | None, seconds: float) -> None:
        """Hold every request of the operation for so long, of all who share the quota."""
        lane = self._lane(operation, rate)
        if self._ledger.shared:
            await anyio.to_thread.run_sync(self._ledger.close_lane, lane, seconds)
        else:
            self._ledger.close_lane(lane, seconds)

    def usage(self, operation: str, rate: OperationRate | None) -> Usage:
        """Return how much of the operation's quota is in use."""
        return self._ledger.usage(self._lane(operation, rate))

    def in_use(self) -> QuotaInUse:
        """Return how much of the quota is in use, whoever has called; the operations by name."""
        owner = self._key("")
        found = {key.removeprefix(owner): usage for key, usage in sorted(self._ledger.in_use(owner).items())}
        found.pop(_WHOLE_INSTANCE, None)
        return QuotaInUse(self.instance_usage(), found)

    def instance_usage(self) -> Usage | None:
        """Return how much of the instance's own limit is in use; None when it has none."""
        return self._ledger.usage(self._instance) if self._instance else None

    def _key(self, operation: str) -> str:
        return f"{self._owner}/{operation}"

    def _lane(self, operation: str, rate: OperationRate | None) -> Lane:
        return lane_of(self._key(operation), rate.calls if rate else None, rate.seconds if rate else 0)

    async def _try(self, lanes: list[Lane]) -> Shortfall | None:
        """Take a connection and a place in every lane, or neither."""
        await self._connections.acquire()
        try:
            try:
                shortfall = self._ledger.take(lanes, wait=False)
            except LedgerBusy:
                shortfall = await anyio.to_thread.run_sync(self._ledger.take, lanes)
        except BaseException:
            self._connections.release()
            raise
        if shortfall is not None:
            self._connections.release()
        return shortfall

    async def _wait(self, shortfall: Shortfall, journal: Journal | None) -> None:
        if journal:
            if self._clock.monotonic() + shortfall.seconds > journal.deadline:
                raise _no_room(shortfall)
            journal.waited += shortfall.seconds
        await self._clock.sleep(shortfall.seconds)


def _no_room(shortfall: Shortfall) -> QuotaExhausted:
    whose = shortfall.lane.key.rpartition("/")[2]
    whose = "this instance" if whose == _WHOLE_INSTANCE else whose
    limit = f"{shortfall.lane.calls} calls in {shortfall.lane.milliseconds / 1000:g} s" if shortfall.lane.calls else ""
    return QuotaExhausted(
        f"The quota of {whose} has room again in {duration(shortfall.seconds)}, later than this call may take.",
        retry_after=shortfall.seconds,
        next_step="Try again then.",
        detail=limit,
    )
