"""The lists that hang on an item: titles, prices, descriptions, properties, images, suppliers, compositions, SKUs.

Most have the same four operations (get, create, update, delete), so a table says what they are called.
"""

from dataclasses import dataclass
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.inventory import COLLISION, item_of
from linnworks_connector.sandbox.paging import unique
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import NULL_DATE, ZERO_GUID, guid
from linnworks_connector.sandbox.shop.items import Item

COMPOSITIONS_BATCH: Final = 100
"""Most items that GetInventoryItemsCompositionByIds takes."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowKind:
    """One kind of row: the list of `Details` it is in, its id, what names its item, and the arguments' names."""

    rows: str
    key: str
    item: str
    sent: str
    deleted: str
    defaults: tuple[tuple[str, Any], ...] = ()
    client_key: bool = True


TITLES: Final = RowKind("titles", "pkRowId", "StockItemId", "inventoryItemTitles", "inventoryItemTitleIds")
PRICES: Final = RowKind(
    "prices",
    "pkRowId",
    "StockItemId",
    "inventoryItemPrices",
    "inventoryItemPriceIds",
    (("Rules", []), ("Tag", ""), ("UpdateStatus", "NoChange"), ("StartDate", NULL_DATE), ("EndDate", NULL_DATE)),
)
DESCRIPTIONS: Final = RowKind(
    "descriptions", "pkRowId", "StockItemId", "inventoryItemDescriptions", "inventoryItemDescriptionIds"
)
PROPERTIES: Final = RowKind(
    "properties",
    "pkRowId",
    "fkStockItemId",
    "inventoryItemExtendedProperties",
    "inventoryItemExtendedPropertyIds",
    client_key=False,
)
SUPPLIERS: Final = RowKind(
    "suppliers", "SupplierID", "StockItemId", "itemSuppliers", "itemSupplierIds", (("IsDefault", False),)
)


def _row_item(shop: Shop, kind: RowKind, row: Row) -> Item:
    return item_of(shop, row.get(kind.item), row.get("SKU") or row.get("ItemNumber"))


def _getter(kind: RowKind) -> Handler:
    def handler(call: Call) -> Answer:
        item = call.shop.stock.find(call.text("inventoryItemId")) or call.shop.stock.find_sku(call.text("itemNumber"))
        return value([] if item is None else getattr(call.shop.stock.details(item), kind.rows))

    return handler


def _creator(kind: RowKind) -> Handler:
    def handler(call: Call) -> Answer:
        for row in call.rows(kind.sent):
            item = _row_item(call.shop, kind, row)
            rows: list[Row] = getattr(call.shop.stock.edit_details(item), kind.rows)
            key = str(row.get(kind.key) or ZERO_GUID)
            if not kind.client_key and key == ZERO_GUID:
                key = guid(item.id, kind.rows, len(rows), call.shop.now())
            if key == ZERO_GUID or any(known[kind.key] == key for known in rows):
                refuse(COLLISION.format(key=key))
            link = {} if kind.item == "fkStockItemId" else {"StockItemIntId": item.int_id}
            rows.append({**dict(kind.defaults), **row, kind.key: key, kind.item: item.id, **link})
        return nothing()

    return handler


def _updater(kind: RowKind) -> Handler:
    """Replace whole rows: a field that is left out is cleared."""

    def handler(call: Call) -> Answer:
        for row in call.rows(kind.sent):
            item = _row_item(call.shop, kind, row)
            rows: list[Row] = getattr(call.shop.stock.edit_details(item), kind.rows)
            for place, known in enumerate(rows):
                if known[kind.key] == row.get(kind.key):
                    kept = {name: known[name] for name in (kind.key, kind.item, "StockItemIntId") if name in known}
                    rows[place] = {**{name: _cleared(old) for name, old in known.items()}, **row, **kept}
                    break
            else:
                refuse(f"The row {row.get(kind.key)} does not exist.")
        return nothing()

    return handler


def _cleared(old: Any) -> Any:
    return [] if isinstance(old, list) else type(old)() if isinstance(old, str | int | float | bool) else None


def _deleter(kind: RowKind) -> Handler:
    def handler(call: Call) -> Answer:
        gone = set(call.rows(kind.deleted))
        owner = call.args.get("stockItemId") or call.args.get("inventoryItemId")
        items = [item_of(call.shop, owner)] if owner else list(call.shop.stock.items)
        for item in items:
            if any(row[kind.key] in gone for row in getattr(call.shop.stock.details(item), kind.rows)):
                details = call.shop.stock.edit_details(item)
                setattr(details, kind.rows, [row for row in getattr(details, kind.rows) if row[kind.key] not in gone])
        return nothing()

    return handler


