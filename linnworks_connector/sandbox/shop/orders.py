"""Orders of the invented shop: a small head for each, the rest of a seeded order built when it is asked for."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from linnworks_connector.sandbox.draws import chance, generator
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid
from linnworks_connector.sandbox.shop.items import Item

FIRST_NUMBER: Final = 100_001
SPAN: Final = timedelta(days=180)
"""How far back the seeded orders reach."""
UNPAID, PAID, RETURN, PENDING, RESEND = range(5)
PARKED_TAG: Final = 7
FBA_SUFFIX: Final = "-FBA"

_DRAFTS: Final = 3
_CANCELLED: Final = 0.02
_TOUCHED: Final = 0.2
_UNLINKED: Final = 0.005
_FREE_POSTAGE: Final = 40.0
_OPEN_STATES: Final = (73, 4, 2, 1, 10, 10)
_HOUR_WEIGHTS: Final = (1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 12, 11, 10, 9, 9, 10, 12, 14, 15, 12, 7, 3)
_MICROSECONDS: Final = (0, 0, 0, 100_000, 330_000, 123_000, 123_456, 7)


@dataclass(slots=True)
class Head:
    """What is known of every order without building it. `index` is -1 for orders that were not seeded."""

    index: int
    id: str
    number: int
    received: datetime
    updated: datetime
    paid: datetime | None = None
    processed: datetime | None = None
    cancelled: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the order is still among the open ones."""
        return self.processed is None


@dataclass(slots=True)
class Line:
    """One line. `item` is the stock item's index, None for a service or an unlinked line."""

    row_id: str
    item: int | None
    sku: str
    title: str
    channel_sku: str
    channel_title: str
    quantity: int
    price: float
    tax_rate: float
    tax_inclusive: bool = True
    discount: float = 0.0
    service: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)
    unit_cost: float = 0.0
    weight: float = 0.0

    def amounts(self) -> tuple[float, float]:
        """Return the line's total without and with tax."""
        gross = self.price * self.quantity * (1 - self.discount / 100)
        factor = 1 + self.tax_rate / 100
        net, total = (gross / factor, gross) if self.tax_inclusive else (gross, gross * factor)
        return round(net, 4), round(total, 4)


@dataclass(slots=True)
class Order:
    """An order in full. `version` counts its changes."""

    head: Head
    source: str
    sub_source: str
    site: str
    reference: str
    secondary_reference: str
    external_reference: str
    buyer: str
    address: dict[str, Any]
    billing: dict[str, Any]
    currency: str
    rate: float
    country_tax: float
    lines: list[Line]
    status: int
    location: str
    postal: int
    postage: float
    postage_tax_rate: float
    despatch_by: datetime
    payment: int = 2
    discount: float = 0.0
    parked: bool = False
    locked: bool = False
    tag: int | None = None
    hold: bool = False
    label_printed: bool = False
    invoice_printed: bool = False
    pick_list_printed: bool = False
    tracking: str = ""
    folders: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    properties: list[dict[str, Any]] = field(default_factory=list)
    identifiers: list[int] = field(default_factory=list)
    tax_number: str = ""
    manual_weight: float | None = None
    manual_adjust: bool = False
    updated_details: datetime | None = None
    version: int = 0

    @property
    def weight(self) -> float:
        """Total weight in kilograms of what is sent."""
        if self.manual_weight is not None:
            return self.manual_weight
        return round(sum(line.weight * line.quantity for line in self.lines), 3)

    def totals(self) -> dict[str, float]:
        """Return subtotal, postage (with and without tax), tax, total and discount, in the order's currency."""
        net = sum(line.amounts()[0] for line in self.lines)
        total = sum(line.amounts()[1] for line in self.lines)
        postage_net = self.postage / (1 + self.postage_tax_rate / 100)
        return {
            "subtotal": round(net, 2),
            "postage": round(self.postage, 2),
            "postage_net": round(postage_net, 4),
            "tax": round(total - net + self.postage - postage_net, 2),
            "total": round(total + self.postage - self.discount, 2),
            "discount": round(self.discount, 2),
        }


