"""What hangs on an order: notes, extended properties, lines, shipping, customer, totals."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.order_state import open_order
from linnworks_connector.sandbox.paging import unique
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid, read_moment
from linnworks_connector.sandbox.shop.orders import Line, Order, note, prop
from linnworks_connector.sandbox.views import orders as view

SERIALS_BATCH: Final = 25
"""Most orders that GetOrderItemRowSerialValuesByOrderIds takes."""
_ADDRESS_KEYS: Final = ("Address", "BillingAddress")


def _any_order(call: Call, name: str = "orderId") -> Order:
    order = call.shop.orders.edit(call.text(name))
    if order is None:
        refuse(f"There is no order {call.text(name)}.")
    return order


def get_notes(call: Call) -> Answer:
    """List an order's notes."""
    order = call.shop.orders.find(call.text("orderId"))
    return value([] if order is None else view.notes(order))


def get_notes_of_many(call: Call) -> Answer:
    """List the notes of orders, by id."""
    found = (call.shop.orders.find(key) for key in unique(call.rows("orderIds")))
    return value({order.head.id: view.notes(order) for order in found if order is not None})


def set_notes(call: Call) -> Answer:
    """Replace an order's notes."""
    order = _any_order(call)
    order.notes = []
    for row in call.rows("orderNotes"):
        when = read_moment(row.get("NoteDate")) or call.shop.now()
        made = note(
            order, str(row.get("Note") or ""), when, str(row.get("CreatedBy") or ""), internal=bool(row.get("Internal"))
        )
        order.notes.append({**made, "OrderNoteId": row.get("OrderNoteId") or made["OrderNoteId"]})
    call.shop.orders.touch(order)
    return nothing()


def add_note_to_many(call: Call) -> Answer:
    """Add one note to orders."""
    added = []
    for key in unique(call.rows("OrderIds")):
        order = call.shop.orders.edit(key)
        if order is None:
            continue
        made = note(order, call.text("NoteText"), call.shop.now(), "Sandbox", internal=call.flag("IsInternal"))
        order.notes.append(made)
        call.shop.orders.touch(order)
        added.append(view.notes(order)[-1])
    return value({"OrderNotes": added})


def get_properties(call: Call) -> Answer:
    """List an order's extended properties."""
    order = call.shop.orders.find(call.text("orderId"))
    return value([] if order is None else order.properties)


def set_properties(call: Call) -> Answer:
    """Replace an order's extended properties."""
    order = _any_order(call)
    order.properties = []
    for row in call.rows("extendedProperties"):
        made = prop(order, *(str(row.get(name) or "") for name in ("Name", "Value", "Type")))
        order.properties.append({**made, "RowId": row.get("RowId") or made["RowId"]})
    call.shop.orders.touch(order)
    return value(order.properties)


def add_properties(call: Call) -> Answer:
    """Add extended properties to an order."""
    order = _any_order(call, "OrderId")
    rows = call.rows("ExtendedProperties")
    for row in rows:
        made = prop(order, *(str(row.get(name) or "") for name in ("Name", "Value", "Type")))
        order.properties = [*order.properties, made]
    call.shop.orders.touch(order)
    return value({"ExtendedPropertiesInserted": len(rows), "Errors": []})


def set_shipping_info(call: Call) -> Answer:
    """Change postal service, postage, weight and tracking number of an open order."""
    order, info = open_order(call), call.record("info")
    service = info.get("PostalServiceId")
    if service is not None:
        places = (place for place, known in enumerate(ref.POSTAL_SERVICES) if known.id == service)
        found = next(places, None)
        if found is None:
            refuse(f"Postal service {service} was not found.")
        order.postal = found
    if info.get("TrackingNumber") is not None:
        order.tracking = str(info["TrackingNumber"])
    if info.get("PostageCost") is not None:
        order.postage = float(info["PostageCost"])
    if info.get("TotalWeight") is not None:
        order.manual_weight = float(info["TotalWeight"])
    if info.get("ManualAdjust") is not None:
        order.manual_adjust = bool(info["ManualAdjust"])
    call.shop.orders.touch(order)
    call.shop.journal.record("order.shipping", order.head.id)
    return value({"TotalsInfo": view.totals_info(order), "ShippingInfo": view.shipping_info(order)})


def set_customer_info(call: Call) -> Answer:
    """Replace the addresses of an open order."""
    order, info = open_order(call), call.record("info")
    if info.get("ChannelBuyerName") is not None:
        order.buyer = str(info["ChannelBuyerName"])
    for key, name in zip(_ADDRESS_KEYS, ("address", "billing"), strict=True):
        if isinstance(info.get(key), dict):
            setattr(order, name, {**dict.fromkeys(order.address, ""), **info[key]})
    call.shop.orders.touch(order)
    return value(view.totals_info(order))


def update_billing_address(call: Call) -> Answer:
    """Replace the billing address of an order."""
    order = _any_order(call)
    order.billing = {**dict.fromkeys(order.billing, ""), **call.record("billingAddress")}
    call.shop.orders.touch(order)
    return nothing()


