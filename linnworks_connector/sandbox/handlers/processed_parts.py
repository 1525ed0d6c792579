"""What hangs on a processed order: header, notes, properties, refunds and returns."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.draws import chance, generator
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import NULL_DATE, ZERO_GUID, guid, moment, number
from linnworks_connector.sandbox.shop.orders import Line, Order, note
from linnworks_connector.sandbox.views import orders as view

REFUNDED_SHARE: Final = 0.04
"""Share of the processed orders with a refund and a return."""
_WAITING_ONE_IN: Final = 3
_CATEGORIES: Final = ("Damaged in transit", "Changed mind", "Wrong item sent", "Late")


def _closed(call: Call, name: str = "pkOrderId") -> Order:
    order = call.shop.orders.edit(call.text(name))
    if order is None or order.head.is_open:
        refuse(f"There is no processed order {call.text(name)}.")
    return order


def get_order_info(call: Call) -> Answer:
    """Show the row of a processed order."""
    return value(view.processed_row(_closed(call)))


def get_notes(call: Call) -> Answer:
    """List the notes of a processed order."""
    order = _closed(call)
    return value(
        [
            {
                "pkOrderNoteId": row["OrderNoteId"],
                "fkOrderId": row["OrderId"],
                "Note": row["Note"],
                "NoteEntryDate": moment(row["NoteDate"], order.head.number),
                "NoteUserName": row["CreatedBy"],
                "Internal": row["Internal"],
                "NoteTypeId": row["NoteTypeId"],
            }
            for row in order.notes
        ]
    )


def add_note(call: Call) -> Answer:
    """Add a note; the answer is its id."""
    order = _closed(call, "pkOrderID")
    made = note(order, call.text("noteText"), call.shop.now(), "Sandbox", internal=call.flag("isInternal"))
    order.notes.append(made)
    call.shop.orders.touch(order)
    return value(made["OrderNoteId"])


def get_properties(call: Call) -> Answer:
    """List the extended properties of a processed order."""
    return value(
        [
            {
                "rowid": row["RowId"],
                "PropertyName": row["Name"],
                "PropertyValue": row["Value"],
                "PropertyType": row["Type"],
            }
            for row in _closed(call).properties
        ]
    )


def get_audit(call: Call) -> Answer:
    """List what happened to a processed order."""
    order = _closed(call)
    happened = (
        ("ORDER_RECEIVED", order.head.received),
        ("ORDER_PAID", order.head.paid),
        ("DESPATCH", order.head.processed),
    )
    return value(
        [
            {
                "sid_history": place,
                "fkOrderId": order.head.id,
                "HistoryNote": "",
                "fkOrderHistoryTypeId": tag,
                "DateStamp": moment(when, order.head.number + place),
                "Tag": tag,
                "UpdatedBy": "Shop Keeper",
                "TypeDescription": tag.replace("_", " ").capitalize(),
            }
            for place, (tag, when) in enumerate(happened, 1)
            if when is not None
        ]
    )


def _refund(order: Order, line: Line | None, amount: float, reason: str) -> dict[str, Any]:
    place = "shipping" if line is None else line.row_id
    return {
        "pkRefundRowId": guid(order.head.id, "refund", place, amount),
        "SKU": "" if line is None else line.sku,
        "ItemTitle": "Shipping" if line is None else line.title,
        "IsItem": line is not None,
        "IsService": False,
        "Amount": round(amount, 2),
        "Reason": reason,
        "Actioned": True,
        "ActionDate": moment(order.head.processed, order.head.number),
        "ReturnReference": f"R{order.head.number}",
        "Cost": round(amount, 2),
        "RefundStatus": "PROCESSED",
        "IgnoredValidation": False,
        "fkOrderItemRowId": ZERO_GUID if line is None else line.row_id,
        "ShouldSerializeChannelReason": False,
        "ChannelReason": "",
        "ShouldSerializeChannelReasonSec": False,
        "ChannelReasonSec": "",
        "IsNew": False,
    }


def _seeded(shop: Shop, order: Order) -> bool:
    rng = generator(shop.seed * 31 + order.head.number)
    return order.head.index >= 0 and bool(order.lines) and chance(rng, REFUNDED_SHARE)


def refunds_of(shop: Shop, order: Order) -> list[dict[str, Any]]:
    """Return the refunds of a processed order: the seeded one, then those that clients made."""
    made = shop.refunds.get(order.head.id, [])
    if not _seeded(shop, order):
        return list(made)
    line = order.lines[0]
    reason = _CATEGORIES[number(order.head.id) % len(_CATEGORIES)]
    seeded = _refund(order, line, line.amounts()[1] / max(line.quantity, 1), reason)
    if number(order.head.id, "waiting") % _WAITING_ONE_IN == 0:
        seeded |= {"Actioned": False, "ActionDate": NULL_DATE, "RefundStatus": "OPEN"}
    return [seeded, *made]


def get_refunds(call: Call) -> Answer:
    """List the refunds of a processed order."""
    return value(refunds_of(call.shop, _closed(call)))


def get_total_refunds(call: Call) -> Answer:
    """Sum up the refunds of a processed order."""
    order = _closed(call)
    total = order.totals()["total"]
    amount = round(sum(row["Amount"] for row in refunds_of(call.shop, order)), 2)
    return value({"Amount": amount, "TotalCharge": total, "Refundable": round(total - amount, 2)})


def _add_refunds(call: Call, order: Order, rows: list[dict[str, Any]]) -> Answer:
    known = sum(row["Amount"] for row in refunds_of(call.shop, order))
    if known + sum(row["Amount"] for row in rows) > order.totals()["total"]:
        refuse("The refund is more than was paid.")
    call.shop.refunds.setdefault(order.head.id, []).extend(rows)
    call.shop.orders.touch(order)
    call.shop.journal.record("order.refunded", order.head.id)
    return value(rows)


def refund_items(call: Call) -> Answer:
    """Refund amounts, of lines or in free text."""
    order = _closed(call)
    lines = {line.row_id: line for line in order.lines}
    rows = [
        _refund(
            order,
            lines.get(row.get("fkOrderItemId")),
            float(row.get("RefundAmount") or 0),
            str(row.get("Reason") or ""),
        )
        for row in call.rows("refundItems")
    ]
    return _add_refunds(call, order, rows)


def refund_shipping(call: Call) -> Answer:
    """Refund the postage."""
    order = _closed(call)
    return _add_refunds(call, order, [_refund(order, None, order.postage, "Shipping")])


def returns_of(shop: Shop, order: Order) -> list[dict[str, Any]]:
    """Return the returns and exchanges of a processed order."""
    if not _seeded(shop, order):
        return []
    line, refund = order.lines[0], refunds_of(shop, order)[0]
    when = moment(order.head.processed, order.head.number)
    return [
        {
            "pkReturnId": order.head.number,
            "RowType": "RETURNREFUND",
            "ReturnReference": f"R{order.head.number}",
            "fkOrderId": order.head.id,
            "fkOrderItemRowId": line.row_id,
            "OrderItemBatchId": 0,
            "nOrderId": order.head.number,
            "SKU": line.sku,
            "ItemTitle": line.title,
            "BatchNumber": "",
            "Reason": refund["Reason"],
            "ChannelReason": "",
            "ChannelReasonSec": "",
            "Category": refund["Reason"],
            "ReturnQty": 1,
            "fkReturnLocationId": ref.LOCATIONS[3].id,
            "Scrapped": False,
            "ScrapQty": 0,
            "LastState": "",
            "LastDate": when,
            "Completed": refund["Actioned"],
            "fkNewOrderId": ZERO_GUID,
            "fkNewOrderItemRowId": ZERO_GUID,
            "fkNewStockItemId": ZERO_GUID,
            "NewQty": 0,
            "NewOrderId": 0,
            "NewOrderCancelled": False,
            "NewSKU": "",
            "NewItemTitle": "",
            "NewOrderProcessedOn": NULL_DATE,
            "AdditionalCost": 0.0,
            "fkRefundRowId": refund["pkRefundRowId"],
            "RefundedAmount": refund["Amount"],
            "PendingRefund": 0.0,
            "ReturnDate": when,
        }
    ]


def get_returns(call: Call) -> Answer:
    """List the returns and exchanges of a processed order."""
    return value(returns_of(call.shop, _closed(call)))


def get_return_categories(_: Call) -> Answer:
    """List the categories of returns."""
    return value([{"pkItemId": place, "CategoryName": name} for place, name in enumerate(_CATEGORIES, 1)])


def change_note(call: Call) -> Answer:
    """Change the text of a note."""
    order, row = _note(call)
    row.update(Note=call.text("noteText"), Internal=call.flag("isInternal"))
    call.shop.orders.touch(order)
    return nothing()


def delete_note(call: Call) -> Answer:
    """Delete a note."""
    order, row = _note(call)
    order.notes.remove(row)
    call.shop.orders.touch(order)
    return nothing()


def _note(call: Call) -> tuple[Order, dict[str, Any]]:
    wanted = call.text("pkOrderNoteId")
    for head in call.shop.orders.processed.between(None, None):
        for row in call.shop.orders.read(head).notes:
            if row["OrderNoteId"] == wanted:
                order = call.shop.orders.edit(head.id)
                if order is not None:
                    return order, next(known for known in order.notes if known["OrderNoteId"] == wanted)
    return refuse(f"There is no note {wanted}.")


HANDLERS: Final[dict[str, Handler]] = {
    "processedorders.GetOrderInfo": get_order_info,
    "processedorders.GetProcessedOrderNotes": get_notes,
    "processedorders.AddOrderNote": add_note,
    "processedorders.ChangeOrderNote": change_note,
    "processedorders.DeleteOrderNote": delete_note,
    "processedorders.GetProcessedOrderExtendedProperties": get_properties,
    "processedorders.GetProcessedAuditTrail": get_audit,
    "processedorders.GetRefunds": get_refunds,
    "processedorders.GetTotalRefunds": get_total_refunds,
    "processedorders.RefundFreeText": refund_items,
    "processedorders.RefundServices": refund_items,
    "processedorders.RefundShipping": refund_shipping,
    "processedorders.GetReturnsExchanges": get_returns,
    "processedorders.GetReturnCategories": get_return_categories,
}
