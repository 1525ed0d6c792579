"""Orders as GET /v2/orders shows them."""

from typing import Any

import msgspec

from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid, moment
from linnworks_connector.sandbox.shop.items import Item
from linnworks_connector.sandbox.shop.orders import Line, Order
from linnworks_connector.sandbox.views import orders as classic

_STATUS_NAMES = ("UNPAID", "PAID", "RETURN", "PENDING", "RESEND")


def order_row(shop: Shop, order: Order) -> dict[str, Any]:
    """Return a row: the open shape for an open order, the processed shape otherwise. Missing dates are null here."""
    head = order.head
    shipping = classic.shipping_info(order)
    shipping.pop("PostageCost")
    shipping.pop("PostageCostExTax")
    totals = classic.totals_info(order)
    totals.pop("ProfitMargin")
    return {
        "OrderId": head.id,
        "NumOrderId": head.number,
        "Processed": not head.is_open,
        "ProcessedOn": moment(head.processed, head.number + 4) if head.processed else None,
        "PaidOn": moment(head.paid, head.number + 6) if head.paid else None,
        "LastUpdated": moment(head.updated, head.number + 7),
        "FulfilmentLocationId": order.location,
        "GeneralInfo": _general_info(order),
        "ShippingInfo": shipping,
        "CustomerInfo": {
            "ChannelBuyerName": order.buyer,
            "Address": order.address,
            "BillingAddress": {key: text for key, text in order.billing.items() if key != "Continent"},
            "TaxId": order.tax_number,
        },
        "TotalsInfo": totals,
        "ExtendedProperties": order.properties,
        "Folders": order.folders,
        "Items": [_line(shop, order, line) for line in order.lines],
        "Notes": [{key: text for key, text in row.items() if key != "OrderId"} for row in classic.notes(order)],
        "TaxId": order.tax_number,
    }


def order_row_encoded(shop: Shop, order: Order) -> msgspec.Raw:
    """Return `order_row` as JSON, kept until the order changes."""
    return shop.encoded("order.v2", order.head.id, order.version, lambda: order_row(shop, order))


def _general_info(order: Order) -> dict[str, Any]:
    info = classic.general_info(order)
    for name in ("IsRuleRun", "PartShipped", "IsParked", "SiteCode", "HoldOrCancel", "Location", "PickwaveIds"):
        info.pop(name)
    info["NotesCount"] = info.pop("Notes")
    info["StatusDescription"] = _STATUS_NAMES[order.status]
    info["Identifiers"] = [{"Tag": row["Tag"], "Name": row["Name"]} for row in info["Identifiers"]]
    if order.head.is_open:
        return {**info, "IsParked": order.parked, "IsMerged": False, "IsLocked": order.locked, "IsRuleRun": True}
    return {**info, "IsCancelled": order.head.cancelled is not None}


def _line(shop: Shop, order: Order, line: Line) -> dict[str, Any]:
    item = None if line.item is None else shop.stock.items[line.item]
    net, total = line.amounts()
    record = _bare_line(order, item, line.row_id, line.quantity, parent=None)
    record.update(
        {
            "IsService": line.service,
            "SKU": line.sku,
            "Title": line.title,
            "PricePerUnit": line.price,
            "UnitCost": line.unit_cost,
            "DespatchStockUnitCost": line.unit_cost,
            "Discount": line.discount,
            "TaxRate": line.tax_rate,
            "Cost": net,
            "CostIncTax": total,
            "SalesTax": round(total - net, 4),
            "TaxCostInclusive": line.tax_inclusive,
            "DiscountValue": round(line.price * line.quantity * line.discount / 100, 4),
            "Weight": line.weight,
            "ChannelSKU": line.channel_sku,
            "ChannelTitle": line.channel_title,
            "AdditionalInfo": [
                {"OptionId": guid(line.row_id, "option", place), "Property": name, "Value": text}
                for place, (name, text) in enumerate(line.options)
            ],
            "CompositeSubItems": [
                _bare_line(
                    order,
                    shop.stock.items[part],
                    guid(line.row_id, "part", part),
                    quantity * line.quantity,
                    parent=line.row_id,
                )
                for part, quantity in (item.components if item else ())
            ],
        }
    )
    return record


def _bare_line(order: Order, item: Item | None, row_id: str, quantity: int, *, parent: str | None) -> dict[str, Any]:
    category = ref.CATEGORIES[item.category] if item else ref.CATEGORIES[0]
    return {
        "RowId": row_id,
        "StockItemId": item.id if item else ZERO_GUID,
        "IsService": False,
        "IsUnlinked": item is None,
        "Quantity": quantity,
        "ParentItemId": parent,
        "StockItemIntId": item.int_id if item else 0,
        "ItemNumber": item.sku if item else "",
        "SKU": item.sku if item else "",
        "ItemSource": order.source,
        "Title": item.title if item else "",
        "CategoryId": category.id,
        "CategoryName": category.name,
        "PricePerUnit": 0.0,
        "UnitCost": item.purchase_price if item else 0.0,
        "DespatchStockUnitCost": item.purchase_price if item else 0.0,
        "Discount": 0.0,
        "TaxRate": 0.0,
        "Cost": 0.0,
        "CostIncTax": 0.0,
        "SalesTax": 0.0,
        "TaxCostInclusive": True,
        "DiscountValue": 0.0,
        "Weight": item.weight if item else 0.0,
        "BarcodeNumber": item.barcode if item else "",
        "ChannelSKU": "",
        "ChannelTitle": "",
        "BatchNumberScanRequired": False,
        "SerialNumberScanRequired": False,
        "BinRacks": [],
        "AddedDate": moment(order.head.received, order.head.number + 2),
    }