def build_heads(count: int, processed_share: float, seed: int, now: datetime) -> list[Head]:
    """Build the heads of `count` orders, oldest first; most of the open ones are among the newest."""
    rng = generator(f"{seed}:heads")
    received = sorted(_received(rng, now) for _ in range(count))
    still_open = _choose_open(count, count - round(count * processed_share), rng)
    heads = []
    for index, when in enumerate(received):
        paid = None if chance(rng, 0.02) else when + timedelta(minutes=rng.choice((0, 0, 0, 1, 7, 90)))
        head = Head(index, guid(seed, "order", index), FIRST_NUMBER + index, when, updated=paid or when, paid=paid)
        if index not in still_open:
            head.paid = head.paid or when
            head.processed = _at(
                min(when + timedelta(hours=rng.lognormvariate(2.8, 0.7)), now - timedelta(minutes=1)), rng
            )
            head.processed = max(head.processed, head.paid)
            head.updated = head.processed
            if chance(rng, _CANCELLED):
                head.cancelled = head.processed
        elif chance(rng, _TOUCHED):
            head.updated = _at(min(head.updated + timedelta(hours=rng.uniform(0.2, 30)), now), rng)
        heads.append(head)
    return heads


def _received(rng: random.Random, now: datetime) -> datetime:
    days = int(SPAN.days * (1 - rng.random() ** 0.85))
    start = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    hour = rng.choices(range(24), _HOUR_WEIGHTS)[0]
    when = start + timedelta(hours=hour, seconds=rng.randrange(3600))
    return _at(when if when < now else now - timedelta(seconds=rng.randrange(1, 80_000)), rng)


def _at(when: datetime, rng: random.Random) -> datetime:
    return when.replace(microsecond=rng.choice(_MICROSECONDS))


def _choose_open(count: int, wanted: int, rng: random.Random) -> set[int]:
    """Choose which orders are open: nearly all from the newest, a few stragglers from before."""
    stragglers = min(wanted // 20, count)
    recent = min(count, max(wanted, round(wanted * 1.25)))
    chosen = set(rng.sample(range(count - recent, count), wanted - stragglers))
    older = list(range(count - recent)) or [index for index in range(count) if index not in chosen]
    chosen.update(rng.sample(older, min(stragglers, len(older))))
    return chosen


class OrderBuilder:
    """Builds seeded orders: the same head gives the same order."""

    def __init__(self, items: Sequence[Item], seed: int, now: datetime) -> None:
        self._items = items
        self._seed = seed
        self._now = now
        self._sellable = [item.index for item in items if not (item.variation_parent or item.archived)] or [0]
        self._weights = [channel.weight for channel in ref.CHANNELS]

    def build(self, head: Head) -> Order:
        """Build the order of `head`."""
        rng = generator(self._seed * 1_000_003 + head.number)
        channel = rng.choices(ref.CHANNELS, self._weights)[0]
        codes, weights = zip(*channel.countries, strict=True)
        country = ref.COUNTRIES[rng.choices(codes, weights)[0]]
        address = self._address(rng, country)
        lines = self._lines(rng, head, channel, country)
        postal = rng.choice((1, 1, 2, 3, 4)) if country.code == "GB" else rng.choice((5, 6))
        free = sum(line.price * line.quantity for line in lines) * country.rate > _FREE_POSTAGE and country.code == "GB"
        postage = 0.0 if free else round(ref.POSTAL_SERVICES[postal].price * (1 + country.tax / 100) / country.rate, 2)
        location = rng.choices(ref.LOCATIONS[:3], (70, 20, 10))[0].id
        order = Order(
            head=head,
            source=channel.source,
            sub_source=channel.sub_source,
            site=channel.site,
            reference=channel.reference.format(a=rng.randrange(1, 100), b=rng.randrange(10**5), c=head.number),
            secondary_reference=f"{rng.randrange(10**9):09d}" if channel.source == "EBAY" else "",
            external_reference=f"{channel.source[:2]}{head.number}" if channel.source in ("SHOPIFY", "AMAZON") else "",
            buyer=f"{address['FullName'].lower().replace(' ', '_')[:12]}{head.number % 97}",
            address=address,
            billing=self._address(rng, country) if chance(rng, 0.12) else dict(address),
            currency=country.currency,
            rate=country.rate,
            country_tax=country.tax,
            lines=lines,
            status=PAID if head.paid else UNPAID,
            location=location,
            postal=postal,
            postage=postage,
            postage_tax_rate=country.tax,
            despatch_by=(head.received + timedelta(days=rng.choice((1, 2, 3)))).replace(microsecond=0),
            payment={"AMAZON": 3, "EBAY": 1, "DIRECT": 4}.get(channel.source, 2),
        )
        self._decorate(order, rng)
        return order

    def _decorate(self, order: Order, rng: random.Random) -> None:
        head = order.head
        if head.is_open:
            state = rng.choices(("", "parked", "locked", "hold", "printed", "tagged"), _OPEN_STATES)[0]
            order.parked, order.locked, order.hold = state == "parked", state == "locked", state == "hold"
            order.label_printed = order.invoice_printed = state == "printed"
            order.tag = rng.randint(1, 6) if state == "tagged" else None
        else:
            order.label_printed = order.invoice_printed = order.pick_list_printed = True
            order.tracking = f"{'JD' if ref.POSTAL_SERVICES[order.postal].abroad else 'TT'}{rng.randrange(10**9):09d}GB"
        if chance(rng, 0.07):
            order.folders = [rng.choice(ref.FOLDERS)]
        if chance(rng, 0.12):
            order.notes = [note(order, rng.choice(ref.NOTES), head.received, "Shop Keeper", internal=chance(rng, 0.6))]
        if chance(rng, 0.3):
            order.properties = [prop(order, "gift_message", rng.choice(("", "Happy birthday!", "With love")), "Order")]
        if order.source == "AMAZON" and chance(rng, 0.3):
            order.identifiers = [1]

    def _address(self, rng: random.Random, country: ref.Country) -> dict[str, Any]:
        first, last = rng.choice(ref.FIRST_NAMES), rng.choice(ref.LAST_NAMES)
        town, region, code = rng.choice(country.places)
        mailbox = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii() and letter not in " '")
        return {
            "EmailAddress": f"{mailbox}{rng.randrange(1000)}@example.com",
            "Address1": f"{rng.randrange(1, 240)} {rng.choice(ref.STREETS)}",
            "Address2": f"Flat {rng.randrange(1, 40)}" if chance(rng, 0.2) else "",
            "Address3": "",
            "Town": town,
            "Region": region,
            "PostCode": code.format(d=rng.randrange(1, 10), e=rng.randrange(1, 10)),
            "Country": country.name,
            "Continent": country.continent,
            "FullName": f"{first} {last}",
            "Company": rng.choice(ref.COMPANIES),
            "PhoneNumber": country.phone.format(n=rng.randrange(1000)),
            "CountryId": country.id,
        }

    def _lines(self, rng: random.Random, head: Head, channel: ref.Channel, country: ref.Country) -> list[Line]:
        lines: list[Line] = []
        taken: set[int] = set()
        for place in range(rng.choices((1, 2, 3, 4, 6), (70, 18, 7, 4, 1))[0]):
            item = self._items[self._sellable[int(len(self._sellable) * rng.random() ** 1.8)]]
            if item.index in taken:
                continue
            taken.add(item.index)
            tax = country.tax if item.tax_rate < 0 else min(item.tax_rate, country.tax)
            unlinked = chance(rng, _UNLINKED)
            lines.append(
                Line(
                    row_id=guid(head.id, "line", place),
                    item=None if unlinked else item.index,
                    sku="" if unlinked else item.sku,
                    title=item.title,
                    channel_sku=channel_sku(item, channel),
                    channel_title=item.title if channel.source != "EBAY" else f"{item.title} *FREE P&P*",
                    quantity=rng.choices((1, 2, 3, 6, 12), (80, 12, 4, 3, 1))[0],
                    price=round(item.retail_price * channel.fee / country.rate, 2),
                    tax_rate=tax,
                    tax_inclusive=country.code != "US",
                    discount=rng.choice((0.0,) * 12 + (10.0, 20.0)),
                    unit_cost=item.purchase_price,
                    weight=item.weight,
                )
            )
        return lines


