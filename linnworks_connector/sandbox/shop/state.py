"""The shop: everything that a sandbox remembers."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from linnworks_connector.sandbox.clock import Clock
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.journal import Journal
from linnworks_connector.sandbox.shop.order_book import OrderBook
from linnworks_connector.sandbox.shop.orders import Order, seeded_drafts
from linnworks_connector.sandbox.shop.purchase_orders import PurchaseOrders
from linnworks_connector.sandbox.shop.registers import seeded_exports, seeded_imports
from linnworks_connector.sandbox.shop.stock import Stock
from linnworks_connector.sandbox.shop.transfers import seeded_transfers

_ENCODED_BYTES: Final = 64_000_000
_TICK: Final = timedelta(microseconds=1)


class Shop:
    """An invented shop. Hold `lock` to look at several things that must agree while the server runs."""

    def __init__(self, options: SandboxOptions, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.seed = options.seed
        self.clock = clock
        self._last = clock.now()
        self.started = self._last
        self.journal = Journal(clock.now)
        self.stock = Stock(options.items, options.seed, self.now, self.journal)
        self.orders = OrderBook(options, now=self.now, stock=self.stock, journal=self.journal)
        self.purchases = PurchaseOrders(self.stock, options.seed, self.now, self.journal)
        self.drafts: dict[str, Order] = seeded_drafts(self.stock.items, options.seed, self.started)
        """Orders that are still being written: in no list, but found by id."""
        self.transfers = seeded_transfers(self.stock.items, options.seed, self.started)
        self.locations = {location.id: location for location in ref.LOCATIONS}
        self.imports = seeded_imports(self.started)
        self.exports = seeded_exports(self.started)
        self.refunds: dict[str, list[dict[str, Any]]] = {}
        """Refunds that clients made, by order id."""
        self.fulfilment: dict[str, str] = {}
        """Fulfilment status by order id, where a client set one."""
        self.folders = list(ref.FOLDERS)
        self.searches: dict[str, dict[str, Any]] = {}
        """Cursors of GET /v2/orders by token."""
        self._encoded: dict[tuple[str, str], tuple[int, msgspec.Raw]] = {}
        self._encoded_room = _ENCODED_BYTES

    def now(self) -> datetime:
        """Return the time of a change: later than that of every change before, even while the clock stands still."""
        self._last = max(self.clock.now(), self._last + _TICK)
        return self._last

    def encoded(self, kind: str, key: str, version: int, make: Callable[[], Any]) -> msgspec.Raw:
        """Return a record as JSON, encoded again only when its version changed.

        When the memory for that is used up, new records are not kept: clients read lists from end to end, and throwing
        out the oldest would throw out each record just before it is read again.
        """
        found = self._encoded.get((kind, key))
        if found is not None and found[0] == version:
            return found[1]
        encoded = msgspec.json.encode(make())
        raw = msgspec.Raw(encoded)
        if found is not None or self._encoded_room >= len(encoded):
            self._encoded_room -= 0 if found is not None else len(encoded)
            self._encoded[kind, key] = (version, raw)
        return raw

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are."""
        return {
            "stock_items": len(self.stock),
            "open_orders": len(self.orders.open),
            "processed_orders": len(self.orders.processed),
            "purchase_orders": len(self.purchases.orders),
        }
