"""Orders as the classic operations show them: details, open orders, rows of the processed-order search."""

from typing import Any, Final

import msgspec

from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import NULL_DATE, ZERO_GUID, guid, moment
from linnworks_connector.sandbox.shop.items import Item
from linnworks_connector.sandbox.shop.orders import Line, Order

_ODD_ONES: Final = 89
_LOCATION_NAMES: Final = {location.id: location.name for location in ref.LOCATIONS}


def identifiers(order: Order) -> list[dict[str, Any]]:
    """Return an order's identifiers."""
    return [
        {"IdentifierId": key, "IsCustom": custom, "ImageId": ZERO_GUID, "ImageUrl": "", "Tag": tag, "Name": name}
        for key, tag, name, custom in ref.IDENTIFIERS
        if key in order.identifiers
    ]


def allocation(order: Order) -> str:
    """Return the state of an order's stock; one order in a while has a value that no document lists."""
    if order.locked:
        return "NotAllocated"
    return "Reserved" if order.head.number % _ODD_ONES == 0 else "Full"


def general_info(order: Order) -> dict[str, Any]:
    """Return GeneralInfo. Marker is the tag, 7 when parked."""
    head = order.head
    info = {
        "Status": order.status,
        "LabelPrinted": order.label_printed,
        "LabelError": "",
        "InvoicePrinted": order.invoice_printed,
        "InvoicePrintError": "",
        "PickListPrinted": order.pick_list_printed,
        "PickListPrintError": "",
        "IsRuleRun": True,
        "Notes": len(order.notes),
        "PartShipped": False,
        "Marker": 7 if order.parked else order.tag or 0,
        "IsParked": order.parked,
        "Identifiers": identifiers(order),
        "ReferenceNum": order.reference,
        "SecondaryReference": order.secondary_reference,
        "ExternalReferenceNum": order.external_reference,
        "ReceivedDate": moment(head.received, head.number),
        "Source": order.source,
        "SubSource": order.sub_source,
        "SiteCode": order.site,
        "HoldOrCancel": order.hold,
        "DespatchByDate": moment(order.despatch_by, head.number + 1),
        "HasScheduledDelivery": False,
        "Location": order.location,
        "NumItems": len(order.lines),
        "PickwaveIds": [],
        "StockAllocationType": allocation(order),
    }
    if head.number % _ODD_ONES == 1:
        info["ChannelRiskScore"] = 0.12
    return info


def shipping_info(order: Order) -> dict[str, Any]:
    """Return ShippingInfo."""
    service = ref.POSTAL_SERVICES[order.postal]
    totals = order.totals()
    return {
        "Vendor": service.vendor,
        "PostalServiceId": service.id,
        "PostalServiceName": service.name,
        "TotalWeight": order.weight,
        "ItemWeight": order.weight,
        "PackageCategoryId": ref.PACKAGE_GROUPS[2][0],
        "PackageCategory": ref.PACKAGE_GROUPS[2][1],
        "PackageTypeId": guid("package-type", "Small parcel"),
        "PackageType": "Small parcel",
        "PostageCost": totals["postage"],
        "PostageCostExTax": totals["postage_net"],
        "TrackingNumber": order.tracking,
        "ManualAdjust": order.manual_adjust,
    }


def customer_info(order: Order) -> dict[str, Any]:
    """Return CustomerInfo."""
    return {"ChannelBuyerName": order.buyer, "Address": order.address, "BillingAddress": order.billing}


def totals_info(order: Order, *, zero: bool = False) -> dict[str, Any]:
    """Return TotalsInfo in the order's currency; `zero` is the quirk of GetOpenOrders."""
    totals = order.totals()
    if zero:
        totals = dict.fromkeys(totals, 0.0)
    payment = ref.PAYMENT_METHODS[order.payment]
    cost = sum(line.unit_cost * line.quantity for line in order.lines)
    return {
        "Subtotal": totals["subtotal"],
        "PostageCost": totals["postage"],
        "PostageCostExTax": totals["postage_net"],
        "Tax": totals["tax"],
        "TotalCharge": totals["total"],
        "PaymentMethod": payment[1],
        "PaymentMethodId": payment[0],
        "ProfitMargin": 0.0 if zero else round(totals["subtotal"] - cost / order.rate, 2),
        "TotalDiscount": totals["discount"],
        "Currency": order.currency,
        "CountryTaxRate": order.country_tax,
        "ConversionRate": order.rate,
    }


