"""Stock items as the API shows them."""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid, moment
from linnworks_connector.sandbox.shop.items import Item, Level

_ODD_ONES: Final = 97


def header(item: Item) -> dict[str, Any]:
    """Return the fields that every shape of a stock item has."""
    postal, package = ref.POSTAL_SERVICES[item.postal], ref.PACKAGE_GROUPS[item.package]
    category = ref.CATEGORIES[item.category]
    height, width, depth = item.size
    return {
        "ItemNumber": item.sku,
        "ItemTitle": item.title,
        "BarcodeNumber": item.barcode,
        "MetaData": item.metadata,
        "isBatchedStockType": False,
        "PurchasePrice": item.purchase_price,
        "RetailPrice": item.retail_price,
        "TaxRate": item.tax_rate,
        "PostalServiceId": postal.id,
        "PostalServiceName": postal.name,
        "CategoryId": category.id,
        "CategoryName": category.name,
        "PackageGroupId": package[0],
        "PackageGroupName": package[1],
        "Height": height,
        "Width": width,
        "Depth": depth,
        "Weight": item.weight,
        "CreationDate": moment(item.created, item.index),
        "InventoryTrackingType": 0,
        "BatchNumberScanRequired": False,
        "SerialNumberScanRequired": False,
        "StockItemId": item.id,
        "StockItemIntId": item.int_id,
    }


def location(shop: Shop, location_id: str, bin_rack: str = "") -> dict[str, Any]:
    """Return a stock location as it stands in a level."""
    found = shop.locations.get(location_id, ref.LOCATIONS[0])
    return {
        "StockLocationId": location_id,
        "StockLocationIntId": found.int_id,
        "LocationName": found.name,
        "LocationTag": found.tag,
        "IsFulfillmentCenter": found.fulfilment_center,
        "IsWarehouseManaged": found.warehouse_managed,
        "BinRack": bin_rack,
    }


def level(shop: Shop, item: Item, location_id: str, stock: Level) -> dict[str, Any]:
    """Return what lies of an item at one location. Available is what is on hand less what orders have taken."""
    return {
        "Location": location(shop, location_id, stock.bin_rack),
        "StockLevel": stock.on_hand,
        "StockValue": round(stock.on_hand * item.purchase_price, 2),
        "MinimumLevel": stock.minimum,
        "InOrderBook": stock.in_orders,
        "Due": stock.due,
        "JIT": False,
        "InOrders": stock.in_orders,
        "Available": stock.available,
        "UnitCost": item.purchase_price,
        "SKU": item.sku,
        "AutoAdjust": False,
        "LastUpdateDate": moment(stock.updated, item.index + 3),
        "LastUpdateOperation": "" if stock.updated is None else "STOCK LEVEL",
        "rowid": guid(item.id, "level", location_id),
        "PendingUpdate": False,
        "StockItemPurchasePrice": item.purchase_price,
        "StockItemId": item.id,
        "StockItemIntId": item.int_id,
    }


def levels(shop: Shop, item: Item) -> list[dict[str, Any]]:
    """Return what lies of an item everywhere."""
    return [level(shop, item, place, stock) for place, stock in shop.stock.levels(item).items()]


def full(shop: Shop, item: Item, wanted: Collection[str]) -> dict[str, Any]:
    """Return an item with the lists asked for; a list not asked for is empty."""
    details = shop.stock.details(item)
    record = {
        "Suppliers": details.suppliers if "Supplier" in wanted else [],
        "StockLevels": levels(shop, item) if "StockLevels" in wanted else [],
        "ItemChannelDescriptions": details.descriptions if "ChannelDescription" in wanted else [],
        "ItemExtendedProperties": details.properties if "ExtendedProperties" in wanted else [],
        "ItemChannelTitles": details.titles if "ChannelTitle" in wanted else [],
        "ItemChannelPrices": details.prices if "ChannelPrice" in wanted else [],
        "Images": details.images if "Images" in wanted else [],
        "IsVariationParent": item.variation_parent,
        **header(item),
    }
    if item.index % _ODD_ONES == _ODD_ONES - 1:
        record["SustainabilityScore"] = item.index % 10
    return record


def full_encoded(shop: Shop, item: Item, wanted: frozenset[str]) -> msgspec.Raw:
    """Return `full` as JSON, kept until the item changes."""
    key = f"{item.index}:{','.join(sorted(wanted))}"
    return shop.encoded("stock.full", key, shop.stock.version(item), lambda: full(shop, item, wanted))


def full_extended(shop: Shop, item: Item, wanted: Collection[str]) -> dict[str, Any]:
    """Return the shape of GetStockItemsFullByIds."""
    record = full(shop, item, wanted)
    record.pop("IsVariationParent")
    return {**record, "IsCompositeParent": item.is_composite}


def short(shop: Shop, item: Item, location_id: str | None) -> dict[str, Any]:
    """Return the shape of GetStockItems: the header with the quantities of one location, or of all."""
    found = shop.stock.levels(item)
    chosen = [stock for place, stock in found.items() if location_id in (None, place)]
    return {
        "ItemDescription": item.title,
        "Quantity": sum(stock.on_hand for stock in chosen),
        "InOrder": sum(stock.in_orders for stock in chosen),
        "Due": sum(stock.due for stock in chosen),
        "MinimumLevel": sum(stock.minimum for stock in chosen),
        "Available": sum(stock.available for stock in chosen),
        "IsCompositeParent": item.is_composite,
        "ShippedSeparately": False,
        "IsVariationParent": item.variation_parent,
        **header(item),
    }