def _rows_of(call: Call, ids: list[str], rows: str) -> list[tuple[Item, list[Row]]]:
    found = (call.shop.stock.find(key) for key in unique(ids))
    return [(item, getattr(call.shop.stock.details(item), rows)) for item in found if item is not None]


def get_property_names(call: Call) -> Answer:
    """List the names of extended properties that are in use."""
    names = {
        row["ProperyName"] for item in call.shop.stock.items[:50] for row in call.shop.stock.details(item).properties
    }
    return value(sorted(names))


def get_images_in_bulk(call: Call) -> Answer:
    """List the images of items by id or SKU."""
    by_sku = (call.shop.stock.find_sku(sku) for sku in call.rows("SKUS"))
    ids = [*call.rows("StockItemIds"), *(item.id for item in by_sku if item is not None)]
    images = [
        {
            "SKU": item.sku,
            "IsMain": row["IsMain"],
            "pkRowId": row["pkRowId"],
            "ChecksumValue": row["ChecksumValue"],
            "RawChecksum": row["RawChecksum"],
            "SortOrder": row["SortOrder"],
            "StockItemId": item.id,
            "FullSource": row["FullSource"],
            "FullSourceThumbnail": row["Source"],
        }
        for item, rows in _rows_of(call, ids, "images")
        for row in rows
    ]
    return value({"Images": images})


def upload_images(call: Call) -> Answer:
    """Hang uploaded pictures on an item, after those it has; the main image is the one with sort order 0."""
    item = item_of(call.shop, call.text("inventoryItemId"))
    images = call.shop.stock.edit_details(item).images
    added = []
    for key in unique(call.rows("imageIds")):
        place = len(images)
        images.append(_image(item, key, f"https://images.example.com/{key}.jpg", place))
        added.append({"PictureId": key, "Source": images[-1]["FullSource"], "IsMain": place == 0, "SortOrder": place})
    return value(added)


def add_image(call: Call) -> Answer:
    """Hang a picture from an address on an item."""
    item = item_of(call.shop, call.args.get("StockItemId"), call.args.get("ItemNumber"))
    images = call.shop.stock.edit_details(item).images
    key = guid(item.id, "image", call.text("ImageUrl"), len(images))
    place = 0 if call.flag("IsMain") else len(images)
    if place == 0:
        for row in images:
            row.update(IsMain=False, SortOrder=row["SortOrder"] + 1)
    images.insert(place, _image(item, key, call.text("ImageUrl"), place))
    address = images[place]["FullSource"]
    return value({"StockItemId": item.id, "ImageId": key, "ImageUrl": address, "ImageThumbnailUrl": address})


def _image(item: Item, key: str, address: str, place: int) -> Row:
    checksum = key.replace("-", "")
    return {
        "Source": address,
        "FullSource": address,
        "CheckSumValue": checksum,
        "pkRowId": key,
        "IsMain": place == 0,
        "SortOrder": place,
        "ChecksumValue": checksum,
        "RawChecksum": checksum,
        "StockItemId": item.id,
        "StockItemIntId": item.int_id,
    }


def set_main_image(call: Call) -> Answer:
    """Make one image the main one: it gets sort order 0."""
    item = item_of(call.shop, call.text("inventoryItemId"))
    details = call.shop.stock.edit_details(item)
    chosen = call.text("mainImageId")
    if chosen not in [row["pkRowId"] for row in details.images]:
        refuse(f"The image {chosen} does not exist.")
    details.images.sort(key=lambda row: (row["pkRowId"] != chosen, row["SortOrder"]))
    for place, row in enumerate(details.images):
        row.update(IsMain=place == 0, SortOrder=place)
    return nothing()


def delete_images(call: Call) -> Answer:
    """Take images off items: a map from item id to image ids."""
    for key, gone in call.record("inventoryItemImages").items():
        details = call.shop.stock.edit_details(item_of(call.shop, key))
        details.images = [row for row in details.images if row["pkRowId"] not in set(gone or [])]
    return nothing()


def _composition(shop: Shop, item: Item) -> list[Row]:
    rows = []
    for part, quantity in item.components:
        child = shop.stock.items[part]
        height, width, depth = child.size
        rows.append(
            {
                "LinkedStockItemId": child.id,
                "ItemTitle": child.title,
                "SKU": child.sku,
                "Quantity": quantity,
                "PurchasePrice": child.purchase_price,
                "InventoryTrackingType": 0,
                "DimHeight": height,
                "DimWidth": width,
                "DimDepth": depth,
                "Weight": child.weight,
                "PackageGroupId": ZERO_GUID,
                "TaxRate": child.tax_rate,
                "StockItemId": item.id,
                "StockItemIntId": item.int_id,
            }
        )
    return rows


