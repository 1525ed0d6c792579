"""The shop's stock: items, what lies where, and what orders have taken of it."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from linnworks_connector.sandbox.shop.details import Details, build_details
from linnworks_connector.sandbox.shop.items import Item, Level, build_items
from linnworks_connector.sandbox.shop.journal import Journal
from linnworks_connector.sandbox.shop.orders import FBA_SUFFIX, Order

_DETAILS_KEPT: Final = 2_000


class Stock:
    """All stock items. Archived ones are in no list and do not resolve by SKU; only their id still finds them."""

    def __init__(self, count: int, seed: int, now: Callable[[], datetime], journal: Journal) -> None:
        self._seed = seed
        self._now = now
        self._journal = journal
        self.items: list[Item] = build_items(count, seed, now())
        self._by_id = {item.id: item for item in self.items}
        self._by_sku = {item.sku.lower(): item for item in self.items}
        self._deleted: set[int] = set()
        self._details: OrderedDict[int, Details] = OrderedDict()
        self._edited_details: dict[int, Details] = {}

    def __len__(self) -> int:
        return sum(1 for _ in self.listed())

    def listed(self) -> Iterator[Item]:
        """Yield the items that lists show, in a steady order."""
        return (item for item in self.items if not item.archived and item.index not in self._deleted)

    def find(self, item_id: str | None) -> Item | None:
        """Return the item of an id, archived or not."""
        item = self._by_id.get((item_id or "").lower())
        return None if item is None or item.index in self._deleted else item

    def find_sku(self, sku: str | None) -> Item | None:
        """Return the item of an SKU, in any case; not an archived one."""
        item = self._by_sku.get((sku or "").lower())
        return None if item is None or item.archived or item.index in self._deleted else item

    def find_channel_sku(self, source: str, sub_source: str, sku: str) -> Item | None:
        """Return the item that is listed under a channel SKU, or None."""
        if not sku:
            return None
        item = self.find_sku(sku) or self.find_sku(sku.removesuffix(FBA_SUFFIX))
        rows = self.details(item).channel_skus if item is not None else ()
        listed = any((row["Source"], row["SubSource"], row["SKU"]) == (source, sub_source, sku) for row in rows)
        return item if listed else None

    def add(self, item: Item) -> None:
        """Put a new item in; its id and SKU must be free."""
        self.items.append(item)
        self._by_id[item.id] = item
        self._by_sku[item.sku.lower()] = item
        self._edited_details[item.index] = Details()
        self._journal.record("item.created", item.sku)

    def rename(self, item: Item, sku: str) -> None:
        """Give an item another SKU."""
        self._by_sku.pop(item.sku.lower(), None)
        item.sku = sku
        self._by_sku[sku.lower()] = item

    def archive(self, item: Item, *, archived: bool = True) -> None:
        """Take an item out of all lists, or bring it back."""
        item.archived = archived
        self.changed(item)
        self._journal.record("item.archived" if archived else "item.unarchived", item.sku)

    def delete(self, item: Item) -> None:
        """Remove an item for good."""
        self._deleted.add(item.index)
        self._by_sku.pop(item.sku.lower(), None)
        self._journal.record("item.deleted", item.sku)

    def changed(self, item: Item) -> None:
        """Note that an item differs from before."""
        item.version += 1

    def version(self, item: Item) -> int:
        """Return a number that grows with every change of what an item shows, its parts included."""
        return item.version + sum(self.items[part].version for part, _ in item.components)

    def details(self, item: Item) -> Details:
        """Return the rows that hang on an item, to read."""
        kept = self._edited_details.get(item.index) or self._details.get(item.index)
        if kept is None:
            kept = self._details[item.index] = build_details(item, self._seed)
            if len(self._details) > _DETAILS_KEPT:
                self._details.popitem(last=False)
        return kept

    def edit_details(self, item: Item) -> Details:
        """Return the rows that hang on an item, to change."""
        details = self._edited_details[item.index] = self.details(item)
        self._details.pop(item.index, None)
        self.changed(item)
        return details

    def levels(self, item: Item) -> dict[str, Level]:
        """Return an item's stock by location id; that of a composite follows from its parts."""
        if not item.components:
            return item.levels
        parts = [(self.items[part], quantity) for part, quantity in item.components]
        derived: dict[str, Level] = {}
        for location in dict.fromkeys(place for part, _ in parts for place in part.levels):
            have = [(part.levels.get(location), quantity) for part, quantity in parts]
            derived[location] = Level(
                on_hand=min(level.on_hand // quantity if level else 0 for level, quantity in have),
                in_orders=max(-(-level.in_orders // quantity) if level else 0 for level, quantity in have),
                updated=max((level.updated for level, _ in have if level and level.updated), default=None),
            )
        return derived

    def level(self, item: Item, location: str) -> Level:
        """Return the stock of an item that is not a composite at a location, empty when it was never there."""
        return item.levels.setdefault(location, Level(0))

    def set_level(self, item: Item, location: str, quantity: int) -> Level:
        """Set what lies at a location."""
        level = self.level(item, location)
        level.on_hand, level.updated = quantity, self._now()
        self.changed(item)
        self._journal.record("stock.set", f"{item.sku}@{location}={quantity}")
        return level

    def change_level(self, item: Item, location: str, delta: int) -> Level:
        """Add to (or take from) what lies at a location."""
        level = self.level(item, location)
        level.on_hand, level.updated = level.on_hand + delta, self._now()
        self.changed(item)
        self._journal.record("stock.changed", f"{item.sku}@{location}{delta:+d}")
        return level

    def allocate(self, order: Order, direction: int) -> None:
        """Allocate stock to an order (direction 1), or give it back (-1)."""
        for item, quantity in self.needs(order):
            self.level(item, order.location).in_orders += direction * quantity
            self.changed(item)

    def despatch(self, order: Order) -> None:
        """Take an order's goods off the shelves."""
        for item, quantity in self.needs(order):
            self.change_level(item, order.location, -quantity)

    def needs(self, order: Order) -> Iterator[tuple[Item, int]]:
        """Yield what an order needs: items that are no composites, with quantities."""
        for line in order.lines:
            if line.item is None or line.service:
                continue
            item = self.items[line.item]
            if not item.components:
                yield item, line.quantity
            for part, quantity in item.components:
                yield self.items[part], quantity * line.quantity
