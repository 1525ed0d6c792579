"""All orders of the shop, open and processed, and the changes that keep its indexes true."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.shop.index import TimeIndex
from linnworks_connector.sandbox.shop.journal import Journal
from linnworks_connector.sandbox.shop.orders import FIRST_NUMBER, PARKED_TAG, Head, Order, OrderBuilder, build_heads
from linnworks_connector.sandbox.shop.stock import Stock

_BUILT_KEPT: Final = 2_000
_DATE_FIELDS: Final[dict[str, Callable[[Head], datetime | None]]] = {
    "received": lambda head: head.received,
    "processed": lambda head: head.processed,
    "payment": lambda head: head.paid,
    "cancelled": lambda head: head.cancelled,
}

Reference = tuple[str, str, str]


def _reference(order: Order) -> Reference:
    return order.source, order.sub_source, order.reference


class OrderBook:
    """Orders by id. Seeded ones are built when asked for and kept only once they were changed."""

    def __init__(self, options: SandboxOptions, *, now: Callable[[], datetime], stock: Stock, journal: Journal) -> None:
        self._now = now
        self._stock = stock
        self._journal = journal
        start = now()
        self._builder = OrderBuilder(stock.items, options.seed, start)
        heads = build_heads(options.orders, options.processed, options.seed, start)
        self.heads: dict[str, Head] = {head.id: head for head in heads}
        self.by_number: dict[int, Head] = {head.number: head for head in heads}
        self.open: dict[str, Head] = {head.id: head for head in heads if head.is_open}
        self.processed = TimeIndex(lambda head: head.processed, heads)
        self.updated = TimeIndex(lambda head: head.updated, heads)
        self._built: OrderedDict[str, Order] = OrderedDict()
        self._kept: dict[str, Order] = {}
        self._last_number = max(self.by_number, default=FIRST_NUMBER - 1)
        for head in self.open.values():
            order = self.read(head)
            if not order.locked:
                stock.allocate(order, 1)
        self._references: dict[tuple[str, str, str], str] | None = None

    def __len__(self) -> int:
        return len(self.heads)

    def read(self, head: Head) -> Order:
        """Return the order of a head, to read."""
        order = self._kept.get(head.id) or self._built.get(head.id)
        if order is None:
            order = self._built[head.id] = self._builder.build(head)
            if len(self._built) > _BUILT_KEPT:
                self._built.popitem(last=False)
        return order

    def find(self, order_id: str | None) -> Order | None:
        """Return an order by its id, to read."""
        head = self.heads.get((order_id or "").lower())
        return None if head is None else self.read(head)

    def edit(self, order_id: str | None) -> Order | None:
        """Return an order by its id, to change; call `touch` afterwards."""
        order = self.find(order_id)
        if order is not None:
            self._kept[order.head.id] = order
            self._built.pop(order.head.id, None)
        return order

    def by_reference(self, reference: Reference) -> str | None:
        """Return the id of the order of (source, sub-source, reference), or None."""
        if self._references is None:
            self._references = {_reference(order): order.head.id for order in map(self.read, self.heads.values())}
        return self._references.get(reference)

    def next_number(self) -> int:
        """Return the order number that a new order gets."""
        return self._last_number + 1

    def add(self, order: Order) -> None:
        """Put a new open order in and allocate its stock."""
        head = order.head
        self._last_number = max(self._last_number, head.number)
        self.heads[head.id] = self.by_number[head.number] = self.open[head.id] = head
        self._kept[head.id] = order
        if self._references is not None:
            self._references[_reference(order)] = head.id
        self.updated.add(head)
        if not order.locked:
            self._stock.allocate(order, 1)
        self._journal.record("order.created", "|".join(_reference(order)))

    def replace(self, order: Order) -> None:
        """Put a new version of an open order in place of the old one, under the same head."""
        old = self.read(order.head)
        if not old.locked:
            self._stock.allocate(old, -1)
        order.version = old.version
        self._kept[order.head.id] = order
        self._built.pop(order.head.id, None)
        if not order.locked:
            self._stock.allocate(order, 1)
        self.touch(order)
        self._journal.record("order.saved", "|".join(_reference(order)))

    def touch(self, order: Order) -> None:
        """Note that an order was changed, now."""
        order.version += 1
        self.updated.remove(order.head)
        order.head.updated = self._now()
        self.updated.add(order.head)

    def resize(self, order: Order, change: Callable[[Order], None]) -> None:
        """Change an order's lines or location, with its stock given back before and allocated again after."""
        allocated = order.head.is_open and not order.locked
        if allocated:
            self._stock.allocate(order, -1)
        change(order)
        if allocated:
            self._stock.allocate(order, 1)
        self.touch(order)

    def lock(self, order: Order, *, locked: bool) -> None:
        """Lock or unlock: a locked order gives back the stock that was allocated to it."""
        if order.locked != locked:
            order.locked = locked
            self._stock.allocate(order, -1 if locked else 1)
        self.touch(order)

    def set_tag(self, order: Order, tag: int | None) -> None:
        """Set the marker; 7 parks, no tag unparks. A parked order keeps its stock."""
        order.parked = tag == PARKED_TAG
        order.tag = None if order.parked else tag
        self.touch(order)

    def process(self, order: Order) -> None:
        """Send an order: it leaves the open ones and its stock falls."""
        self._close(order, "order.processed")
        self._stock.despatch(order)

    def cancel(self, order: Order) -> None:
        """Cancel an order: it leaves the open ones, its stock is given back."""
        order.head.cancelled = self._now()
        order.hold = True
        self._close(order, "order.cancelled")

    def _close(self, order: Order, what: str) -> None:
        if not order.locked:
            self._stock.allocate(order, -1)
        order.locked = False
        head = order.head
        self.open.pop(head.id, None)
        head.processed = self._now()
        self.processed.add(head)
        self.touch(order)
        self._journal.record(what, head.id)

    def delete(self, order: Order) -> None:
        """Remove an open order for good."""
        head = order.head
        if head.is_open and not order.locked:
            self._stock.allocate(order, -1)
        self.updated.remove(head)
        self.processed.remove(head)
        for index in (self.open, self.heads, self._kept, self._built):
            index.pop(head.id, None)
        self.by_number.pop(head.number, None)
        if self._references is not None:
            self._references.pop(_reference(order), None)
        self._journal.record("order.deleted", head.id)

    def set_paid(self, order: Order, when: datetime) -> None:
        """Set when an order was paid."""
        order.head.paid = when
        self.touch(order)

    def closed_between(self, field: str, start: datetime, end: datetime) -> Iterator[Head]:
        """Yield the processed orders whose date `field` is from `start` to `end`, both included, oldest first."""
        if field == "processed":
            yield from self.processed.between(start, end)
            return
        read = _DATE_FIELDS[field]
        for head in self.processed.between(None, None):
            when = read(head)
            if when is not None and start <= when <= end:
                yield head
