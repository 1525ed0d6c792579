"""CreateOrders, with the rules that cost its users most time.

An order is known by (Source, SubSource, ReferenceNumber). Sent again while unpaid it is saved again under the same id;
once paid it is skipped, so that the answer is `[]`. The same SKU on two lines is refused. The address is read from
`DeliveryAddress` alone. Lines are linked by StockItemId, by channel SKU, or by SKU under AutomaticallyLinkBySKU.
"""

from datetime import timedelta
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid, read_moment
from linnworks_connector.sandbox.shop.items import TAX_OF_COUNTRY, Item
from linnworks_connector.sandbox.shop.orders import PAID, UNPAID, Head, Line, Order, note, prop

Sent = dict[str, Any]

DIRECT: Final = "DIRECT"
"""Orders of this source arrive parked."""

_ADDRESS_FIELDS: Final = (
    "EmailAddress",
    "Address1",
    "Address2",
    "Address3",
    "Town",
    "Region",
    "PostCode",
    "Country",
    "FullName",
    "Company",
    "PhoneNumber",
)


def create_orders(call: Call) -> Answer:
    """Save orders and answer the ids of those that were saved."""
    location = _location(call.shop, call.text("location"))
    sent = call.rows("orders")
    for order in sent:
        _check(order)
    saved = (_save(call.shop, order, location) for order in sent)
    return value([key for key in saved if key is not None])


def _location(shop: Shop, named: str) -> str:
    if not named:
        return ZERO_GUID
    for location in shop.locations.values():
        if named.lower() in (location.id, location.name.lower()):
            return location.id
    return refuse(f"Location {named} was not found.")


def _check(sent: Sent) -> None:
    if not sent.get("ReferenceNumber"):
        refuse("ReferenceNumber is required.")
    seen: set[str] = set()
    for line in sent.get("OrderItems") or []:
        sku = str(line.get("ChannelSKU") or line.get("ItemNumber") or "").lower()
        if sku and sku in seen:
            refuse(f"Order {sent['ReferenceNumber']} has the SKU {sku} on more than one line.")
        seen.add(sku)


def _save(shop: Shop, sent: Sent, location: str) -> str | None:
    book = shop.orders
    key = (str(sent.get("Source") or ""), str(sent.get("SubSource") or ""), str(sent["ReferenceNumber"]))
    known = book.find(book.by_reference(key))
    if known is None:
        order = _build(shop, sent, key, location)
        book.add(order)
        return order.head.id
    if known.status == PAID or not known.head.is_open:
        return None
    order = _build(shop, sent, key, location, known=known.head)
    book.replace(order)
    return order.head.id


def _build(shop: Shop, sent: Sent, key: tuple[str, str, str], location: str, known: Head | None = None) -> Order:
    now = shop.now()
    address = _address(sent.get("DeliveryAddress") or {})
    country = _country(address)
    paid = sent.get("PaymentStatus") == "Paid"
    head = known or _head(shop, sent, key)
    head.paid = (read_moment(sent.get("PaidOn")) or now) if paid else None
    order = Order(
        head=head,
        source=key[0],
        sub_source=key[1],
        site=str(sent.get("Site") or ""),
        reference=key[2],
        secondary_reference=str(sent.get("SecondaryReferenceNumber") or ""),
        external_reference=str(sent.get("ExternalReference") or ""),
        buyer=str(sent.get("ChannelBuyerName") or ""),
        address=address,
        billing=_address(sent.get("BillingAddress") or sent.get("DeliveryAddress") or {}),
        currency=str(sent.get("Currency") or country.currency),
        rate=float(sent.get("ConversionRate") or 1.0),
        country_tax=country.tax,
        lines=[_line(shop, sent, row, head.id, place) for place, row in enumerate(sent.get("OrderItems") or [])],
        status=PAID if paid else UNPAID,
        location=location,
        postal=_postal(str(sent.get("PostalServiceName") or "")),
        postage=float(sent.get("PostalServiceCost") or 0.0),
        postage_tax_rate=float(sent.get("PostalServiceTaxRate") or 0.0),
        despatch_by=read_moment(sent.get("DispatchBy")) or now + timedelta(days=1),
        discount=float(sent.get("Discount") or 0.0),
        parked=key[0].upper() == DIRECT or sent.get("OrderState") == "Park",
        hold=sent.get("OrderState") == "Hold",
        tax_number=str(sent.get("BuyerTaxNumber") or ""),
    )
    for line, row in zip(order.lines, sent.get("OrderItems") or [], strict=True):
        _set_tax(shop, order, line, row, use_channel=bool(sent.get("UseChannelTax") or row.get("UseChannelTax")))
    _attach(order, sent, shop)
    return order


