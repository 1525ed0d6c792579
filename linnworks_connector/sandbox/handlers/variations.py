"""Variation groups: a parent that cannot be sold, and the items that are its variants. A group's id is its parent's."""

from collections.abc import Callable
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.inventory import item_of
from linnworks_connector.sandbox.paging import paged, unique
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.items import Item


def _group(parent: Item) -> dict[str, Any]:
    return {"VariationSKU": parent.sku, "pkVariationItemId": parent.id, "VariationGroupName": parent.title}


def _parents(shop: Shop) -> list[Item]:
    return [item for item in shop.stock.listed() if item.variation_parent]


def _children(shop: Shop, parent: Item) -> list[Item]:
    return [item for item in shop.stock.listed() if item.variation_of == parent.index]


def _parent(shop: Shop, key: str) -> Item:
    item = shop.stock.find(key)
    if item is None or not item.variation_parent:
        refuse(f"There is no variation group {key}.")
    return item


def search(call: Call) -> Answer:
    """Search groups by name, by the parent's SKU, or by an SKU of a variant."""
    word, shop = call.text("searchText").lower(), call.shop
    kind = call.text("searchType", "VariationName")
    texts: dict[str, Callable[[Item], list[str]]] = {
        "VariationName": lambda parent: [parent.title],
        "ParentSKU": lambda parent: [parent.sku],
        "ItemSKU": lambda parent: [child.sku for child in _children(shop, parent)],
    }
    found = [parent for parent in _parents(shop) if any(word in text.lower() for text in texts[kind](parent))]
    return value(paged(found, call.number("pageNumber", 1), call.number("entriesPerPage", 100), _group))


def by_name(call: Call) -> Answer:
    """Show the group of a name; null when there is none."""
    wanted = call.text("variationName").lower()
    found = next((parent for parent in _parents(call.shop) if parent.title.lower() == wanted), None)
    return value(None if found is None else _group(found))


def by_parent(call: Call) -> Answer:
    """Show the group of a parent; null when there is none."""
    item = call.shop.stock.find(call.text("pkStockItemId"))
    return value(_group(item) if item is not None and item.variation_parent else None)


def items(call: Call) -> Answer:
    """List the variants of a group."""
    parent = call.shop.stock.find(call.text("pkVariationItemId"))
    return value([] if parent is None else _variants(call.shop, parent))


def _variants(shop: Shop, parent: Item) -> list[dict[str, Any]]:
    return [
        {"pkRowId": child.id, "pkStockItemId": child.id, "ItemNumber": child.sku, "ItemTitle": child.title}
        for child in _children(shop, parent)
    ]


def create(call: Call) -> Answer:
    """Make an item the parent of a group, with variants."""
    parent = item_of(call.shop, call.args.get("ParentStockItemId"), call.args.get("ParentSKU"))
    if parent.variation_parent:
        refuse(f"The item {parent.sku} is a variation group already.")
    _add(call.shop, parent, call.rows("VariationItemIds"))
    parent.variation_parent = True
    parent.title = call.text("VariationGroupName") or parent.title
    return value(_group(parent))


def _add(shop: Shop, parent: Item, ids: list[str]) -> None:
    children = [item_of(shop, key) for key in unique(ids)]
    for child in children:
        if child.variation_parent or child is parent:
            refuse(f"The item {child.sku} cannot be a variant: it is the parent of a group.")
    for child in children:
        child.variation_of = parent.index
        shop.stock.changed(child)
    shop.stock.changed(parent)


def add(call: Call) -> Answer:
    """Add variants to a group."""
    parent = _parent(call.shop, call.text("pkVariationItemId"))
    _add(call.shop, parent, call.rows("pkStockItemIds"))
    return value(_variants(call.shop, parent))


def rename(call: Call) -> Answer:
    """Rename a group."""
    parent = _parent(call.shop, call.text("pkVariationItemId"))
    parent.title = call.text("variationName")
    call.shop.stock.changed(parent)
    return nothing()


def remove(call: Call) -> Answer:
    """Take variants out of a group."""
    parent = _parent(call.shop, call.text("pkVariationItemId") or call.text("VariationItemId"))
    single = call.args.get("pkStockItemId")
    for key in unique([single] if single else call.rows("StockItemIds")):
        child = item_of(call.shop, key)
        if child.variation_of == parent.index:
            child.variation_of = None
            call.shop.stock.changed(child)
    return nothing()


def delete(call: Call) -> Answer:
    """Dissolve groups; their items stay."""
    single = call.args.get("pkVariationGroupId")
    for key in unique([single] if single else call.rows("VariationGroupsIdList")):
        parent = _parent(call.shop, key)
        for child in _children(call.shop, parent):
            child.variation_of = None
        parent.variation_parent = False
        call.shop.stock.changed(parent)
    return nothing()


HANDLERS: Final[dict[str, Handler]] = {
    "stock.SearchVariationGroups": search,
    "stock.GetVariationGroupByName": by_name,
    "stock.GetVariationGroupByParentId": by_parent,
    "stock.GetVariationItems": items,
    "stock.CreateVariationGroup": create,
    "stock.AddVariationItems": add,
    "stock.RenameVariationGroup": rename,
    "stock.DeleteVariationItem": remove,
    "stock.DeleteVariationItems": remove,
    "stock.DeleteVariationGroup": delete,
    "stock.DeleteVariationGroups": delete,
}
