"""Purchase orders: search, create, change, deliver."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.inventory import item_of
from linnworks_connector.sandbox.paging import paged
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid, moment, read_moment
from linnworks_connector.sandbox.shop.purchase_orders import (
    DELIVERED,
    OPEN,
    PARTIAL,
    PENDING,
    PurchaseLine,
    PurchaseOrder,
)

_STATUSES: Final = (PENDING, OPEN, PARTIAL, DELIVERED)


def purchase_order(call: Call, name: str = "pkPurchaseId") -> PurchaseOrder:
    """Return the purchase order of an argument; refuse when there is none."""
    order = call.shop.purchases.orders.get(call.text(name))
    if order is None:
        refuse(f"There is no purchase order {call.text(name)}.")
    return order


def _line(order: PurchaseOrder, key: Any) -> PurchaseLine:
    for line in order.lines:
        if line.id == key:
            return line
    return refuse(f"The purchase order has no line {key}.")


def _header(order: PurchaseOrder) -> dict[str, Any]:
    tax = round(sum(line.tax for line in order.lines), 2)
    total = round(sum(line.cost for line in order.lines) + order.postage, 2)
    shipping_tax = round(order.postage * order.postage_tax_rate / 100, 2)
    return {
        "pkPurchaseID": order.id,
        "fkSupplierId": order.supplier,
        "fkLocationId": order.location,
        "ExternalInvoiceNumber": order.reference,
        "Status": order.status,
        "Currency": order.currency,
        "SupplierReferenceNumber": order.supplier_reference,
        "Locked": False,
        "LineCount": len(order.lines),
        "DeliveredLinesCount": sum(1 for line in order.lines if line.delivered >= line.quantity),
        "UnitAmountTaxIncludedType": order.tax_type,
        "DateOfPurchase": moment(order.bought),
        "DateOfDelivery": moment(order.delivered),
        "QuotedDeliveryDate": moment(order.quoted, 3),
        "PostagePaid": order.postage,
        "TotalCost": total,
        "taxPaid": tax,
        "ShippingTaxRate": order.postage_tax_rate,
        "ConversionRate": order.rate,
        "ConvertedShippingCost": round(order.postage * order.rate, 2),
        "ConvertedShippingTax": round(shipping_tax * order.rate, 2),
        "ConvertedOtherCost": 0.0,
        "ConvertedOtherTax": 0.0,
        "ConvertedGrandTotal": round(total * order.rate, 2),
    }


def _item(shop: Shop, order: PurchaseOrder, line: PurchaseLine) -> dict[str, Any]:
    item = shop.stock.items[line.item]
    height, width, depth = item.size
    return {
        "pkPurchaseItemId": line.id,
        "fkStockItemId": item.id,
        "StockItemIntId": item.int_id,
        "Quantity": line.quantity,
        "Cost": line.cost,
        "Delivered": line.delivered,
        "TaxRate": line.tax_rate,
        "Tax": line.tax,
        "PackQuantity": line.pack_quantity,
        "PackSize": line.pack_size,
        "SKU": item.sku,
        "ItemTitle": item.title,
        "InventoryTrackingType": 0,
        "IsDeleted": False,
        "SortOrder": order.lines.index(line) if line in order.lines else 0,
        "DimHeight": height,
        "DimWidth": width,
        "BarcodeNumber": item.barcode,
        "DimDepth": depth,
        "BoundToOpenOrdersItems": 0,
        "BinRack": "",
        "QuantityBoundToOpenOrdersItems": 0,
        "SupplierCode": "",
        "SupplierBarcode": "",
        "SkuGroupIds": [],
    }


def search(call: Call) -> Answer:
    """Search by dates, status, reference, location and supplier."""
    start, end = read_moment(call.args.get("DateFrom")), read_moment(call.args.get("DateTo"))
    word = (call.text("ReferenceLike") or call.text("SearchValue")).lower()
    status, where, supplier = call.args.get("Status"), call.rows("Location"), call.rows("Supplier")
    found = [
        order
        for order in call.shop.purchases.orders.values()
        if (start is None or order.bought >= start)
        and (end is None or order.bought <= end)
        and status in (None, order.status)
        and (not where or order.location in where)
        and (not supplier or order.supplier in supplier)
        and word in f"{order.reference} {order.supplier_reference}".lower()
    ]
    page = paged(found, call.number("PageNumber", 1), call.number("EntriesPerPage", 50), _header)
    return value(
        {
            "Result": page["Data"],
            "TotalPages": page["TotalPages"],
            "CurrentPageNumber": page["PageNumber"],
            "EntriesPerPage": page["EntriesPerPage"],
            "TotalNumberOfRecords": page["TotalEntries"],
        }
    )


def show(call: Call) -> Answer:
    """Show one purchase order with its lines."""
    order = purchase_order(call)
    delivered = [
        {
            "fkDeliveryId": 0,
            "pkDeliveryRecordId": place + 1,
            "fkPurchaseItemId": line.id,
            "fkStockLocationId": order.location,
            "UnitCost": round(line.cost / max(line.quantity, 1), 4),
            "DeliveredQuantity": line.delivered,
            "CreatedDateTime": moment(order.delivered),
            "ModifiedDateTime": moment(order.delivered),
            "fkBatchInventoryId": 0,
        }
        for place, line in enumerate(order.lines)
        if line.delivered
    ]
    return value(
        {
            "NoteCount": len(order.notes),
            "PurchaseOrderHeader": _header(order),
            "PurchaseOrderItem": [_item(call.shop, order, line) for line in order.lines],
            "AdditionalCosts": [],
            "PaymentStatements": [],
            "DeliveredRecords": delivered,
        }
    )


def create(call: Call) -> Answer:
    """Create a purchase order without lines, PENDING; the answer is its id."""
    purchases = call.shop.purchases
    key = guid(call.shop.seed, "purchase", len(purchases.orders), call.shop.now())
    now = call.shop.now()
    order = PurchaseOrder(
        id=key,
        supplier=ZERO_GUID,
        location=ZERO_GUID,
        reference="",
        currency="GBP",
        status=PENDING,
        bought=now,
        quoted=now,
    )
    _fill(order, call)
    purchases.add(order)
    return value(key)


def _fill(order: PurchaseOrder, call: Call) -> None:
    """Set all fields of the header: what is left out is cleared, as the vendor does."""
    order.supplier = call.text("fkSupplierId", ZERO_GUID)
    order.location = call.text("fkLocationId", ZERO_GUID)
    order.reference = call.text("ExternalInvoiceNumber")
    order.currency = call.text("Currency")
    order.supplier_reference = call.text("SupplierReferenceNumber")
    order.tax_type = call.number("UnitAmountTaxIncludedType", 0)
    order.bought = read_moment(call.args.get("DateOfPurchase")) or order.bought
    order.quoted = read_moment(call.args.get("QuotedDeliveryDate")) or order.quoted
    order.postage = float(call.args.get("PostagePaid") or 0.0)
    order.postage_tax_rate = float(call.args.get("ShippingTaxRate") or 0.0)
    order.rate = float(call.args.get("ConversionRate") or 0.0)


def update_header(call: Call) -> Answer:
    """Replace the header's fields; those left out are cleared."""
    order = purchase_order(call, "pkPurchaseID")
    call.shop.purchases.change(order, lambda changed: _fill(changed, call))
    return value(_header(order))


