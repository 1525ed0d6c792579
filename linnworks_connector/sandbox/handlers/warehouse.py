"""Where goods lie: batches, bin racks, and the codes that identify products."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import page_of, unique
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import moment, number
from linnworks_connector.sandbox.shop.items import INT_ID_BASE, Item, Level

RACKS_PAGE: Final = 100
"""How many bin racks a page has; the request cannot say."""
_BATCHED_ONE_IN: Final = 6
_SHELF_LIFE: Final = timedelta(days=400)
_PICK_TYPE: Final = 1


def _batch(shop: Shop, item: Item, place: int) -> dict[str, Any]:
    """Return an item's stock at the location of this place in its levels, as a batch."""
    where, stock = list(item.levels.items())[place]
    batch = (item.int_id - INT_ID_BASE) * len(ref.LOCATIONS) + place + 1
    expires = shop.started + _SHELF_LIFE - timedelta(days=number(item.id, place) % 300)
    return {
        "BatchId": batch,
        "SKU": item.sku,
        "InventoryTrackingType": 1,
        "StockItemId": item.id,
        "BatchNumber": f"B{batch:06d}",
        "ExpiresOn": moment(expires.replace(microsecond=0), item.index),
        "SellBy": moment((expires - timedelta(days=30)).replace(microsecond=0), item.index),
        "Inventory": [_in_batch(item, where, stock, batch)],
        "IsDeleted": False,
    }


def _in_batch(item: Item, where: str, stock: Level, batch: int) -> dict[str, Any]:
    return {
        "BatchInventoryId": batch,
        "BatchId": batch,
        "StockLocationId": where,
        "BinRack": stock.bin_rack,
        "PrioritySequence": 1,
        "Quantity": stock.on_hand,
        "StockValue": round(stock.on_hand * item.purchase_price, 2),
        "StartQuantity": stock.on_hand,
        "PickedQuantity": 0,
        "BatchStatus": "Available",
        "IsDeleted": False,
        "WarehouseBinrackStandardType": 0,
        "WarehouseBinrackTypeName": "",
        "InTransfer": 0,
        "BinRackId": 0,
        "WarehouseBinrackTypeId": 0,
    }


def is_batched(item: Item) -> bool:
    """Whether an item's stock is kept in batches."""
    return number(item.id, "batched") % _BATCHED_ONE_IN == 0 and bool(item.levels)


def get_batches(call: Call) -> Answer:
    """List the batches of items, at one location or at all; an item without batches has an empty list."""
    where, answer = call.args.get("StockLocationId"), []
    for key in unique(call.rows("StockItemIds")):
        item = call.shop.stock.find(key)
        if item is None:
            continue
        places = [place for place, name in enumerate(item.levels) if where in (None, name)] if is_batched(item) else []
        answer.append(
            {"StockItemId": item.id, "ItemBatchInformation": [_batch(call.shop, item, place) for place in places]}
        )
    return value({"InventoryItemBatchInformation": answer})


def _racks(shop: Shop, location: str) -> Iterator[tuple[str, list[tuple[Item, Level]]]]:
    """Yield the bin racks of a location by name, with what lies there."""
    found: dict[str, list[tuple[Item, Level]]] = {}
    for item in shop.stock.listed():
        stock = item.levels.get(location)
        if stock is not None and stock.bin_rack:
            found.setdefault(stock.bin_rack, []).append((item, stock))
    yield from sorted(found.items())


def search_racks(call: Call) -> Answer:
    """List the bin racks of a location, those whose name has the text; past the last page the list is empty."""
    where, word = call.text("LocationId", ref.LOCATIONS[0].id), call.text("BinRack").lower()
    wanted = call.args.get("StockItemId")
    rows = [
        _rack(where, name, stock, place)
        for place, (name, stock) in enumerate(_racks(call.shop, where))
        if word in name.lower() and (not wanted or any(item.id == wanted for item, _ in stock))
    ]
    return value({"BinRacks": page_of(rows, call.number("PageNumber", 1), RACKS_PAGE), "Decisions": []})


def _rack(where: str, name: str, stock: list[tuple[Item, Level]], place: int) -> dict[str, Any]:
    rack = number("rack", where, name) % 2**31
    total = sum(level.on_hand for _, level in stock)
    return {
        "BinRackId": rack,
        "BinRackTypeId": _PICK_TYPE,
        "BinrackType": {
            "BinRackTypeId": _PICK_TYPE,
            "Name": "Pick location",
            "StandardType": _PICK_TYPE,
            "LocationBound": where,
            "IsVolumetric": False,
            "DefaultBatchStatus": "Unchanged",
        },
        "BinRack": name,
        "GeoPosition": {"X": float(ord(name[0]) - ord("A")), "Y": float(place), "Z": float(name[-1])},
        "Dimension": {"Width": 120.0, "Depth": 60.0, "Height": 45.0},
        "RoutingSequence": place + 1,
        "MaxCapacityVolumetric": 324_000.0,
        "CurrentFullPercentage": round(min(100.0, total / 5), 2),
        "MaxQuantityCapacity": 500,
        "CurrentQuantity": total,
        "CurrentVolumetric": 0.0,
        "OptimalReplenishFullPercentage": 80.0,
        "CriticalReplenishFullPercentage": 20.0,
        "ItemRestriction": False,
        "GroupRestriction": False,
        "LocationId": where,
        "TypeName": "Pick location",
        "StandardType": _PICK_TYPE,
        "IsVolumetric": False,
        "AccessOrientation": "Front",
        "StorageGroups": [],
        "UniqueSkus": len(stock),
        "ItemsInfo": {"BinRackId": rack, "NumberOfItems": len(stock), "TotalQuantity": total},
        "IsValidForStockItem": True,
    }


def get_identifiers(call: Call) -> Answer:
    """List the codes that identify items: the barcode for all, an MPN for some."""
    rows = []
    for key in unique(call.rows("StockItemIds") or [call.text("StockItemId")]):
        item = call.shop.stock.find(key)
        if item is None or not item.barcode:
            continue
        rows.append(_identifier(item, 0, "EAN", item.barcode))
        if item.index % 3 == 0:
            rows.append(_identifier(item, 1, "MPN", f"MPN{item.int_id}"))
    return value({"ProductIdentifiers": rows})


def _identifier(item: Item, place: int, kind: str, text: str) -> dict[str, Any]:
    return {
        "PkId": item.int_id * 10 + place,
        "StockItemId": item.id,
        "Type": kind,
        "Site": "",
        "Value": text,
        "ModifiedDate": moment(item.created, item.index),
        "ModifiedUserName": "Shop Keeper",
    }


HANDLERS: Final[dict[str, Handler]] = {
    "inventory.GetInventoryItemBatchInformationByIds": get_batches,
    "inventory.GetProductIdentifiersBulkByStockItemId": get_identifiers,
    "inventory.GetProductIdentifiersByStockItemId": get_identifiers,
    "stock.SearchBinracks": search_racks,
}
