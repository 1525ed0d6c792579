"""Stock: lists of items, levels, consumption."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import page_of, paged, unique
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import ZERO_GUID
from linnworks_connector.sandbox.shop.items import Item, Level
from linnworks_connector.sandbox.views import stock as view

FULL_PAGE: Final = 200
"""Most items that GetStockItemsFull answers at once, whatever is asked for."""
END_OF_LIST: Final = "No items found with given filter."
"""What GetStockItemsFull says past the last page, as a 400."""


def get_stock_items_full(call: Call) -> Answer:
    """List items, 200 a page at most; past the end a 400 says so. Parents are left out unless they are asked for."""
    size = min(max(call.number("entriesPerPage", FULL_PAGE), 1), FULL_PAGE)
    composites, parents = call.flag("loadCompositeParents"), call.flag("loadVariationParents")
    rows = [
        item
        for item in _matching(call.shop, call.text("keyword"), call.rows("searchTypes"))
        if (composites or not item.is_composite) and (parents or not item.variation_parent)
    ]
    page = page_of(rows, call.number("pageNumber", 1), size)
    if not page:
        refuse(END_OF_LIST)
    wanted = frozenset(call.rows("dataRequirements"))
    return value([view.full_encoded(call.shop, item, wanted) for item in page])


def _matching(shop: Shop, keyword: str, kinds: list[str]) -> list[Item]:
    if not keyword:
        return list(shop.stock.listed())
    word, chosen = keyword.lower(), kinds or ["SKU", "Title", "Barcode"]
    return [
        item
        for item in shop.stock.listed()
        if ("SKU" in chosen and word in item.sku.lower())
        or ("Title" in chosen and word in item.title.lower())
        or ("Barcode" in chosen and word in item.barcode)
    ]


def get_stock_items(call: Call) -> Answer:
    """List items in short form, with the quantities of one location or of all."""
    rows = [
        item
        for item in _matching(call.shop, call.text("keyWord"), [])
        if not (call.flag("excludeComposites") and item.is_composite)
        and not (call.flag("excludeVariations") and item.variation_parent)
    ]
    where = call.args.get("locationId")
    return value(
        paged(
            rows,
            call.number("pageNumber", 1),
            call.number("entriesPerPage", 100),
            lambda item: view.short(call.shop, item, where),
        )
    )


def get_stock_items_full_by_ids(call: Call) -> Answer:
    """Show items by id, those that exist; archived ones are left out (decided: nothing says whether they are)."""
    wanted = call.rows("DataRequirements")
    found = [item for item in _found(call.shop, call.rows("StockItemIds")) if not item.archived]
    return value({"StockItemsFullExtended": [view.full_extended(call.shop, item, wanted) for item in found]})


def get_stock_items_by_ids(call: Call) -> Answer:
    """Show items by id in short form, those that exist."""
    return value(
        {
            "Items": [
                {**view.header(item), "IsVariationParent": item.variation_parent}
                for item in _found(call.shop, call.rows("StockItemIds"))
            ]
        }
    )


def _found(shop: Shop, ids: list[str]) -> list[Item]:
    return [item for key in unique(ids) if (item := shop.stock.find(key)) is not None]


def get_stock_level(call: Call) -> Answer:
    """Show what lies of one item everywhere."""
    item = call.shop.stock.find(call.text("stockItemId"))
    return value([] if item is None else view.levels(call.shop, item))


def get_stock_level_batch(call: Call) -> Answer:
    """Show what lies of many items everywhere."""
    return value(
        [
            {"pkStockItemId": item.id, "StockItemLevels": view.levels(call.shop, item)}
            for item in _found(call.shop, call.rows("StockItemIds"))
        ]
    )


def get_stock_level_by_location(call: Call) -> Answer:
    """Show what lies of one item at one location."""
    item = call.shop.stock.find(call.text("stockItemId"))
    where = call.text("locationId")
    if item is None:
        refuse("The stock item does not exist.")
    stock = call.shop.stock.levels(item).get(where, Level(0))
    return value({"StockLevel": view.level(call.shop, item, where, stock)})


def sku_exists(call: Call) -> Answer:
    """Say whether an SKU is taken."""
    return value(call.shop.stock.find_sku(call.text("SKU")) is not None)


def _writable(item: Item | None, sku: str) -> Item:
    if item is None:
        refuse(f"SKU {sku} was not found.")
    if item.components:
        refuse(f"The stock level of composite item {item.sku} cannot be changed.")
    return item


def _location_id(shop: Shop, row: dict[str, Any]) -> str:
    """Return the location of a row: its id, or the one that its name names; nothing given is Default."""
    given = str(row.get("LocationId") or row.get("StockLocationId") or row.get("StockLocationName") or ZERO_GUID)
    for location in shop.locations.values():
        if given.lower() in (location.id, location.name.lower()):
            return location.id
    return refuse(f"Location {given} was not found.")


def set_stock_level(call: Call) -> Answer:
    """Set levels by SKU and answer the new levels."""
    return value([_set_row(call.shop, row, absolute=True) for row in call.rows("stockLevels")])


def update_stock_levels_by_sku(call: Call) -> Answer:
    """Change levels by SKU, by the difference given, and answer the new levels."""
    return value([_set_row(call.shop, row, absolute=False) for row in call.rows("stockLevels")])


def _set_row(shop: Shop, row: dict[str, Any], *, absolute: bool) -> dict[str, Any]:
    sku = str(row.get("SKU") or "")
    item, where, amount = _writable(shop.stock.find_sku(sku), sku), _location_id(shop, row), int(row.get("Level") or 0)
    stock = shop.stock.set_level(item, where, amount) if absolute else shop.stock.change_level(item, where, amount)
    return view.level(shop, item, where, stock)


def update_stock_levels_bulk(call: Call) -> Answer:
    """Set levels by id or SKU; the answer has no body."""
    rows = call.rows("Items")
    for row in rows:
        sku = str(row.get("SKU") or row.get("StockItemId") or "")
        item = call.shop.stock.find(str(row.get("StockItemId") or "")) or call.shop.stock.find_sku(
            str(row.get("SKU") or "")
        )
        call.shop.stock.set_level(_writable(item, sku), _location_id(call.shop, row), int(row.get("StockLevel") or 0))
    return nothing(200)


def update_stock_minimum_level(call: Call) -> Answer:
    """Set the minimum level of an item at a location."""
    item = call.shop.stock.find(call.text("stockItemId"))
    if item is None:
        refuse("The stock item does not exist.")
    where = call.text("locationId")
    stock = call.shop.stock.level(item, where)
    stock.minimum = call.number("minimumLevel", 0)
    call.shop.stock.changed(item)
    return nothing()


HANDLERS: Final[dict[str, Handler]] = {
    "stock.GetStockItemsFull": get_stock_items_full,
    "stock.GetStockItems": get_stock_items,
    "stock.GetStockItemsFullByIds": get_stock_items_full_by_ids,
    "stock.GetStockItemsByIds": get_stock_items_by_ids,
    "stock.GetStockLevel": get_stock_level,
    "stock.GetStockLevel_Batch": get_stock_level_batch,
    "stock.GetStockLevelByLocation": get_stock_level_by_location,
    "stock.SKUExists": sku_exists,
    "stock.SetStockLevel": set_stock_level,
    "stock.UpdateStockLevelsBySKU": update_stock_levels_by_sku,
    "stock.UpdateStockLevelsBulk": update_stock_levels_bulk,
    "stock.UpdateStockMinimumLevel": update_stock_minimum_level,
}