def change_status(call: Call) -> Answer:
    """Change the status."""
    order, status = purchase_order(call), call.text("status")
    call.shop.purchases.change(order, lambda changed: setattr(changed, "status", status))
    return value(_header(order))


def _make_line(call: Call, order: PurchaseOrder, sent: dict[str, Any], item_key: str) -> PurchaseLine:
    item = item_of(call.shop, sent.get(item_key))
    return PurchaseLine(
        id=guid(order.id, "line", len(order.lines), call.shop.now()),
        item=item.index,
        quantity=int(sent.get("Qty") or 0),
        cost=float(sent.get("Cost") or 0.0),
        tax_rate=float(sent.get("TaxRate") or 0.0),
        pack_quantity=int(sent.get("PackQuantity") or 1),
        pack_size=int(sent.get("PackSize") or 1),
    )


def add_item(call: Call) -> Answer:
    """Add a line; `Cost` is the total of the line with tax."""
    order = purchase_order(call)
    line = _make_line(call, order, call.args, "fkStockItemId")
    call.shop.purchases.change(order, lambda changed: changed.lines.append(line))
    return _line_answer(call, order, line)


def _line_answer(call: Call, order: PurchaseOrder, line: PurchaseLine) -> Answer:
    item = _item(call.shop, order, line)
    return value({"NewPurchaseOrderItem": item, "PurchaseOrderHeader": _header(order), "BatchInventoryId": 0})


def _set_line(line: PurchaseLine, sent: dict[str, Any], quantity: str) -> None:
    line.quantity = int(sent.get(quantity) or 0)
    line.cost = float(sent.get("Cost") or 0.0)
    line.tax_rate = float(sent.get("TaxRate") or 0.0)
    line.pack_quantity = int(sent.get("PackQuantity") or 1)
    line.pack_size = int(sent.get("PackSize") or 1)


