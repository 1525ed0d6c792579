"""Returns and refunds of all orders: the search through their history, and the headers that group their lines."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.processed_parts import refunds_of, returns_of
from linnworks_connector.sandbox.paging import page_of, paged
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import NULL_DATE, ZERO_GUID, moment, read_moment
from linnworks_connector.sandbox.shop.orders import Order
from linnworks_connector.sandbox.views import orders as view

HEADERS_PAGE: Final = 50
"""How many headers a page has; the request cannot say."""
REACH: Final = timedelta(days=93)
"""The longest span of a search: three months."""
SEARCH_PAGE: Final = 200
"""Most rows that a search answers at once, whatever is asked for."""

_NOT_IN_HISTORY: Final = (
    "dReceivedDate", "timeDiff", "ProfitMargin", "nStatus", "BillingEmailAddress", "dCancelledOn", "PackageCategory",
    "PackageTitle", "ItemWeight", "TotalWeight", "FolderCollection", "HoldOrCancel", "IsResend", "IsExchange", "TaxId",
    "FulfilmentLocationName",
)  # fmt: skip
_DATES: Final[dict[str, Callable[[Order], datetime | None]]] = {
    "RECEIVED": lambda order: order.head.received,
    "PROCESSED": lambda order: order.head.processed,
    "BOOKED": lambda order: order.head.processed,
    "ACTIONED": lambda order: order.head.processed,
}

Row = dict[str, Any]


def _orders(shop: Shop) -> Iterator[Order]:
    for head in shop.orders.processed.between(None, None):
        yield shop.orders.read(head)


def search(call: Call) -> Answer:
    """Search the history of returns or refunds; of any time, or within three months of one of the dates."""
    start, end = read_moment(call.args.get("from")), read_moment(call.args.get("to"))
    kind = call.text("dateType", "ALLDATES")
    if kind != "ALLDATES":
        if start is None or end is None:
            refuse("The from and to dates are required.")
        if end - start > REACH:
            refuse("The maximum range is 3 months.")
    make = {"RETURNS": _return_rows, "REFUNDS": _refund_rows}.get(call.text("historyType", "RETURNS"))
    read = _DATES.get(kind)
    rows = [
        row
        for order in _orders(call.shop)
        if read is None or _within(read(order), start, end)
        for row in (make(call.shop, order) if make is not None else ())
    ]
    size = min(max(call.number("numEntriesPerPage", SEARCH_PAGE), 1), SEARCH_PAGE)
    numbered = [{"Row": place, **row} for place, row in enumerate(rows, 1)]
    return value(paged(numbered, call.number("pageNum", 1), size, lambda row: row))


def _within(when: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    return when is not None and (start is None or when >= start) and (end is None or when <= end)


def _of_order(order: Order) -> Row:
    return {name: found for name, found in view.processed_row(order).items() if name not in _NOT_IN_HISTORY}


def _return_rows(shop: Shop, order: Order) -> list[Row]:
    return [
        {
            **_of_order(order),
            "cItemNumber": row["SKU"],
            "cItemName": row["ItemTitle"],
            "pkReturnId": row["pkReturnId"],
            "RowType": row["RowType"],
            "ReturnReference": row["ReturnReference"],
            "PendingRefundAmount": row["PendingRefund"],
            "LastDate": row["LastDate"],
            "Reason": row["Reason"],
            "ChannelReason": row["ChannelReason"],
            "ChannelReasonSec": row["ChannelReasonSec"],
            "Category": row["Category"],
            "ReturnQty": row["ReturnQty"],
            "fkReturnLocationId": row["fkReturnLocationId"],
            "Scrapped": row["Scrapped"],
            "ScrapQty": row["ScrapQty"],
            "ReturnDate": row["ReturnDate"],
            "Location": shop.locations[row["fkReturnLocationId"]].name,
            "ItemNumber": row["NewSKU"],
            "ItemTitle": row["NewItemTitle"],
            "NewQty": row["NewQty"],
            "pkRefundRowId": row["fkRefundRowId"],
        }
        for row in returns_of(shop, order)
    ]


def _refund_rows(shop: Shop, order: Order) -> list[Row]:
    return [
        {
            **_of_order(order),
            "cItemNumber": row["SKU"],
            "cItemName": row["ItemTitle"],
            "RefundReference": row["ReturnReference"],
            "pkRefundRowId": row["pkRefundRowId"],
            "Amount": row["Amount"],
            "Reason": row["Reason"],
            "ChannelReason": row["ChannelReason"],
            "ChannelReasonSec": row["ChannelReasonSec"],
            "CreateDate": moment(order.head.processed, order.head.number),
            "ActionDate": row["ActionDate"],
            "RefundStatus": row["RefundStatus"],
        }
        for row in refunds_of(shop, order)
    ]


def _status(name: str) -> Row:
    detail = {
        "StatusTag": name,
        "StatusDescription": name.capitalize(),
        "Actionable": name == "OPEN",
        "ActionDescription": "",
        "EditableFields": [],
    }
    return {"StatusHeader": name, "StatusDetail": detail}


def _header(order: Order, status: str) -> Row:
    when = moment(order.head.processed, order.head.number)
    done = status != "OPEN"
    return {
        "OrderId": order.head.id,
        "NumOrderId": order.head.number,
        "Status": _status(status),
        "OrderSource": order.source,
        "OrderSubSource": order.sub_source,
        "ExternalReference": f"R{order.head.number}",
        "ChannelInitiated": False,
        "CreatedDate": when,
        "Actioned": done,
        "LastActionDate": when if done else NULL_DATE,
    }


def _refund_header(shop: Shop, order: Order) -> Row | None:
    rows = refunds_of(shop, order)
    if not rows:
        return None
    status = "PROCESSED" if all(row["Actioned"] for row in rows) else "OPEN"
    return {
        "RefundHeaderId": order.head.number,
        "Currency": order.currency,
        "Amount": round(sum(row["Amount"] for row in rows), 2),
        "RefundLines": [_refund_line(order, row) for row in rows],
        "RefundLink": "",
        **_header(order, status),
    }


def _refund_line(order: Order, row: Row) -> Row:
    return {
        "RefundRowId": row["pkRefundRowId"],
        "RefundHeaderId": order.head.number,
        "Status": _status(row["RefundStatus"]),
        "RefundedUnit": "Item" if row["IsItem"] else "Shipping",
        "IsShippingRefund": not row["IsItem"],
        "IsAdditionalRefund": False,
        "IsCancellation": False,
        "RefundedItem": {
            "OrderItemRowId": row["fkOrderItemRowId"],
            "ItemSKU": row["SKU"],
            "ItemTitle": row["ItemTitle"],
            "Cost": row["Cost"],
            "CancelledQuantity": 0,
        },
        "Actioned": row["Actioned"],
        "ActionedDate": row["ActionDate"],
        "ChannelInitiated": False,
        "Internal": True,
        "Deleted": False,
        "ExternalReference": row["ReturnReference"],
        "IsFreeText": False,
        "FreeTextOrNote": "",
        "Amount": row["Amount"],
        "Quantity": 1,
        "ReasonCategory": row["Reason"],
    }


def _rma_header(shop: Shop, order: Order) -> Row | None:
    rows = returns_of(shop, order)
    if not rows:
        return None
    status = "PROCESSED" if all(row["Completed"] for row in rows) else "OPEN"
    return {
        "RMAHeaderId": order.head.number,
        "RMALines": [_rma_line(order, row, status) for row in rows],
        **_header(order, status),
    }


def _rma_line(order: Order, row: Row, status: str) -> Row:
    return {
        "RMARowId": row["pkReturnId"],
        "RMAHeaderId": order.head.number,
        "Type": "Return",
        "Status": _status(status),
        "ExternalReference": row["ReturnReference"],
        "CreatedDate": row["ReturnDate"],
        "Actioned": row["Completed"],
        "ActionedDate": row["LastDate"] if row["Completed"] else NULL_DATE,
        "Deleted": False,
        "ResendQuantity": 0,
        "NewOrderId": ZERO_GUID,
        "OrderItemRowId": row["fkOrderItemRowId"],
        "ReturnItemSKU": row["SKU"],
        "ReturnItemTitle": row["ItemTitle"],
        "ReturnLocation": row["fkReturnLocationId"],
        "ReturnQuantity": row["ReturnQty"],
        "RefundAmount": row["RefundedAmount"],
        "RefundRowId": row["fkRefundRowId"],
        "ScrapQuantity": row["ScrapQty"],
        "ReasonCategory": row["Category"],
        "IsFreeText": False,
        "Reason": row["Reason"],
    }


def _headers(make: Callable[[Shop, Order], Row | None], name: str, *, open_ones: bool) -> Handler:
    """Return a handler that lists headers, those with something left to do or the others."""

    def handler(call: Call) -> Answer:
        made = (make(call.shop, order) for order in _orders(call.shop))
        found = [row for row in made if row is not None and row["Actioned"] != open_ones]
        page = max(call.number("Page", 1), 1)
        return value(
            {
                "Page": page,
                "TotalHeaders": len(found),
                "HeadersPerPage": HEADERS_PAGE,
                name: page_of(found, page, HEADERS_PAGE),
            }
        )

    return handler


HANDLERS: Final[dict[str, Handler]] = {
    "returnsrefunds.SearchReturnsRefundsPaged": search,
    "returnsrefunds.GetActionableRefundHeaders": _headers(_refund_header, "RefundHeaders", open_ones=True),
    "returnsrefunds.GetProcessedOrAckedErrorRefundHeaders": _headers(_refund_header, "RefundHeaders", open_ones=False),
    "returnsrefunds.GetActionableRMAHeaders": _headers(_rma_header, "RMAHeaders", open_ones=True),
    "returnsrefunds.GetProcessedOrAckedErrorRMAHeaders": _headers(_rma_header, "RMAHeaders", open_ones=False),
}
