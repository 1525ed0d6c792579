"""Shipping: the carriers' integrations, the manifests filed with them, and what each manifest has in it."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import paged
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid, moment, read_moment
from linnworks_connector.sandbox.shop.orders import Order

VENDORS: Final = tuple(dict.fromkeys(service.vendor for service in ref.POSTAL_SERVICES if service.vendor))

Manifest = tuple[int, datetime, list[Order]]


def _account(vendor: str) -> str:
    return f"{''.join(letter for letter in vendor.upper() if letter.isalpha())[:4]}001"


def integrations(_: Call) -> Answer:
    """List the carriers that are set up."""
    return value(
        [
            {
                "pkShippingAPIConfigId": place,
                "Vendor": vendor,
                "VendorFriendlyName": f"{vendor} (main account)",
                "VendorIcon": "",
                "AccountId": _account(vendor),
                "LabelFormat": "PDF",
                "Services": sum(1 for service in ref.POSTAL_SERVICES if service.vendor == vendor),
                "ManifestPending": False,
                "LastManifestWithErrorId": 0,
                "ReadOnly": False,
                "Status": "ACTIVE",
                "QuoteEnabled": False,
                "QuoteOnlyIncludedServices": False,
                "PrinterConfig": {
                    "PrinterName": "Packing bench",
                    "LabelFormat": "PDF",
                    "MarginLeft": 0.0,
                    "MarginTop": 0.0,
                    "Duplex": False,
                    "UserConfig": [],
                    "PrintZoneConfig": [],
                },
            }
            for place, vendor in enumerate(VENDORS, 1)
        ]
    )


def _manifests(shop: Shop, vendor: str) -> Iterator[Manifest]:
    """Yield a carrier's manifests, oldest first: one for each day with orders that were sent with it."""
    days: dict[date, list[Order]] = {}
    for head in shop.orders.processed.between(None, None):
        order = shop.orders.read(head)
        if ref.POSTAL_SERVICES[order.postal].vendor == vendor and head.processed is not None and head.cancelled is None:
            days.setdefault(head.processed.date(), []).append(order)
    for day, orders in sorted(days.items()):
        filed = max(order.head.processed for order in orders if order.head.processed is not None)
        yield day.toordinal() * len(VENDORS) + VENDORS.index(vendor), filed, orders


def manifests(call: Call) -> Answer:
    """List a carrier's manifests that were filed between two moments, both included, a page at a time."""
    start, end = read_moment(call.args.get("from")), read_moment(call.args.get("to"))
    vendor = call.text("vendor")
    found = [
        (number, filed, orders)
        for number, filed, orders in (_manifests(call.shop, vendor) if vendor in VENDORS else ())
        if (start is None or filed >= start) and (end is None or filed <= end)
    ]
    page = paged(
        found, call.number("pageNumber", 1), call.number("entriesPerPage", 50), lambda row: _manifest(vendor, row)
    )
    return value(page)


def _manifest(vendor: str, manifest: Manifest) -> dict[str, Any]:
    number, filed, orders = manifest
    return {
        "ManifestId": number,
        "Date": moment(filed, number),
        "ExternalManifestId": guid("manifest", number),
        "Reference": f"M{number}",
        "IsError": False,
        "Vendor": vendor,
        "AccountId": _account(vendor),
        "NumConsignments": len(orders),
        "fkShippingAPIConfigId": VENDORS.index(vendor) + 1,
        "IsComplete": True,
    }


def consignments(call: Call) -> Answer:
    """List what is in a manifest, all on one page."""
    vendor, wanted = call.text("vendor"), call.number("pkManifestId", 0)
    found = (_manifests(call.shop, vendor) if vendor in VENDORS else ()) if call.text("accountId") else ()
    orders = next((orders for number, _, orders in found if number == wanted), [])
    return value(paged(orders, 1, max(len(orders), 1), _consignment))


def _consignment(order: Order) -> dict[str, Any]:
    service = ref.POSTAL_SERVICES[order.postal]
    return {
        "ConsignmentId": order.head.number,
        "OrderId": order.head.number,
        "Customer": order.address["FullName"],
        "Email": order.address["EmailAddress"],
        "PostalCode": order.address["PostCode"],
        "Country": order.address["Country"],
        "Weight": order.weight,
        "TrackingNumbers": [order.tracking],
        "Packages": 1,
        "ConsignmentPackages": [
            {
                "OrderReference": order.reference,
                "PackageSeqNo": 1,
                "Weight": order.weight,
                "Depth": 30.0,
                "Width": 20.0,
                "Height": 10.0,
                "PackageFormat": "Parcel",
                "TrackingNumber": order.tracking,
                "Value": order.totals()["subtotal"],
                "Items": [
                    {
                        "Name": line.title,
                        "Quantity": line.quantity,
                        "UnitValue": line.price,
                        "UnitValueCurrency": order.currency,
                    }
                    for line in order.lines
                ],
            }
        ],
        "Properties": [],
        "Deferred": False,
        "Service": service.name,
    }


HANDLERS: Final[dict[str, Handler]] = {
    "shippingservice.GetIntegrations": integrations,
    "shippingservice.GetFiledManifestsByVendor": manifests,
    "shippingservice.GetConsignmentsByManifest": consignments,
}
