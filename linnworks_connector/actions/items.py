"""Changes some fields of a stock item: UpdateInventoryItem clears those that are left out (observed)."""

from collections.abc import Mapping
from typing import Any, Final

from connector_host.contract.code import Calls
from connector_host.contract.errors import RecordRejected

__all__ = ["UpdateItem"]

_FIELDS: Final[Mapping[str, str]] = {
    "title": "ItemTitle",
    "barcode": "BarcodeNumber",
    "retail_price": "RetailPrice",
    "purchase_price": "PurchasePrice",
    "weight": "Weight",
    "height": "Height",
    "width": "Width",
    "depth": "Depth",
}
"""Fields of a record, and what the vendor calls them."""
_READ_ONLY: Final = frozenset({"Available"})
"""What the vendor's specification marks as readable alone."""


class UpdateItem:
    """Reads the item of an SKU, puts the record's fields into it, and sends it back."""

    async def push(self, calls: Calls, record: Mapping[str, Any]) -> Any:
        """Return the item's id. Raises RecordRejected where no item has the SKU."""
        sku = record["sku"]
        item = (await calls.call("inventory.GetInventoryItem", {"sKU": sku})).json()
        if not isinstance(item, Mapping) or str(item.get("ItemNumber", "")).lower() != sku.lower():
            raise RecordRejected(
                "Linnworks has no stock item with this SKU.", next_step="Correct the SKU; archived items have none."
            )
        changes = {name: record[key] for key, name in _FIELDS.items() if key in record}
        kept = {key: value for key, value in item.items() if key not in _READ_ONLY and value is not None}
        await calls.call("inventory.UpdateInventoryItem", {"inventoryItem": {**kept, **changes}})
        return {"StockItemId": item["StockItemId"]}
