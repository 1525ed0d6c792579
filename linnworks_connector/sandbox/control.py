"""What a test, or a person with curl, may see and do behind the vendor's back."""

from collections import Counter, deque
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from linnworks_connector.sandbox.clock import Clock
from linnworks_connector.sandbox.faults import Faults
from linnworks_connector.sandbox.live import Live
from linnworks_connector.sandbox.quota import Peak, Quota
from linnworks_connector.sandbox.sessions import Sessions
from linnworks_connector.sandbox.shop import Shop

_LOG_KEPT: Final = 50_000


class Entry(NamedTuple):
    """One request in the log. `session` is a session's number; no token and nothing of a sign-in is kept."""

    at: datetime
    operation: str
    method: str
    path: str
    status: int
    session: int | None
    encoding: str
    args: dict[str, Any]
    request_id: str
    fault: str | None


class Control:
    """Faults, clock, counters and proofs of a running sandbox."""

    def __init__(
        self, shop: Shop, *, clock: Clock, sessions: Sessions, quota: Quota, faults: Faults, live: Live | None
    ) -> None:
        self.shop = shop
        self.clock = clock
        self.sessions = sessions
        self.quota = quota
        self.faults = faults
        self.live = live
        self.calls: Counter[str] = Counter()
        """Requests by operation id, whatever was answered."""
        self.statuses: Counter[int] = Counter()
        """Answers by HTTP status; 0 is a connection that was reset."""
        self.rejected: Counter[str] = Counter()
        """Refusals by reason: session, quota, permission, invalid, fault."""
        self.writes: dict[str, Counter[str]] = {}
        """For every write, how often it was applied, by a digest of what was asked for."""
        self.log: deque[Entry] = deque(maxlen=_LOG_KEPT)

    @property
    def sign_ins(self) -> int:
        """How many sessions were opened."""
        return self.sessions.opened

    @property
    def quota_answers(self) -> int:
        """How many calls were refused because of a quota."""
        return self.rejected["quota"]

    def advance(self, seconds: float) -> None:
        """Let time pass, and in a live shop what happens in it."""
        self.clock.advance(seconds)
        self.catch_up()

    def catch_up(self) -> None:
        """In a live shop, do what is due."""
        if self.live is not None and self.live.due():
            with self.shop.lock:
                self.live.catch_up()

    def expire_sessions(self) -> int:
        """Kill every session, as the vendor may at any time; return how many there were."""
        return self.sessions.expire()

    def set_fault(self, text: str) -> None:
        """Add a fault, for example `stock.GetStockItemsFull:429:retry_after=2:times=3`. Raises FaultSyntaxError."""
        self.faults.set(text)

    def clear_faults(self, pattern: str | None = None) -> int:
        """Remove the faults of a pattern, or all; return how many went."""
        return self.faults.clear(pattern)

    def quota_peaks(self) -> dict[str, Peak]:
        """For every operation with a limit, the most calls that arrived within any window, beside the limit."""
        return self.quota.peaks()

    def quota_exceeded(self) -> list[Peak]:
        """Return the operations of which more calls arrived in some window than the limit admits."""
        return [peak for peak in self.quota.peaks().values() if peak.exceeded]

    def note_write(self, operation: str, args: dict[str, Any]) -> None:
        """Count a write that was applied."""
        digest = blake2b(msgspec.json.encode(args, order="deterministic"), digest_size=12).hexdigest()
        self.writes.setdefault(operation, Counter())[digest] += 1

    def repeated_writes(self) -> dict[str, int]:
        """Return, by operation, how many writes were applied more than once with exactly the same content."""
        repeated = {
            operation: sum(1 for count in counts.values() if count > 1) for operation, counts in self.writes.items()
        }
        return {operation: count for operation, count in repeated.items() if count}

    def process_order(self, order_id: str) -> None:
        """Process an open order. Raises KeyError."""
        with self.shop.lock:
            order = self.shop.orders.edit(order_id)
            if order is None or not order.head.is_open:
                raise KeyError(f"there is no open order {order_id}")
            self.shop.orders.process(order)

    def edit_order(
        self, order_id: str, *, tracking: str | None = None, tag: int | None = None, town: str | None = None
    ) -> None:
        """Change an order's tracking number, tag (7 parks) or town. Raises KeyError."""
        with self.shop.lock:
            order = self.shop.orders.edit(order_id)
            if order is None:
                raise KeyError(f"there is no order {order_id}")
            if tracking is not None:
                order.tracking = tracking
            if town is not None:
                order.address["Town"] = town
            self.shop.orders.set_tag(order, tag) if tag is not None else self.shop.orders.touch(order)

    def archive_item(self, key: str) -> None:
        """Archive an item by id or SKU. Raises KeyError."""
        with self.shop.lock:
            item = self.shop.stock.find(key) or self.shop.stock.find_sku(key)
            if item is None:
                raise KeyError(f"there is no stock item {key}")
            self.shop.stock.archive(item)

    def set_stock(self, key: str, location: str, quantity: int) -> None:
        """Set the stock of an item (by id or SKU) at a location (by id). Raises KeyError."""
        with self.shop.lock:
            item = self.shop.stock.find(key) or self.shop.stock.find_sku(key)
            if item is None:
                raise KeyError(f"there is no stock item {key}")
            self.shop.stock.set_level(item, location, quantity)

    def summary(self) -> dict[str, Any]:
        """Return counts and counters as plain data."""
        return {
            "shop": self.shop.counts(),
            "now": self.clock.now().isoformat(),
            "calls": dict(self.calls),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "rejected": dict(self.rejected),
            "sign_ins": self.sign_ins,
            "faults": self.faults.listing(),
            "quota_peaks": {peak.operation: [peak.calls, peak.limit] for peak in self.quota.peaks().values()},
            "writes": {operation: sum(counts.values()) for operation, counts in self.writes.items()},
            "repeated_writes": self.repeated_writes(),
        }