def seeded_drafts(items: Sequence[Item], seed: int, now: datetime) -> dict[str, Order]:
    """Return the drafts that the shop starts with: unpaid orders that nobody has saved yet."""
    builder = OrderBuilder(items, seed + 2, now)
    heads = (
        Head(-1, guid(seed, "draft", place), place, received := now - timedelta(hours=place), received)
        for place in range(1, _DRAFTS + 1)
    )
    return {head.id: builder.build(head) for head in heads}


def channel_sku(item: Item, channel: ref.Channel) -> str:
    """Return the SKU under which an item is listed on a channel."""
    return f"{item.sku}{FBA_SUFFIX}" if channel.sub_source == "Amazon US" else item.sku


def note(order: Order, text: str, when: datetime, who: str, *, internal: bool) -> dict[str, Any]:
    """Make a note of an order, with its time still a datetime."""
    return {
        "OrderNoteId": guid(order.head.id, "note", len(order.notes), text, when),
        "OrderId": order.head.id,
        "NoteDate": when,
        "Internal": internal,
        "Note": text,
        "CreatedBy": who,
        "NoteTypeId": 0,
    }


def prop(order: Order, name: str, value: str, kind: str) -> dict[str, Any]:
    """Make an extended property of an order."""
    row = guid(order.head.id, "property", name, len(order.properties))
    return {"RowId": row, "Name": name, "Value": value, "Type": kind}