def line_item(shop: Shop, order: Order, line: Line) -> dict[str, Any]:
    """Return one line. The children of a composite carry resolved quantities."""
    item = None if line.item is None else shop.stock.items[line.item]
    net, total = line.amounts()
    record = _line(order, line.row_id, item, line.quantity)
    record.update(
        {
            "SKU": line.sku,
            "Title": line.title,
            "PricePerUnit": line.price,
            "UnitCost": line.unit_cost,
            "DespatchStockUnitCost": line.unit_cost,
            "Discount": line.discount,
            "Tax": round(total - net, 4),
            "TaxRate": line.tax_rate,
            "Cost": net,
            "CostIncTax": total,
            "IsService": line.service,
            "SalesTax": round(total - net, 4),
            "TaxCostInclusive": line.tax_inclusive,
            "Weight": line.weight,
            "ChannelSKU": line.channel_sku,
            "ChannelTitle": line.channel_title,
            "DiscountValue": round(line.price * line.quantity * line.discount / 100, 4),
            "AdditionalInfo": [
                {"pkOptionId": guid(line.row_id, "option", place), "Property": name, "Value": text}
                for place, (name, text) in enumerate(line.options)
            ],
        }
    )
    if item is not None:
        record["CompositeSubItems"] = [
            _line(order, guid(line.row_id, "part", part), shop.stock.items[part], quantity * line.quantity)
            for part, quantity in item.components
        ]
    return record


def _line(order: Order, row_id: str, item: Item | None, quantity: int) -> dict[str, Any]:
    stock = None if item is None else item.levels.get(order.location)
    bin_rack = stock.bin_rack if stock else ""
    return {
        "ItemId": item.id if item else ZERO_GUID,
        "ItemNumber": item.sku if item else "",
        "SKU": item.sku if item else "",
        "ItemSource": order.source,
        "Title": item.title if item else "",
        "Quantity": quantity,
        "CategoryName": ref.CATEGORIES[item.category].name if item else "",
        "CompositeAvailablity": 0,
        "StockLevelsSpecified": item is not None,
        "OnOrder": stock.due if stock else 0,
        "InOrderBook": stock.in_orders if stock else 0,
        "Level": stock.on_hand if stock else 0,
        "MinimumLevel": stock.minimum if stock else 0,
        "AvailableStock": stock.available if stock else 0,
        "PricePerUnit": 0.0,
        "UnitCost": item.purchase_price if item else 0.0,
        "DespatchStockUnitCost": item.purchase_price if item else 0.0,
        "Discount": 0.0,
        "Tax": 0.0,
        "TaxRate": 0.0,
        "Cost": 0.0,
        "CostIncTax": 0.0,
        "CompositeSubItems": [],
        "IsService": False,
        "SalesTax": 0.0,
        "TaxCostInclusive": True,
        "PartShipped": False,
        "Weight": item.weight if item else 0.0,
        "BarcodeNumber": item.barcode if item else "",
        "Market": 0,
        "ChannelSKU": "",
        "ChannelTitle": "",
        "DiscountValue": 0.0,
        "HasImage": False,
        "AdditionalInfo": [],
        "StockLevelIndicator": 2 if stock and stock.on_hand > 0 else 0,
        "ShippingCost": 0.0,
        "PartShippedQty": 0,
        "BatchNumberScanRequired": False,
        "SerialNumberScanRequired": False,
        "BinRack": bin_rack,
        "BinRacks": [
            {"Quantity": quantity, "BinRack": bin_rack, "Location": order.location, "BatchId": 0, "OrderItemBatchId": 0}
        ]
        if stock
        else [],
        "InventoryTrackingType": 0,
        "isBatchedStockItem": False,
        "IsWarehouseManaged": False,
        "IsUnlinked": item is None,
        "StockItemIntId": item.int_id if item else 0,
        "Boxes": [],
        "AddedDate": moment(order.head.received, order.head.number + 2),
        "RowId": row_id,
        "OrderId": order.head.id,
        "StockItemId": item.id if item else ZERO_GUID,
    }


def notes(order: Order) -> list[dict[str, Any]]:
    """Return an order's notes."""
    return [{**row, "NoteDate": moment(row["NoteDate"], order.head.number)} for row in order.notes]


def details(shop: Shop, order: Order) -> dict[str, Any]:
    """Return OrderDetails: what GetOrdersById answers."""
    head = order.head
    return {
        "OrderId": head.id,
        "NumOrderId": head.number,
        "Processed": not head.is_open,
        "ProcessedDateTime": moment(head.processed, head.number + 4),
        "FulfilmentLocationId": order.location,
        "GeneralInfo": general_info(order),
        "ShippingInfo": shipping_info(order),
        "CustomerInfo": customer_info(order),
        "TotalsInfo": totals_info(order),
        "ExtendedProperties": order.properties,
        "FolderName": order.folders,
        "Items": [line_item(shop, order, line) for line in order.lines],
        "Notes": notes(order),
        "PaidDateTime": moment(head.paid, head.number + 6),
        "TaxId": order.tax_number,
    }


def details_encoded(shop: Shop, order: Order) -> msgspec.Raw:
    """Return `details` as JSON, kept until the order or the stock of its items changes."""
    stock = shop.stock
    version = order.version + sum(
        stock.version(stock.items[line.item]) for line in order.lines if line.item is not None
    )
    return shop.encoded("order.details", order.head.id, version, lambda: details(shop, order))


