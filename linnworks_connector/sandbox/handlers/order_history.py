"""What happened to orders, drafts that are no orders yet, and the waves in which orders are picked."""

from datetime import timedelta
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import unique
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import NULL_DATE, ZERO_GUID, guid, moment
from linnworks_connector.sandbox.shop.orders import PAID, Order

_ORDERS_PER_WAVE: Final = 5
_STATES: Final = ("Unallocated", "Allocated", "InProgress", "Complete")
_TYPES: Final = {
    "ORDER_RECEIVED": "Order received",
    "ORDER_PAID": "Order paid",
    "DESPATCH": "Order sent",
    "ORDER_CANCELLED": "Order cancelled",
}


def trail(order: Order) -> list[dict[str, Any]]:
    """Return what happened to an order, oldest first. A row has no id."""
    head = order.head
    happened = (
        ("ORDER_RECEIVED", head.received),
        ("ORDER_PAID", head.paid),
        ("DESPATCH", None if head.cancelled else head.processed),
        ("ORDER_CANCELLED", head.cancelled),
    )
    return [
        {
            "Date": moment(when, head.number + place),
            "Type": tag,
            "Note": "",
            "User": "Shop Keeper",
            "fkOrderHistoryTypeId": tag,
            "Tag": tag,
            "TypeDescription": _TYPES[tag],
        }
        for place, (tag, when) in enumerate(happened, 1)
        if when is not None
    ]


def audit_trail(call: Call) -> Answer:
    """List what happened to an order."""
    order = call.shop.orders.find(call.text("orderId"))
    return value([] if order is None else trail(order))


def audit_trails(call: Call) -> Answer:
    """List what happened to orders, by id; unknown ids are left out."""
    found = (call.shop.orders.find(key) for key in unique(call.rows("OrderIds")))
    rows = [{"pkOrderId": order.head.id, "AuditTrail": trail(order)} for order in found if order is not None]
    return value({"AuditTrails": rows})


def drafts(call: Call) -> Answer:
    """List the ids of the drafts."""
    return value(list(call.shop.drafts))


def waves(call: Call) -> Answer:
    """List the waves of a location, with their orders unless only the waves are asked for."""
    where, state = call.text("locationId", ZERO_GUID), call.args.get("state")
    bare = call.text("detailLevel", "All") == "OnlyPickWave"
    return value(
        {
            "PickwaveHeaders": [
                {**wave, "Orders": []} if bare else wave
                for wave in _waves(call.shop, where)
                if state in (None, wave["State"])
            ]
        }
    )


def _waves(shop: Shop, where: str) -> list[dict[str, Any]]:
    """Return the waves of a location: its paid orders that may be worked on, five to a wave."""
    book = shop.orders
    orders = [
        order
        for head in book.open.values()
        if (order := book.read(head)).location == where
        and order.status == PAID
        and not (order.parked or order.locked or order.hold)
    ]
    return [
        _wave(shop, where, orders[start : start + _ORDERS_PER_WAVE])
        for start in range(0, len(orders) - _ORDERS_PER_WAVE + 1, _ORDERS_PER_WAVE)
    ]


def _wave(shop: Shop, where: str, orders: list[Order]) -> dict[str, Any]:
    number = orders[0].head.number
    state = _STATES[number % len(_STATES)]
    done = state == "Complete"
    created = max(order.head.received for order in orders) + timedelta(minutes=5)
    rows = [_order(shop, number, place, order, picked=done) for place, order in enumerate(orders)]
    return {
        "LocationId": where,
        "UserId": 0 if state == "Unallocated" else 1,
        "EmailAddress": "" if state == "Unallocated" else "picker@example.com",
        "CreatedDate": moment(created, number),
        "OrderCount": len(orders),
        "ItemCount": sum(row["ItemCount"] for row in rows),
        "ItemsPicked": sum(row["PickedItemsCount"] for row in rows),
        "OrdersPicked": len(orders) if done else 0,
        "AccumulatedInProgressSeconds": 600 if done else 0,
        "StartTime": moment(created + timedelta(minutes=1), number) if done else NULL_DATE,
        "EndTime": moment(created + timedelta(minutes=11), number) if done else NULL_DATE,
        "GroupType": "Orders",
        "SortType": "BinPriority",
        "Orders": rows,
        "Options": {
            "ItemScanType": "Any",
            "TrayScanRequired": False,
            "TotScanRequired": False,
            "BinRackScanRequired": False,
        },
        "PickingWaveId": number,
        "State": state,
    }


def _order(shop: Shop, wave: int, place: int, order: Order, *, picked: bool) -> dict[str, Any]:
    total = sum(line.quantity for line in order.lines)
    return {
        "PickingWaveOrdersRowId": order.head.number,
        "PickingWaveId": wave,
        "OrderId": order.head.number,
        "PickState": "Picked" if picked else "Unpicked",
        "SortOrder": place,
        "ItemCount": total,
        "PickedItemsCount": total if picked else 0,
        "Items": [
            {
                "PickingWaveItemsRowId": order.head.number * 10 + row,
                "PickingWaveId": wave,
                "PickedQuantity": line.quantity if picked else 0,
                "TotBarcode": "",
                "SortOrder": row,
                "ToPickQuantity": line.quantity,
                "TrayTag": "",
                "PickingTag": "",
                "ItemState": "Normal",
                "BatchInventoryId": 0,
                "OrderId": order.head.number,
                "OrderItemRowId": line.row_id,
                "StockItemId": guid("none") if line.item is None else shop.stock.items[line.item].id,
                "OrderSortOrder": place,
            }
            for row, line in enumerate(order.lines)
        ],
    }


HANDLERS: Final[dict[str, Handler]] = {
    "orders.GetOrderAuditTrail": audit_trail,
    "orders.GetOrderAuditTrailsByIds": audit_trails,
    "orders.GetDraftOrders": drafts,
    "picking.GetAllPickingWaveHeaders": waves,
}
