"""Reading orders: ids, pages and details of the open ones, and any order by id."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import paged, unique
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, read_moment
from linnworks_connector.sandbox.shop.orders import Order
from linnworks_connector.sandbox.views import orders as view

REFERENCES_PAGE: Final = 50
"""Most orders that GetOrderDetailsByReferenceId answers."""

_FIELDS: Final[dict[str, Callable[[Order], Any]]] = {
    "GENERAL_INFO_ORDER_ID": lambda order: order.head.number,
    "GENERAL_INFO_REFERENCE_NUMBER": lambda order: order.reference,
    "GENERAL_INFO_CHANNEL_REFERENCE_NUMBER": lambda order: order.secondary_reference,
    "GENERAL_INFO_EXTERNAL_REFERENCE_NUMBER": lambda order: order.external_reference,
    "GENERAL_INFO_DATE": lambda order: order.head.received,
    "GENERAL_INFO_SOURCE": lambda order: order.source,
    "GENERAL_INFO_SUBSOURCE": lambda order: order.sub_source,
    "GENERAL_INFO_STATUS": lambda order: order.status,
    "GENERAL_INFO_PARKED": lambda order: order.parked,
    "GENERAL_INFO_LOCKED": lambda order: order.locked,
    "GENERAL_INFO_LABEL_PRINTED": lambda order: order.label_printed,
    "GENERAL_INFO_INVOICE_PRINTED": lambda order: order.invoice_printed,
    "GENERAL_INFO_TAG": lambda order: order.tag or 0,
    "CUSTOMER_INFO_SHIPPING_ADDRESS_FULL_NAME": lambda order: order.address["FullName"],
    "SHIPPING_INFORMATION_SERVICE": lambda order: ref.POSTAL_SERVICES[order.postal].name,
}
_TEXT_TESTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "Equal": lambda have, want: have == want,
    "Contains": lambda have, want: want in have,
    "StartWith": lambda have, want: have.startswith(want),
    "EndsWith": lambda have, want: have.endswith(want),
}


def _selected(call: Call) -> list[Order]:
    """Return the open orders of a location that pass the filters, sorted as asked for. No location given is Default."""
    where = call.text("fulfilmentCenter", ZERO_GUID)
    book = call.shop.orders
    found = [order for head in book.open.values() if (order := book.read(head)).location == where]
    for test in _tests(call.record("filters")):
        found = [order for order in found if test(order)]
    needle = call.text("additionalFilter").lower()
    if needle:
        exact = call.flag("exactMatch")
        found = [order for order in found if _mentions(order, needle, exact=exact)]
    for sorting in reversed(call.rows("sorting")):
        read = _FIELDS.get(sorting.get("FieldCode") or "")
        if read is not None:
            found.sort(key=read, reverse=sorting.get("Direction") == "Descending")
    return found


def _mentions(order: Order, needle: str, *, exact: bool) -> bool:
    texts = (str(order.head.number), order.reference, order.external_reference, order.address["FullName"], order.buyer)
    return any(text.lower() == needle if exact else needle in text.lower() for text in texts)


def _tests(filters: dict[str, Any]) -> list[Callable[[Order], bool]]:
    tests: list[Callable[[Order], bool]] = []
    makers: dict[str, Callable[[Callable[[Order], Any], dict[str, Any]], Callable[[Order], bool]]] = {
        "TextFields": _text_test,
        "BooleanFields": lambda read, row: lambda order: bool(read(order)) == bool(row.get("Value")),
        "NumericFields": _number_test,
        "DateFields": _date_test,
        "ListFields": _list_test,
    }
    for kind, make in makers.items():
        for row in filters.get(kind) or []:
            read = _FIELDS.get(row.get("FieldCode") or "")
            if read is not None:
                tests.append(make(read, row))
    return tests


def _text_test(read: Callable[[Order], Any], row: dict[str, Any]) -> Callable[[Order], bool]:
    passes, want = _TEXT_TESTS[row.get("Type") or "Equal"], str(row.get("Text") or "").lower()
    return lambda order: passes(str(read(order)).lower(), want)


def _number_test(read: Callable[[Order], Any], row: dict[str, Any]) -> Callable[[Order], bool]:
    want = float(row.get("Value") or 0)
    match row.get("Type"):
        case "Greater":
            return lambda order: float(read(order)) > want
        case "Lower":
            return lambda order: float(read(order)) < want
        case _:
            return lambda order: float(read(order)) == want


def _date_test(read: Callable[[Order], Any], row: dict[str, Any]) -> Callable[[Order], bool]:
    start, end = read_moment(row.get("DateFrom")), read_moment(row.get("DateTo"))

    def inside(order: Order) -> bool:
        when: datetime = read(order)
        return (start is None or when >= start) and (end is None or when <= end)

    return inside


def _list_test(read: Callable[[Order], Any], row: dict[str, Any]) -> Callable[[Order], bool]:
    want, negated = str(row.get("Value") or "").lower(), row.get("Type") == "Not"
    return lambda order: (str(read(order)).lower() == want) != negated


def get_all_open_orders(call: Call) -> Answer:
    """List the ids of all open orders of a location at once."""
    return value([order.head.id for order in _selected(call)])


def get_all_open_orders_between_index(call: Call) -> Answer:
    """List the ids of the open orders from one place in the list to another."""
    start, end = call.number("indexFrom", 0), call.number("indexTo", 0)
    return value([order.head.id for order in _selected(call)][start : end + 1])


def get_open_orders(call: Call) -> Answer:
    """List open orders, a page at a time, with totals of zero: a quirk that live tenants show."""
    return value(
        paged(
            _selected(call),
            call.number("pageNumber", 1),
            call.number("entriesPerPage", 50),
            lambda order: view.open_order(call.shop, order, zero_totals=True),
        )
    )


def view_open_orders(call: Call) -> Answer:
    """List the open orders of a view and location, a page at a time."""
    book, where, only = call.shop.orders, call.text("LocationId", ZERO_GUID), set(call.rows("OrderIds"))
    found = [
        order
        for head in book.open.values()
        if (order := book.read(head)).location == where and (not only or head.id in only)
    ]
    page = paged(
        found,
        call.number("PageNumber", 1),
        call.number("EntriesPerPage", 50),
        lambda order: view.open_order(call.shop, order, zero_totals=True),
    )
    return value({"ResultCountRemovedByPostFilter": 0, **page})


def view_open_order_ids(call: Call) -> Answer:
    """List the ids of the open orders of a view and location, a page at a time."""
    book, where = call.shop.orders, call.text("LocationId", ZERO_GUID)
    found = [head.id for head in book.open.values() if book.read(head).location == where]
    page = paged(found, call.number("PageNumber", 1), call.number("EntriesPerPage", 50), lambda key: key)
    return value({"ResultCountRemovedByPostFilter": 0, **page})


def get_open_orders_details(call: Call) -> Answer:
    """Show open orders by id, with what the detail level asks for; processed and unknown ones are left out."""
    levels = set(call.rows("DetailLevel"))
    shown = []
    for key in unique(call.rows("OrderIds")):
        if key not in call.shop.orders.open:
            continue
        record = view.details(call.shop, call.shop.orders.read(call.shop.orders.open[key]))
        if "FOLDER" not in levels:
            record["FolderName"] = []
        if "NOTES" not in levels:
            record["Notes"] = []
        if "EXTENDEDPROPERTIES" not in levels:
            record["ExtendedProperties"] = []
        shown.append(record)
    return value({"Orders": shown})


def get_orders_by_id(call: Call) -> Answer:
    """Show orders by id, open, processed or drafts; unknown ids are left out."""
    shop = call.shop
    found = (shop.orders.find(key) or shop.drafts.get(key) for key in unique(call.rows("pkOrderIds")))
    return value([view.details_encoded(call.shop, order) for order in found if order is not None])


def get_order_by_id(call: Call) -> Answer:
    """Show one order in full; null when there is none."""
    order = call.shop.orders.find(call.text("pkOrderId"))
    return value(None if order is None else view.details(call.shop, order))


def get_order_details_by_number(call: Call) -> Answer:
    """Show one order by its number; an empty record when there is none."""
    head = call.shop.orders.by_number.get(call.number("OrderId", 0))
    if head is None:
        return value({"OrderId": ZERO_GUID, "NumOrderId": 0, "Processed": False, "Items": [], "Notes": []})
    return value(view.details(call.shop, call.shop.orders.read(head)))


def get_order_details_by_reference(call: Call) -> Answer:
    """Show the orders of a reference number, 50 at most."""
    want, book = call.text("ReferenceId"), call.shop.orders
    found = []
    for head in book.heads.values():
        order = book.read(head)
        if want and want in (order.reference, order.secondary_reference, order.external_reference):
            found.append(view.details(call.shop, order))
        if len(found) == REFERENCES_PAGE:
            break
    return value(found)


def get_orders(call: Call) -> Answer:
    """Show open orders by id in the shape of the open-order list, with items if they are asked for."""
    found = (call.shop.orders.open.get(key) for key in unique(call.rows("ordersIds")))
    items = call.flag("loadItems")
    return value(
        [view.open_order(call.shop, call.shop.orders.read(head), items=items) for head in found if head is not None]
    )


def get_order(call: Call) -> Answer:
    """Show one open order in the shape of the open-order list; null when there is none."""
    head = call.shop.orders.open.get(call.text("orderId"))
    if head is None:
        return value(None)
    return value(view.open_order(call.shop, call.shop.orders.read(head), items=call.flag("loadItems", default=True)))


HANDLERS: Final[dict[str, Handler]] = {
    "orders.GetAllOpenOrders": get_all_open_orders,
    "orders.GetAllOpenOrdersBetweenIndex": get_all_open_orders_between_index,
    "orders.GetOpenOrders": get_open_orders,
    "orders.GetOrdersById": get_orders_by_id,
    "orders.GetOrderById": get_order_by_id,
    "orders.GetOrders": get_orders,
    "orders.GetOrder": get_order,
    "orders.GetOrderDetailsByNumOrderId": get_order_details_by_number,
    "orders.GetOrderDetailsByReferenceId": get_order_details_by_reference,
    "openorders.GetOpenOrders": view_open_orders,
    "openorders.GetOpenOrderIds": view_open_order_ids,
    "openorders.GetOpenOrdersDetails": get_open_orders_details,
}