def open_order(shop: Shop, order: Order, *, items: bool = True, zero_totals: bool = False) -> dict[str, Any]:
    """Return OpenOrder: what the lists of open orders show."""
    return {
        "NumOrderId": order.head.number,
        "GeneralInfo": general_info(order),
        "ShippingInfo": shipping_info(order),
        "CustomerInfo": customer_info(order),
        "TotalsInfo": totals_info(order, zero=zero_totals),
        "TaxInfo": {"TaxNumber": order.tax_number},
        "FolderName": order.folders,
        "IsPostFilteredOut": False,
        "CanFulfil": not order.locked,
        "Fulfillment": {"FulfillmentState": "Sufficient_Stock", "PurchaseOrderState": "Sufficient_PO"},
        "Items": [line_item(shop, order, line) for line in order.lines] if items else [],
        "HasItems": bool(order.lines),
        "TotalItemsSum": sum(line.quantity for line in order.lines),
        "OrderId": order.head.id,
    }


def processed_row(order: Order) -> dict[str, Any]:
    """Return ProcessedOrderWeb: a row of SearchProcessedOrders, with the prefixes its names carry."""
    head, address, billing = order.head, order.address, order.billing
    totals, service = order.totals(), ref.POSTAL_SERVICES[order.postal]
    cost = sum(line.unit_cost * line.quantity for line in order.lines)
    return {
        "pkOrderID": head.id,
        "cShippingAddress": ", ".join(filter(None, (address["Address1"], address["Town"], address["PostCode"]))),
        "dReceivedDate": moment(head.received, head.number),
        "dProcessedOn": moment(head.processed, head.number + 4),
        "timeDiff": round(((head.processed or head.received) - head.received).total_seconds() / 3600, 2),
        "fPostageCost": totals["postage"],
        "fTotalCharge": totals["total"],
        "PostageCostExTax": totals["postage_net"],
        "Subtotal": totals["subtotal"],
        "fTax": totals["tax"],
        "TotalDiscount": totals["discount"],
        "ProfitMargin": round(totals["subtotal"] - cost / order.rate, 2),
        "CountryTaxRate": order.country_tax,
        "nOrderId": head.number,
        "nStatus": order.status,
        "cCurrency": order.currency,
        "PostalTrackingNumber": order.tracking,
        "cCountry": address["Country"],
        "Source": order.source,
        "PostalServiceName": service.name,
        "PostalServiceCode": service.code,
        "Vendor": service.vendor,
        "BillingEmailAddress": billing["EmailAddress"],
        "ReferenceNum": order.reference,
        "SecondaryReference": order.secondary_reference,
        "ExternalReference": order.external_reference,
        "Address1": address["Address1"],
        "Address2": address["Address2"],
        "Address3": address["Address3"],
        "Town": address["Town"],
        "Region": address["Region"],
        "BuyerPhoneNumber": address["PhoneNumber"],
        "Company": address["Company"],
        "SubSource": order.sub_source,
        "ChannelBuyerName": order.buyer,
        "AccountName": ref.PAYMENT_METHODS[order.payment][1],
        "cFullName": address["FullName"],
        "cEmailAddress": address["EmailAddress"],
        "cPostCode": address["PostCode"],
        "dPaidOn": moment(head.paid, head.number + 6),
        "dCancelledOn": moment(head.cancelled, head.number) if head.cancelled else NULL_DATE,
        "PackageCategory": ref.PACKAGE_GROUPS[2][1],
        "PackageTitle": "Small parcel",
        "ItemWeight": order.weight,
        "TotalWeight": order.weight,
        "FolderCollection": ",".join(order.folders),
        "cBillingAddress": ", ".join(filter(None, (billing["Address1"], billing["Town"], billing["PostCode"]))),
        "BillingName": billing["FullName"],
        "BillingCompany": billing["Company"],
        "BillingAddress1": billing["Address1"],
        "BillingAddress2": billing["Address2"],
        "BillingAddress3": billing["Address3"],
        "BillingTown": billing["Town"],
        "BillingRegion": billing["Region"],
        "BillingPostCode": billing["PostCode"],
        "BillingCountryName": billing["Country"],
        "BillingPhoneNumber": billing["PhoneNumber"],
        "HoldOrCancel": order.hold,
        "IsResend": False,
        "IsExchange": False,
        "TaxId": order.tax_number,
        "FulfilmentLocationName": _LOCATION_NAMES.get(order.location, "Default"),
    }


def processed_row_encoded(shop: Shop, order: Order) -> msgspec.Raw:
    """Return `processed_row` as JSON, kept until the order changes."""
    return shop.encoded("order.processed", order.head.id, order.version, lambda: processed_row(order))
