"""GET /v2/orders: open and processed orders by last update, with a cursor."""

from datetime import UTC, datetime
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import unique
from linnworks_connector.sandbox.shop.ids import guid, read_moment
from linnworks_connector.sandbox.shop.orders import PAID, Head
from linnworks_connector.sandbox.views import v2_orders as view

PAGE: Final = 200
"""Most orders of one page, and how many there are when none are asked for."""


def get_orders(call: Call) -> Answer:
    """List orders updated since `fromDate`, oldest update first; `NextSearchToken` is null on the last page.

    An order that changes while a client pages moves towards the end, so that it is seen again and none is missed.
    """
    ids = call.rows("id")
    if ids:
        found = [head for key in unique(ids) if (head := call.shop.orders.heads.get(key)) is not None]
        return value(_page(call, found, total=len(found), token=None))
    search = _search(call)
    after = search["after"]
    size = min(max(search["size"], 1), PAGE)
    page: list[Head] = []
    more = False
    for head in call.shop.orders.updated.after(after):
        if not _passes(call, head, search):
            continue
        if len(page) == size:
            more = True
            break
        page.append(head)
    token = None
    if more:
        last = page[-1]
        token = guid("search", call.shop.seed, len(call.shop.searches), last.id, last.updated)
        call.shop.searches[token] = {**search, "after": (last.updated, last.number)}
    return value(_page(call, page, total=search["total"], token=token))


def _search(call: Call) -> dict[str, Any]:
    token = call.text("searchToken")
    if token:
        known: dict[str, Any] | None = call.shop.searches.get(token)
        return known if known is not None else refuse("The search token is unknown.", 404)
    start = read_moment(call.args.get("fromDate")) or datetime(1, 1, 1, tzinfo=UTC)
    search: dict[str, Any] = {
        "after": (start, -1),
        "size": call.number("entriesPerPage", PAGE),
        "processed": call.flag("includeProcessed"),
        "paid": call.flag("onlyPaid"),
        "location": call.args.get("locationId"),
    }
    search["total"] = sum(1 for head in call.shop.orders.updated.after(search["after"]) if _passes(call, head, search))
    return search


def _passes(call: Call, head: Head, search: dict[str, Any]) -> bool:
    if not search["processed"] and not head.is_open:
        return False
    if not search["paid"] and search["location"] is None:
        return True
    order = call.shop.orders.read(head)
    return (not search["paid"] or order.status == PAID) and search["location"] in (None, order.location)


def _page(call: Call, heads: list[Head], *, total: int, token: str | None) -> dict[str, Any]:
    rows = [(head, view.order_row_encoded(call.shop, call.shop.orders.read(head))) for head in heads]
    return {
        "TotalOrders": total,
        "NextSearchToken": token,
        "OpenOrders": [row for head, row in rows if head.is_open],
        "ProcessedOrders": [row for head, row in rows if not head.is_open],
    }


def _status(call: Call, key: str) -> dict[str, str]:
    return {"OrderId": key, "FulfillmentStatus": call.shop.fulfilment.get(key, "Unassigned")}


def get_fulfilment_statuses(call: Call) -> Answer:
    """List the fulfilment status of open orders."""
    ids = call.rows("id") or list(call.shop.orders.open)
    wanted, where = call.args.get("fulfillmentStatus"), call.args.get("locationId")
    found = [order for key in unique(ids) if (order := call.shop.orders.find(key)) is not None]
    rows = [_status(call, order.head.id) for order in found if where in (None, order.location)]
    return value([row for row in rows if wanted in (None, row["FulfillmentStatus"])])


def get_fulfilment_status(call: Call) -> Answer:
    """Show the fulfilment status of one order."""
    key = call.text("orderId")
    return value(_status(call, key)) if key in call.shop.orders.heads else refuse("The order was not found.", 404)


def set_fulfilment_status(call: Call) -> Answer:
    """Set the fulfilment status of one order."""
    key = call.text("orderId")
    if key not in call.shop.orders.heads:
        refuse("The order was not found.", 404)
    call.shop.fulfilment[key] = call.text("FulfillmentStatus", "Unassigned")
    return value(_status(call, key))


def set_fulfilment_statuses(call: Call) -> Answer:
    """Set the fulfilment status of orders, one result each."""
    results = []
    for row in call.rows(""):
        key, known = str(row.get("OrderId")), str(row.get("OrderId")) in call.shop.orders.heads
        if known:
            call.shop.fulfilment[key] = str(row.get("FulfillmentStatus") or "Unassigned")
        results.append(
            {
                "Result": _status(call, key) if known else None,
                "ResultStatus": "SUCCESSFUL" if known else "FAILED",
                "Message": None if known else "The order was not found.",
            }
        )
    failed = sum(1 for row in results if row["ResultStatus"] == "FAILED")
    state = "SUCCESSFUL" if not failed else "FAILED" if failed == len(results) else "PARTIALLY_SUCCESSFUL"
    return value({"Results": results, "TotalResults": len(results), "ResultStatus": state})


HANDLERS: Final[dict[str, Handler]] = {
    "orders-v2.GetOrders": get_orders,
    "orders-v2.GetFulfillmentStatuses": get_fulfilment_statuses,
    "orders-v2.GetFulfillmentStatus": get_fulfilment_status,
    "orders-v2.UpdateFulfillmentStatus": set_fulfilment_status,
    "orders-v2.UpdateFulfillmentStatuses": set_fulfilment_statuses,
}
