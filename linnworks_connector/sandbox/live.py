"""A live shop: orders arrive, are edited and processed, and stock moves, as the clock goes on.

What happens, and when, follows from the seed alone. Events happen when somebody looks: before each request and at
`Control.advance`, everything that is due by then.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from linnworks_connector.sandbox.draws import chance, generator
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid
from linnworks_connector.sandbox.shop.orders import PAID, Head, Order, OrderBuilder, note

_MOST_AT_ONCE: Final = 10_000


class Live:
    """The events of a live shop, `rate` a minute on average."""

    def __init__(self, shop: Shop, rate: float) -> None:
        self._shop = shop
        self._mean = 60.0 / rate
        self._rng = generator(f"{shop.seed}:live")
        self._builder = OrderBuilder(shop.stock.items, shop.seed + 1, shop.started)
        self._next = shop.clock.monotonic() + self._gap()
        self.happened = 0
        self._events: tuple[tuple[Callable[[], None], int], ...] = (
            (self._arrive, 45),
            (self._process, 38),
            (self._edit, 8),
            (self._note, 4),
            (self._deliver, 4),
            (self._cancel, 1),
        )

    def due(self) -> bool:
        """Whether something should have happened by now."""
        return self._shop.clock.monotonic() >= self._next

    def catch_up(self) -> None:
        """Do what is due. Hold the shop's lock."""
        now = self._shop.clock.monotonic()
        self._shop.journal.actor = "live"
        try:
            for _ in range(_MOST_AT_ONCE):
                if self._next > now:
                    return
                self._next += self._gap()
                self.happened += 1
                events, weights = zip(*self._events, strict=True)
                self._rng.choices(events, weights)[0]()
            self._next = now + self._gap()
        finally:
            self._shop.journal.actor = "client"

    def _gap(self) -> float:
        return self._rng.expovariate(1 / self._mean)

    def _pick(self) -> Order | None:
        """Pick an open order that may be worked on, the older the likelier."""
        ids = list(self._shop.orders.open)
        if not ids:
            return None
        order = self._shop.orders.edit(ids[int(len(ids) * self._rng.random() ** 2)])
        return order if order is not None and not (order.parked or order.locked) else None

    def _arrive(self) -> None:
        orders = self._shop.orders
        now = self._shop.now()
        number = orders.next_number()
        paid = None if chance(self._rng, 0.05) else now
        order = self._builder.build(Head(-1, guid(self._shop.seed, "live", number), number, now, now, paid=paid))
        order.despatch_by = now + timedelta(days=2)
        orders.add(order)

    def _process(self) -> None:
        order = self._pick()
        if order is None or order.status != PAID:
            return
        order.tracking = order.tracking or f"TT{self._rng.randrange(10**9):09d}GB"
        order.label_printed = order.invoice_printed = order.pick_list_printed = True
        self._shop.orders.process(order)

    def _edit(self) -> None:
        order = self._pick()
        if order is None:
            return
        if order.status != PAID:
            order.status = PAID
            self._shop.orders.set_paid(order, self._shop.now())
            return
        order.address["Address2"] = f"Flat {self._rng.randrange(1, 60)}"
        self._shop.orders.touch(order)

    def _note(self) -> None:
        order = self._pick()
        if order is not None:
            order.notes.append(note(order, self._rng.choice(ref.NOTES), self._shop.now(), "Shop Keeper", internal=True))
            self._shop.orders.touch(order)

    def _deliver(self) -> None:
        items = self._shop.stock.items
        item = items[self._rng.randrange(len(items))]
        if not (item.components or item.variation_parent or item.archived):
            self._shop.stock.change_level(item, ref.LOCATIONS[0].id, self._rng.choice((6, 12, 24)))

    def _cancel(self) -> None:
        order = self._pick()
        if order is not None:
            self._shop.orders.cancel(order)