def update_item(call: Call) -> Answer:
    """Change a line."""
    order = purchase_order(call)
    line = _line(order, call.args.get("pkPurchaseItemId"))
    call.shop.purchases.change(order, lambda _: _set_line(line, call.args, "Quantity"))
    return _line_answer(call, order, line)


def delete_item(call: Call) -> Answer:
    """Remove a line."""
    order = purchase_order(call)
    line = _line(order, call.args.get("pkPurchaseItemId"))
    call.shop.purchases.change(order, lambda changed: changed.lines.remove(line))
    return value(_header(order))


def modify_items(call: Call) -> Answer:
    """Add, change and remove lines at once."""
    order = purchase_order(call, "PurchaseId")
    touched: list[tuple[Any, PurchaseLine]] = []

    def change(changed: PurchaseOrder) -> None:
        gone = set(call.rows("ItemsToDelete"))
        changed.lines = [line for line in changed.lines if line.id not in gone]
        for sent in call.rows("ItemsToUpdate"):
            line = _line(changed, sent.get("PurchaseItemId"))
            _set_line(line, sent, "Qty")
            touched.append((sent.get("Id"), line))
        for sent in call.rows("ItemsToAdd"):
            line = _make_line(call, changed, sent, "StockItemId")
            changed.lines.append(line)
            touched.append((sent.get("Id"), line))

    call.shop.purchases.change(order, change)
    modified = [
        {
            "Id": key or ZERO_GUID,
            "PurchaseItemId": line.id,
            "StockItemId": call.shop.stock.items[line.item].id,
            "Qty": line.quantity,
            "BoundToOpenOrdersItems": 0,
            "QuantityBoundToOpenOrdersItems": 0,
            "Cost": line.cost,
            "TaxRate": line.tax_rate,
            "PackQuantity": line.pack_quantity,
            "PackSize": line.pack_size,
        }
        for key, line in touched
    ]
    return value({"ModifiedItems": modified, "PurchaseOrderHeader": _header(order)})


def deliver_item(call: Call) -> Answer:
    """Book goods of one line into stock: up to `Delivered`, or `AddToDelivered` more."""
    order = purchase_order(call)
    line = _line(order, call.args.get("pkPurchaseItemId"))
    more = call.number("AddToDelivered", 0) or call.number("Delivered", 0) - line.delivered
    call.shop.purchases.deliver(order, line, more)
    return _line_answer(call, order, line)


def deliver_all(call: Call) -> Answer:
    """Book everything that is still to come into stock."""
    order = purchase_order(call, "purchaseId")
    for line in order.lines:
        if line.delivered < line.quantity:
            call.shop.purchases.deliver(order, line, line.quantity - line.delivered)
    items = [_item(call.shop, order, line) for line in order.lines]
    return value({"PurchaseOrderItems": items, "PurchaseOrderHeader": _header(order)})


def deliver_quantities(call: Call) -> Answer:
    """Book quantities of lines into stock."""
    order = purchase_order(call)
    for row in call.rows("Items"):
        line = _line(order, row.get("pkPurchaseItemId"))
        call.shop.purchases.deliver(order, line, int(row.get("QuantityDelivered") or 0))
    return nothing()


def delete(call: Call) -> Answer:
    """Delete a purchase order."""
    call.shop.purchases.delete(purchase_order(call))
    return nothing()


def statuses(_: Call) -> Answer:
    """List the statuses."""
    return value(list(_STATUSES))


HANDLERS: Final[dict[str, Handler]] = {
    "purchaseorder.Search_PurchaseOrders": search,
    "purchaseorder.Search_PurchaseOrders2": search,
    "purchaseorder.Get_PurchaseOrder": show,
    "purchaseorder.Create_PurchaseOrder_Initial": create,
    "purchaseorder.Update_PurchaseOrderHeader": update_header,
    "purchaseorder.Change_PurchaseOrderStatus": change_status,
    "purchaseorder.Add_PurchaseOrderItem": add_item,
    "purchaseorder.Update_PurchaseOrderItem": update_item,
    "purchaseorder.Delete_PurchaseOrderItem": delete_item,
    "purchaseorder.Modify_PurchaseOrderItems_Bulk": modify_items,
    "purchaseorder.Deliver_PurchaseItem": deliver_item,
    "purchaseorder.Deliver_PurchaseItemAll": deliver_all,
    "purchaseorder.Deliver_PurchaseItems_WithQuantity": deliver_quantities,
    "purchaseorder.Delete_PurchaseOrder": delete,
    "purchaseorder.GetPurchaseOrderStatusList": statuses,
}
