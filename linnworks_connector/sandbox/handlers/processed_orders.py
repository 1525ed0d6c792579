"""Processed orders: searches by a window of time, and what hangs on a processed order."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import paged
from linnworks_connector.sandbox.shop.ids import read_moment
from linnworks_connector.sandbox.shop.orders import Head, Order
from linnworks_connector.sandbox.views import orders as view

SEARCH_PAGE: Final = 500
"""Most rows that a search answers at once, whatever is asked for."""
PAGED_REACH: Final = timedelta(days=92)
"""How far back the deprecated search looks: three months."""

_PAGED_DATES: Final = {
    "ALLDATES": "processed",
    "RECEIVED": "received",
    "PROCESSED": "processed",
    "PAYMENTRECEIVED": "payment",
    "CANCELLED": "cancelled",
}
_SORT_FIELDS: Final = {
    "dprocessedon": lambda head: (head.processed, head.number),
    "dreceiveddate": lambda head: (head.received, head.number),
    "norderid": lambda head: head.number,
}


def search_processed_orders(call: Call) -> Answer:
    """Search a window, both ends included, 500 rows a page at most; without dates a 400."""
    start, end = read_moment(call.args.get("FromDate")), read_moment(call.args.get("ToDate"))
    if start is None or end is None:
        refuse("FromDate and ToDate are required.")
    field = call.text("DateField", "processed")
    filters = [(row.get("SearchField"), str(row.get("SearchTerm") or "")) for row in call.rows("SearchFilters")]
    heads = _matching(call, call.shop.orders.closed_between(field, start, end), call.text("SearchTerm"), filters)
    sorting = call.record("SearchSorting")
    key = _SORT_FIELDS.get(str(sorting.get("SortField") or "").lower())
    if key is not None:
        heads.sort(key=key)
    if sorting.get("SortDirection") == "DESC":
        heads.reverse()
    size = min(max(call.number("ResultsPerPage", SEARCH_PAGE), 1), SEARCH_PAGE)
    return value({"ProcessedOrders": _page(call, heads, call.number("PageNumber", 1), size)})


def _page(call: Call, heads: list[Head], number: int, size: int) -> dict[str, Any]:
    book = call.shop.orders
    return paged(heads, number, size, lambda head: view.processed_row_encoded(call.shop, book.read(head)))


def _matching(call: Call, heads: Iterable[Head], term: str, filters: list[tuple[Any, str]]) -> list[Head]:
    if not term and not filters:
        return list(heads)
    book = call.shop.orders
    return [head for head in heads if _passes(book.read(head), term.lower(), filters)]


def _passes(order: Order, term: str, filters: list[tuple[Any, str]]) -> bool:
    texts = (
        str(order.head.number),
        order.reference,
        order.external_reference,
        order.tracking,
        order.address["FullName"],
    )
    if term and not any(term in text.lower() for text in texts):
        return False
    have: dict[Any, set[str]] = {
        "Source": {order.source},
        "SubSource": {order.sub_source},
        "ItemIdentifier": {line.sku for line in order.lines},
    }
    return all(wanted in have.get(field, set()) for field, wanted in filters)


def search_processed_orders_paged(call: Call) -> Answer:
    """Search as before, in the deprecated shape; it reaches back three months and no further."""
    floor = call.shop.clock.now() - PAGED_REACH
    start, end = read_moment(call.args.get("from")), read_moment(call.args.get("to"))
    if start is None or end is None:
        refuse("The from and to dates are required.")
    field = _PAGED_DATES[call.text("dateType", "PROCESSED")]
    heads = _matching(call, call.shop.orders.closed_between(field, max(start, floor), end), call.text("searchTerm"), [])
    size = min(max(call.number("numEntriesPerPage", 200), 1), SEARCH_PAGE)
    return value(_page(call, heads, call.number("pageNum", 1), size))


HANDLERS: Final[dict[str, Handler]] = {
    "processedorders.SearchProcessedOrders": search_processed_orders,
    "processedorders.SearchProcessedOrdersPaged": search_processed_orders_paged,
}
