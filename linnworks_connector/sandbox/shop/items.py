"""Stock items of the invented shop: a small mutable core for each, everything else derived from it when asked."""

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from linnworks_connector.sandbox.draws import chance, generator
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid

INT_ID_BASE: Final = 100_000
_COMPOSITE_SHARE: Final = 0.04
_VARIATION_SHARE: Final = 0.03
_ARCHIVED_SHARE: Final = 0.02
_SOLD_OUT: Final = 0.07
_FEWEST_PARTS: Final = 2
TAX_OF_COUNTRY: Final = -1.0
"""A tax rate that means "as the buyer's country has it"."""
_LOCATION_SHARES: Final = (1.0, 0.45, 0.25, 0.03)


@dataclass(slots=True)
class Level:
    """Stock of one item at a location. `on_hand` falls when an order is processed; `in_orders` is allocated."""

    on_hand: int
    minimum: int = 0
    in_orders: int = 0
    due: int = 0
    bin_rack: str = ""
    updated: datetime | None = None

    @property
    def available(self) -> int:
        """What may still be sold."""
        return self.on_hand - self.in_orders


@dataclass(slots=True)
class Item:
    """The core of a stock item. `index` is its place in the shop, `version` counts its changes."""

    index: int
    id: str
    sku: str
    title: str
    barcode: str
    category: int
    retail_price: float
    purchase_price: float
    tax_rate: float
    weight: float
    size: tuple[float, float, float]
    postal: int
    package: int
    created: datetime
    levels: dict[str, Level] = field(default_factory=dict)
    components: list[tuple[int, int]] = field(default_factory=list)
    variation_parent: bool = False
    variation_of: int | None = None
    archived: bool = False
    metadata: str = ""
    version: int = 0

    @property
    def int_id(self) -> int:
        """The whole-number id beside the GUID."""
        return INT_ID_BASE + self.index

    @property
    def is_composite(self) -> bool:
        """Whether the item is made of others."""
        return bool(self.components)


def barcode(digits: int) -> str:
    """Return an EAN-13 with its check digit, in the range that is reserved for use inside a company."""
    body = f"20{digits % 10**10:010d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def build_items(count: int, seed: int, now: datetime) -> list[Item]:
    """Build `count` items. The same seed and moment give the same items."""
    rng = generator(f"{seed}:items")
    items: list[Item] = []
    while len(items) < count:
        room = count - len(items)
        kind = rng.random()
        if kind < _VARIATION_SHARE and room > len(ref.COLOURS):
            _add_variation_group(items, rng, seed, now)
            continue
        item = _build(len(items), rng, seed, now)
        if kind > 1 - _COMPOSITE_SHARE and len(items) > len(ref.COLOURS):
            _make_composite(item, items, rng)
        items.append(item)
    return items


def _build(index: int, rng: random.Random, seed: int, now: datetime) -> Item:
    category = rng.choices(range(len(ref.CATEGORIES)), (1, 22, 18, 12, 14, 15, 12, 6))[0]
    kind = ref.CATEGORIES[category]
    noun, material, collection = rng.choice(kind.nouns), rng.choice(ref.MATERIALS), rng.choice(ref.RANGES)
    colour, code = rng.choice(ref.COLOURS)
    price = _retail(kind.price * math.exp(rng.gauss(0, kind.spread)))
    heavy = kind.price / 20
    item = Item(
        index=index,
        id=guid(seed, "item", index),
        sku=f"{kind.code}-{index + 1:05d}-{code}",
        title=f"{collection} {material} {noun}, {colour}",
        barcode=barcode(seed * 1_000_003 + index),
        category=category,
        retail_price=price,
        purchase_price=round(price / 1.2 * rng.uniform(0.35, 0.6), 2),
        tax_rate=TAX_OF_COUNTRY if chance(rng, 0.03) else 20.0,
        weight=round(rng.lognormvariate(-0.9, 0.7) * heavy, 3),
        size=(round(rng.uniform(3, 40), 1), round(rng.uniform(3, 40), 1), round(rng.uniform(1, 30), 1)),
        postal=rng.choice((0, 1, 1, 1, 2, 3, 4)),
        package=rng.choice((0, 1, 2, 2)),
        created=(now - timedelta(days=rng.uniform(1, 1400))).replace(microsecond=rng.choice((0, 0, 120_000, 457_000))),
        archived=chance(rng, _ARCHIVED_SHARE),
    )
    _stock(item, rng, now)
    return item


def _retail(price: float) -> float:
    """Return a price as shops write it: so many pounds 99, 49 or 95."""
    return round(max(0.0, math.floor(price)) + (0.99, 0.49, 0.95)[int(price * 100) % 3], 2)


def _stock(item: Item, rng: random.Random, now: datetime) -> None:
    for location, share in zip(ref.LOCATIONS, _LOCATION_SHARES, strict=True):
        if not chance(rng, share):
            continue
        empty = chance(rng, _SOLD_OUT)
        on_hand = 0 if empty else min(5000, int(rng.lognormvariate(3.2, 1.1)))
        item.levels[location.id] = Level(
            on_hand=on_hand,
            minimum=rng.choice((0, 0, 2, 5, 10)),
            bin_rack=""
            if chance(rng, 0.1)
            else f"{'ABCDE'[item.index % 5]}{item.index % 40:02d}-{rng.randrange(1, 7)}",
            updated=(now - timedelta(hours=rng.uniform(0, 900))).replace(microsecond=rng.choice((0, 3_000, 987_654))),
        )


def _add_variation_group(items: list[Item], rng: random.Random, seed: int, now: datetime) -> None:
    parent = _build(len(items), rng, seed, now)
    parent.variation_parent, parent.archived, parent.levels = True, False, {}
    parent.title = parent.title.rpartition(",")[0]
    parent.sku = f"{parent.sku.rpartition('-')[0]}-VAR"
    items.append(parent)
    for colour, code in ref.COLOURS[: rng.randint(3, len(ref.COLOURS))]:
        child = _build(len(items), rng, seed, now)
        child.variation_of, child.archived = parent.index, False
        child.category, child.retail_price = parent.category, parent.retail_price
        child.title = f"{parent.title}, {colour}"
        child.sku = f"{parent.sku.removesuffix('-VAR')}-{code}"
        items.append(child)


def _make_composite(item: Item, items: list[Item], rng: random.Random) -> None:
    parts = [other for other in items[-40:] if not (other.is_composite or other.variation_parent or other.archived)]
    if len(parts) < _FEWEST_PARTS:
        return
    chosen = rng.sample(parts, _FEWEST_PARTS)
    item.components = [(part.index, rng.choice((1, 1, 2, 4))) for part in chosen]
    item.archived, item.levels = False, {}
    item.sku = f"SET-{item.index + 1:05d}"
    item.title = (
        f"{ref.RANGES[item.index % len(ref.RANGES)]} Gift Set of {sum(quantity for _, quantity in item.components)}"
    )
    item.retail_price = _retail(sum(items[part].retail_price * quantity for part, quantity in item.components) * 0.9)
    item.purchase_price = round(sum(items[part].purchase_price * quantity for part, quantity in item.components), 2)