def _head(shop: Shop, sent: Sent, key: tuple[str, str, str]) -> Head:
    order_id = str(sent.get("pkOrderId") or guid(shop.seed, "created", *key)).lower()
    if order_id in shop.orders.heads:
        refuse(f"An order with the pkOrderId {order_id} exists.")
    now = shop.now()
    return Head(-1, order_id, shop.orders.next_number(), read_moment(sent.get("ReceivedDate")) or now, now)


def _attach(order: Order, sent: Sent, shop: Shop) -> None:
    for row in sent.get("Notes") or []:
        when = read_moment(row.get("NoteEntryDate")) or shop.now()
        who = str(row.get("NoteUserName") or "")
        order.notes.append(note(order, str(row.get("Note") or ""), when, who, internal=bool(row.get("Internal"))))
    for row in sent.get("ExtendedProperties") or []:
        texts = (str(row.get(name) or "") for name in ("Name", "Value", "Type"))
        order.properties.append(prop(order, *texts))
    tags = {str(tag).upper() for tag in sent.get("OrderIdentifierTags") or []}
    order.identifiers = [number for number, tag, _, _ in ref.IDENTIFIERS if tag in tags]


def _line(shop: Shop, sent: Sent, row: Sent, order_id: str, place: int) -> Line:
    item = _linked(shop, sent, row)
    return Line(
        row_id=guid(order_id, "line", place),
        item=None if item is None else item.index,
        sku="" if item is None else item.sku,
        title=item.title if item else str(row.get("ItemTitle") or ""),
        channel_sku=str(row.get("ChannelSKU") or ""),
        channel_title=str(row.get("ItemTitle") or ""),
        quantity=int(row.get("Qty") or 0),
        price=float(row.get("PricePerUnit") or 0.0),
        tax_rate=float(row.get("TaxRate") or 0.0),
        tax_inclusive=bool(row.get("TaxCostInclusive")),
        discount=float(row.get("LineDiscount") or 0.0),
        service=bool(row.get("IsService")),
        options=[(str(option.get("Property")), str(option.get("Value"))) for option in row.get("Options") or []],
        unit_cost=item.purchase_price if item else 0.0,
        weight=item.weight if item else 0.0,
    )


def _linked(shop: Shop, sent: Sent, row: Sent) -> Item | None:
    if row.get("IsService"):
        return None
    by_id = shop.stock.find(str(row.get("StockItemId") or ""))
    if by_id is not None:
        return by_id
    channel = str(row.get("ChannelSKU") or "")
    listed = shop.stock.find_channel_sku(str(sent.get("Source") or ""), str(sent.get("SubSource") or ""), channel)
    if listed is not None:
        return listed
    if sent.get("AutomaticallyLinkBySKU"):
        return shop.stock.find_sku(channel) or shop.stock.find_sku(str(row.get("ItemNumber") or ""))
    return None


def _set_tax(shop: Shop, order: Order, line: Line, row: Sent, *, use_channel: bool) -> None:
    """Without channel tax the rate is the item's, or the country's where the item leaves it to that."""
    if use_channel and row.get("TaxRate") is not None:
        return
    rate = order.country_tax if line.item is None else shop.stock.items[line.item].tax_rate
    line.tax_rate = order.country_tax if rate == TAX_OF_COUNTRY else rate


def _address(sent: Sent) -> dict[str, Any]:
    address = {name: str(sent.get(name) or "") for name in _ADDRESS_FIELDS}
    code, name = str(sent.get("MatchCountryCode") or ""), str(sent.get("MatchCountryName") or address["Country"])
    found = next(
        (land for land in ref.COUNTRIES.values() if land.code == code or land.name.lower() == name.lower()), None
    )
    address["Country"] = found.name if found else name
    return {
        **address,
        "Continent": found.continent if found else "",
        "CountryId": found.id if found else ZERO_GUID,
    }


def _country(address: dict[str, Any]) -> ref.Country:
    named = (land for land in ref.COUNTRIES.values() if land.name == address["Country"])
    return next(named, ref.COUNTRIES["GB"])


def _postal(name: str) -> int:
    places = (place for place, service in enumerate(ref.POSTAL_SERVICES) if service.name.lower() == name.lower())
    return next(places, 0)


HANDLERS: Final[dict[str, Handler]] = {"orders.CreateOrders": create_orders}