def get_composition(call: Call) -> Answer:
    """List what a composite is made of; empty for any other item."""
    item = call.shop.stock.find(call.text("inventoryItemId"))
    return value([] if item is None else _composition(call.shop, item))


def get_compositions(call: Call) -> Answer:
    """List what composites are made of, 100 items at most."""
    ids = unique(call.rows("InventoryItemIds"))
    if len(ids) > COMPOSITIONS_BATCH:
        refuse(f"At most {COMPOSITIONS_BATCH} items can be asked for at once.")
    found = {key: call.shop.stock.find(key) for key in ids}
    made = {key: _composition(call.shop, item) for key, item in found.items() if item is not None}
    return value({"InventoryItemsCompositionByIds": made})


def set_compositions(call: Call) -> Answer:
    """Add parts to composites, or change their quantities."""
    for row in call.rows("inventoryItemCompositions"):
        item, part = item_of(call.shop, row.get("StockItemId")), item_of(call.shop, row.get("LinkedStockItemId"))
        if part.components or part.index == item.index:
            refuse(f"The item {part.sku} cannot be part of {item.sku}.")
        kept = [(index, quantity) for index, quantity in item.components if index != part.index]
        item.components = [*kept, (part.index, int(row.get("Quantity") or 1))]
        call.shop.stock.changed(item)
    return nothing()


def delete_compositions(call: Call) -> Answer:
    """Take parts out of a composite."""
    item = item_of(call.shop, call.text("stockItemId"))
    gone = {found.index for key in call.rows("inventoryItemCompositionIds") if (found := call.shop.stock.find(key))}
    item.components = [(index, quantity) for index, quantity in item.components if index not in gone]
    call.shop.stock.changed(item)
    return nothing()


def get_channel_skus(call: Call) -> Answer:
    """List the channel SKUs of an item."""
    rows = _rows_of(call, [call.text("inventoryItemId")], "channel_skus")
    return value([row for _, found in rows for row in found])


def get_channel_skus_of_many(call: Call) -> Answer:
    """List the channel SKUs of items."""
    rows = _rows_of(call, call.rows("inventoryItemIds"), "channel_skus")
    return value([{"StockItemId": item.id, "ChannelSkus": found} for item, found in rows])


def get_supplier_stats_of_many(call: Call) -> Answer:
    """List what suppliers offer for items."""
    rows = _rows_of(call, call.rows("inventoryItemIds"), "suppliers")
    return value([row for _, found in rows for row in found])


_FAMILIES: Final = (
    ("InventoryItemTitles", TITLES),
    ("InventoryItemPrices", PRICES),
    ("InventoryItemDescriptions", DESCRIPTIONS),
    ("InventoryItemExtendedProperties", PROPERTIES),
    ("StockSupplierStat", SUPPLIERS),
)

HANDLERS: Final[dict[str, Handler]] = {
    **{f"inventory.Get{name}": _getter(kind) for name, kind in _FAMILIES},
    **{f"inventory.Create{name}": _creator(kind) for name, kind in _FAMILIES},
    **{f"inventory.Update{name}": _updater(kind) for name, kind in _FAMILIES},
    **{f"inventory.Delete{name}": _deleter(kind) for name, kind in _FAMILIES},
    "inventory.GetInventoryItemImages": _getter(RowKind("images", "pkRowId", "StockItemId", "", "")),
    "inventory.GetExtendedPropertyNames": get_property_names,
    "inventory.GetImagesInBulk": get_images_in_bulk,
    "inventory.UploadImagesToInventoryItem": upload_images,
    "inventory.AddImageToInventoryItem": add_image,
    "inventory.SetInventoryItemImageAsMain": set_main_image,
    "inventory.DeleteImagesFromInventoryItem": delete_images,
    "inventory.GetInventoryItemCompositions": get_composition,
    "inventory.GetInventoryItemsCompositionByIds": get_compositions,
    "inventory.CreateInventoryItemCompositions": set_compositions,
    "inventory.UpdateInventoryItemCompositions": set_compositions,
    "inventory.DeleteInventoryItemCompositions": delete_compositions,
    "inventory.GetInventoryItemChannelSKUs": get_channel_skus,
    "inventory.BatchGetInventoryItemChannelSKUs": get_channel_skus_of_many,
    "inventory.GetStockSupplierStatsBulk": get_supplier_stats_of_many,
}
