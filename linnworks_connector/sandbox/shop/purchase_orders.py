"""Purchase orders of the invented shop: what was ordered from suppliers, and what has come."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from linnworks_connector.sandbox.draws import generator
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid
from linnworks_connector.sandbox.shop.journal import Journal
from linnworks_connector.sandbox.shop.stock import Stock

PENDING, OPEN, PARTIAL, DELIVERED = "PENDING", "OPEN", "PARTIAL", "DELIVERED"
_MOST_SEEDED: Final = 400
_ITEMS_PER_ORDER: Final = 20
_NOTE_ONE_IN: Final = 2
_EXPECTED: Final = (OPEN, PARTIAL)


@dataclass(slots=True)
class PurchaseLine:
    """One line. `cost` is the total of the line with tax, as the API has it."""

    id: str
    item: int
    quantity: int
    cost: float
    tax_rate: float
    delivered: int = 0
    pack_quantity: int = 1
    pack_size: int = 1

    @property
    def tax(self) -> float:
        """The tax within `cost`."""
        return round(self.cost - self.cost / (1 + self.tax_rate / 100), 4)


@dataclass(slots=True)
class PurchaseOrder:
    """One purchase order."""

    id: str
    supplier: str
    location: str
    reference: str
    currency: str
    status: str
    bought: datetime
    quoted: datetime
    delivered: datetime | None = None
    supplier_reference: str = ""
    tax_type: int = 0
    postage: float = 0.0
    postage_tax_rate: float = 0.0
    rate: float = 1.0
    lines: list[PurchaseLine] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    properties: list[dict[str, Any]] = field(default_factory=list)


class PurchaseOrders:
    """All purchase orders by id."""

    def __init__(self, stock: Stock, seed: int, now: Callable[[], datetime], journal: Journal) -> None:
        self._stock = stock
        self._now = now
        self._journal = journal
        self.orders: dict[str, PurchaseOrder] = {}
        rng = generator(f"{seed}:purchases")
        for place in range(max(3, min(_MOST_SEEDED, len(stock.items) // _ITEMS_PER_ORDER))):
            self._seed(place, seed, rng, now())

    def _seed(self, place: int, seed: int, rng: random.Random, now: datetime) -> None:
        key, supplier = guid(seed, "purchase", place), rng.choice(ref.SUPPLIERS)
        bought = (now - timedelta(days=rng.uniform(1, 150))).replace(microsecond=0)
        order = PurchaseOrder(
            id=key,
            supplier=supplier[0],
            location=ref.LOCATIONS[rng.choice((0, 0, 1))].id,
            reference=f"PO{place + 1:05d}",
            currency=supplier[2],
            status=rng.choice((PENDING, OPEN, OPEN, PARTIAL, DELIVERED, DELIVERED, DELIVERED)),
            bought=bought,
            quoted=bought + timedelta(days=supplier[3]),
            postage=rng.choice((0.0, 45.0, 120.0)),
        )
        for line in range(rng.randint(1, 6)):
            item = rng.choice(self._stock.items)
            if item.components or item.variation_parent:
                continue
            quantity = rng.choice((6, 12, 24, 48, 96))
            share = {DELIVERED: 1.0, PARTIAL: 0.5}.get(order.status, 0.0)
            order.lines.append(
                PurchaseLine(
                    id=guid(key, "line", line),
                    item=item.index,
                    quantity=quantity,
                    cost=round(quantity * item.purchase_price * 1.2, 2),
                    tax_rate=20.0,
                    delivered=int(quantity * share),
                )
            )
        if place % _NOTE_ONE_IN == 0:
            order.notes = [{"id": guid(key, "note"), "text": "Confirmed by e-mail.", "when": bought}]
        order.delivered = order.quoted if order.status == DELIVERED else None
        self.orders[key] = order
        self._expect(order, 1)

    def _expect(self, order: PurchaseOrder, direction: int) -> None:
        """Count what is still to come as due at its location, or take that back (-1)."""
        if order.status not in _EXPECTED:
            return
        for line in order.lines:
            item = self._stock.items[line.item]
            self._stock.level(item, order.location).due += direction * (line.quantity - line.delivered)
            self._stock.changed(item)

    def change(self, order: PurchaseOrder, change: Callable[[PurchaseOrder], None]) -> None:
        """Change an order, with what is due counted anew."""
        self._expect(order, -1)
        change(order)
        self._expect(order, 1)
        self._journal.record("purchase.changed", order.id)

    def add(self, order: PurchaseOrder) -> None:
        """Put a new order in."""
        self.orders[order.id] = order
        self._expect(order, 1)
        self._journal.record("purchase.created", order.id)

    def delete(self, order: PurchaseOrder) -> None:
        """Remove an order."""
        self._expect(order, -1)
        del self.orders[order.id]
        self._journal.record("purchase.deleted", order.id)

    def deliver(self, order: PurchaseOrder, line: PurchaseLine, quantity: int) -> None:
        """Book goods of a line into stock; the order becomes PARTIAL, or DELIVERED when all has come."""
        self._expect(order, -1)
        line.delivered += quantity
        order.status = DELIVERED if all(row.delivered >= row.quantity for row in order.lines) else PARTIAL
        if order.status == DELIVERED:
            order.delivered = self._now()
        self._expect(order, 1)
        self._stock.change_level(self._stock.items[line.item], order.location, quantity)
        self._journal.record("purchase.delivered", f"{line.id}+{quantity}")