def set_totals_info(call: Call) -> Answer:
    """Change postage, discount and currency of an open order; the totals follow from its lines."""
    order, info = open_order(call), call.record("info")
    for key, name in (("PostageCost", "postage"), ("TotalDiscount", "discount"), ("ConversionRate", "rate")):
        if info.get(key) is not None:
            setattr(order, name, float(info[key]))
    order.currency = str(info.get("Currency") or order.currency)
    call.shop.orders.touch(order)
    return nothing()


def set_general_info(call: Call) -> Answer:
    """Change references, source and dates of an open order."""
    order, info = open_order(call), call.record("info")
    names = {
        "ReferenceNum": "reference",
        "SecondaryReference": "secondary_reference",
        "ExternalReferenceNum": "external_reference",
        "Source": "source",
        "SubSource": "sub_source",
        "SiteCode": "site",
    }
    for key, name in names.items():
        if info.get(key) is not None:
            setattr(order, name, str(info[key]))
    order.despatch_by = read_moment(info.get("DespatchByDate")) or order.despatch_by
    call.shop.orders.touch(order)
    return nothing()


def get_items(call: Call) -> Answer:
    """List an order's lines."""
    order = call.shop.orders.find(call.text("orderId"))
    return value([] if order is None else [view.line_item(call.shop, order, line) for line in order.lines])


def _line_answer(call: Call, order: Order, line: Line) -> Answer:
    return value(
        {
            "TotalsInfo": view.totals_info(order),
            "Item": view.line_item(call.shop, order, line),
            "ItemWeight": round(line.weight * line.quantity, 3),
            "TotalWeight": order.weight,
        }
    )


def add_item(call: Call) -> Answer:
    """Add a line for a stock item to an open order."""
    order, item = open_order(call), call.shop.stock.find(call.text("itemId"))
    if item is None:
        refuse(f"There is no stock item {call.text('itemId')}.")
    pricing = call.record("linePricing")
    line = Line(
        row_id=guid(order.head.id, "line", len(order.lines), order.version),
        item=item.index,
        sku=item.sku,
        title=item.title,
        channel_sku=call.text("channelSKU"),
        channel_title="",
        quantity=call.number("quantity", 1),
        price=float(pricing.get("PricePerUnit") or 0.0),
        tax_rate=float(pricing.get("TaxRatePercentage") or 0.0),
        tax_inclusive=bool(pricing.get("TaxInclusive")),
        discount=float(pricing.get("DiscountPercentage") or 0.0),
        unit_cost=item.purchase_price,
        weight=item.weight,
    )
    call.shop.orders.resize(order, lambda changed: changed.lines.append(line))
    return _line_answer(call, order, line)


def _line_of(order: Order, row_id: Any) -> Line:
    for line in order.lines:
        if line.row_id == row_id:
            return line
    return refuse(f"The order has no line {row_id}.")


def update_item(call: Call) -> Answer:
    """Change quantity, price, discount and tax of a line."""
    order, sent = open_order(call), call.record("orderItem")
    line = _line_of(order, sent.get("RowId"))

    def change(_: Order) -> None:
        line.quantity = int(sent.get("Quantity") or line.quantity)
        for key, name in (("PricePerUnit", "price"), ("Discount", "discount"), ("TaxRate", "tax_rate")):
            if sent.get(key) is not None:
                setattr(line, name, float(sent[key]))

    call.shop.orders.resize(order, change)
    return _line_answer(call, order, line)


def remove_item(call: Call) -> Answer:
    """Remove a line."""
    order = open_order(call)
    line = _line_of(order, call.args.get("rowid"))
    call.shop.orders.resize(order, lambda changed: changed.lines.remove(line))
    return _line_answer(call, order, line)


def get_serials(call: Call) -> Answer:
    """List the serial numbers of orders, 25 orders at most; this shop tracks none."""
    ids = unique(call.rows("OrderIds"))
    if len(ids) > SERIALS_BATCH:
        refuse(f"At most {SERIALS_BATCH} orders can be asked for at once.")
    return value({"OrderItemRowSerialValuesByOrderIds": {key: [] for key in ids}})


HANDLERS: Final[dict[str, Handler]] = {
    "orders.GetOrderNotes": get_notes,
    "orders.GetOrdersNotes": get_notes_of_many,
    "orders.SetOrderNotes": set_notes,
    "orders.AddOrdersNote": add_note_to_many,
    "orders.GetExtendedProperties": get_properties,
    "orders.SetExtendedProperties": set_properties,
    "orders.AddExtendedProperties": add_properties,
    "orders.SetOrderShippingInfo": set_shipping_info,
    "orders.SetOrderCustomerInfo": set_customer_info,
    "orders.UpdateBillingAddress": update_billing_address,
    "orders.SetOrderTotalsInfo": set_totals_info,
    "orders.SetOrderGeneralInfo": set_general_info,
    "orders.GetOrderItems": get_items,
    "orders.AddOrderItem": add_item,
    "orders.UpdateOrderItem": update_item,
    "orders.RemoveOrderItem": remove_item,
    "orders.GetOrderItemRowSerialValuesByOrderIds": get_serials,
}
