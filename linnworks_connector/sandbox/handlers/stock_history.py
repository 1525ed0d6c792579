"""What happened to stock: changes of levels, the audit of items, goods that were scrapped, and what runs low."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import page_of, paged
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import guid, moment, number, read_moment
from linnworks_connector.sandbox.shop.items import Item

_CHANGE: Final = "stock.changed"
_SET: Final = "stock.set"
_SCRAPPED_ONE_IN: Final = 9
_SCRAP_REASONS: Final = (("Damaged", "Broken in the warehouse"), ("Expired", "Past its date"), ("Lost", "Not found"))
_KINDS: Final = {
    _CHANGE: ("STOCK LEVEL CHANGED", "Level changed by {text}"),
    _SET: ("STOCK LEVEL SET", "Level set to {text}"),
    "item.created": ("ITEM CREATED", "Created"),
    "item.updated": ("ITEM UPDATED", "Updated"),
    "item.archived": ("ITEM ARCHIVED", "Archived"),
}


def _changes(shop: Shop, item: Item, location: str) -> list[dict[str, Any]]:
    """Return every change of a level, oldest first: the first delivery, then what the journal has."""
    stock = item.levels[location]
    effects = [effect for effect in shop.journal.effects if effect.key.startswith(f"{item.sku}@{location}")]
    steps: list[tuple[datetime, int, int, str]] = []
    after = stock.on_hand
    for effect in reversed(effects):
        if effect.what == _CHANGE:
            delta = int(effect.key.removeprefix(f"{item.sku}@{location}"))
        else:
            delta = number(item.id, location, effect.at) % 7 + 1
        steps.append((effect.at, after, delta, "Level set" if effect.what == _SET else "Level changed"))
        after -= delta
    opened = item.created + timedelta(seconds=list(item.levels).index(location))
    steps.append((opened, after, after, "First delivery"))
    return [
        {
            "StockItemId": item.id,
            "Date": moment(when, item.index),
            "Level": level,
            "StockValue": round(level * item.purchase_price, 2),
            "Note": note,
            "ChangeQty": delta,
            "ChangeValue": round(delta * item.purchase_price, 2),
        }
        for when, level, delta, note in reversed(steps)
    ]


def changes(call: Call) -> Answer:
    """List the changes of an item's level, newest first, at one location or at all."""
    item = call.shop.stock.find(call.text("stockItemId"))
    where = call.args.get("locationId")
    if item is None:
        return value(paged([], 1, 1, lambda row: row))
    places = [place for place in item.levels if where in (None, place)]
    found = [row for place in places for row in reversed(_changes(call.shop, item, place))]
    return value(paged(found, call.number("pageNumber", 1), call.number("entriesPerPage", 50), lambda row: row))


def _audited(shop: Shop) -> Iterator[tuple[datetime, Item, str, str]]:
    for item in shop.stock.items:
        yield item.created, item, "item.created", ""
    # Effects are known by SKU or by id, those of archived items too.
    known = {key: item for item in shop.stock.items for key in (item.sku, item.id)}
    for effect in shop.journal.effects:
        about = known.get(effect.key.partition("@")[0])
        if about is not None and effect.what in _KINDS:
            yield effect.at, about, effect.what, effect.key.rpartition("@")[2][36:].lstrip("=")


def audit(call: Call) -> Answer:
    """List what happened to items between two moments, both included, a page at a time."""
    start, end = read_moment(call.args.get("FromDate")), read_moment(call.args.get("ToDate"))
    found = [
        (when, item, what, text)
        for when, item, what, text in _audited(call.shop)
        if (start is None or when >= start) and (end is None or when <= end)
    ]
    found.sort(key=lambda row: (row[0], row[1].index))
    page, size = max(call.number("PageNumber", 1), 1), max(call.number("PageSize", 50), 1)
    return value(
        {
            "Items": [
                {
                    "AuditType": _KINDS[what][0],
                    "AuditTrailDate": moment(when, item.index + 2),
                    "AuditText": _KINDS[what][1].format(text=text),
                    "UserName": "Shop Keeper",
                    "StockItemId": item.id,
                    "StockItemIntId": item.int_id,
                }
                for when, item, what, text in page_of(found, page, size)
            ],
            "TotalItems": len(found),
            "CurrentPage": page,
            "EntriesPerPage": size,
        }
    )


def scrapped(call: Call) -> Answer:
    """List what was scrapped, newest first, a page at a time."""
    rows = [
        _scrap(call.shop, item)
        for item in call.shop.stock.items
        if item.levels and number(item.id, "scrap") % _SCRAPPED_ONE_IN == 0
    ]
    rows.sort(key=lambda row: str(row["Id"]))
    page = paged(rows, call.number("PageNumber", 1), call.number("EntriesPerPage", 50), lambda row: row)
    return value({"ScrapHistory": page})


def _scrap(shop: Shop, item: Item) -> dict[str, Any]:
    draw = number(item.id, "scrap")
    category, reason = _SCRAP_REASONS[draw % len(_SCRAP_REASONS)]
    quantity = draw % 3 + 1
    return {
        "Id": guid(item.id, "scrap"),
        "StockItemId": item.id,
        "ItemNumber": item.sku,
        "ItemTitle": item.title,
        "Quantity": quantity,
        "CategoryName": category,
        "ScrapReason": reason,
        "TotalCost": round(quantity * item.purchase_price, 2),
        "UserName": "Shop Keeper",
        "CreatedDate": moment(max(item.created, shop.started - timedelta(days=draw % 60)), item.index),
        "StockLocationId": next(iter(item.levels)),
    }


def low_stock(call: Call) -> Answer:
    """List what lies below its minimum, the worst first, at one location or at all."""
    where = call.args.get("locationId")
    found = [
        (stock.available - stock.minimum, item, place, stock)
        for item in call.shop.stock.listed()
        for place, stock in item.levels.items()
        if where in (None, place) and stock.available < stock.minimum
    ]
    found.sort(key=lambda row: (row[0], row[1].index))
    return value(
        [
            {
                "ItemTitle": item.title,
                "ItemNumber": item.sku,
                "Quantity": stock.on_hand,
                "MinimumLevel": stock.minimum,
                "InBooks": stock.in_orders,
                "Location": call.shop.locations[place].name,
            }
            for _, item, place, stock in found[: call.number("numRows", len(found))]
        ]
    )


HANDLERS: Final[dict[str, Handler]] = {
    "stock.GetItemChangesHistory": changes,
    "inventory.GetInventoryItemAuditTrailPaged": audit,
    "inventory.GetScrapHistory": scrapped,
    "dashboards.GetLowStockLevel": low_stock,
}
