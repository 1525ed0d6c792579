"""Inventory: items and what is known about all of them (locations, categories, services, suppliers)."""

from collections.abc import Callable
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import unique
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid, read_moment
from linnworks_connector.sandbox.shop.items import Item, Level
from linnworks_connector.sandbox.views import stock as view

BULK_ITEMS: Final = 200
"""Most items that AddInventoryItemBulk takes."""
COLLISION: Final = (
    "Violation of PRIMARY KEY constraint. Cannot insert duplicate key. The duplicate key value is ({key})."
)
"""What a created row with a taken (or no) id answers."""

_NUMBERS: Final = (("PurchasePrice", "purchase_price"), ("RetailPrice", "retail_price"), ("Weight", "weight"))


def item_of(shop: Shop, item_id: str | None, sku: str | None = None) -> Item:
    """Return the item of an id, or of an SKU; refuse when there is none."""
    item = shop.stock.find(item_id) or shop.stock.find_sku(sku)
    if item is None:
        refuse(f"The stock item {item_id or sku} does not exist.")
    return item


def count_items(call: Call) -> Answer:
    """Count the items, with the archived ones if they are asked for."""
    archived = sum(1 for item in call.shop.stock.items if item.archived) if call.flag("includeArchived") else 0
    return value(len(call.shop.stock) + archived)


def get_item(call: Call) -> Answer:
    """Show one item by id or SKU; null when there is none."""
    shop = call.shop
    item = shop.stock.find(call.text("stockItemId") or call.text("id")) or shop.stock.find_sku(call.text("sKU"))
    return value(None if item is None else {"VariationGroupName": "", **view.short(shop, item, None)})


def new_item_number(call: Call) -> Answer:
    """Propose an SKU that is free."""
    number = len(call.shop.stock.items) + 1
    while call.shop.stock.find_sku(f"SKU-{number:05d}") is not None:
        number += 1
    return value(f"SKU-{number:05d}")


def ids_by_sku(call: Call) -> Answer:
    """Find ids by SKU; archived items do not resolve."""
    found = ((sku, call.shop.stock.find_sku(sku)) for sku in unique(call.rows("SKUS")))
    return value({"Items": [{"StockItemId": item.id, "SKU": item.sku} for _, item in found if item is not None]})


def _place(rows: Any, wanted: Any, key: Callable[[Any], str]) -> int:
    return next((place for place, row in enumerate(rows) if key(row) == wanted), 0)


def _fill(item: Item, sent: dict[str, Any]) -> None:
    """Set all fields of an item from a request: what is left out is cleared, as the vendor does."""
    item.title = str(sent.get("ItemTitle") or "")
    item.barcode = str(sent.get("BarcodeNumber") or "")
    item.metadata = str(sent.get("MetaData") or "")
    item.tax_rate = float(sent.get("TaxRate") or 0.0)
    for key, name in _NUMBERS:
        setattr(item, name, float(sent.get(key) or 0.0))
    height, width, depth = (float(sent.get(key) or 0.0) for key in ("Height", "Width", "Depth"))
    item.size = (height, width, depth)
    item.category = _place(ref.CATEGORIES, sent.get("CategoryId"), lambda row: row.id)
    item.postal = _place(ref.POSTAL_SERVICES, sent.get("PostalServiceId"), lambda row: row.id)
    item.package = _place(ref.PACKAGE_GROUPS, sent.get("PackageGroupId"), lambda row: row[0])


def _add(shop: Shop, sent: dict[str, Any]) -> Item:
    key, sku = str(sent.get("StockItemId") or ZERO_GUID), str(sent.get("ItemNumber") or "")
    if not sku:
        refuse("ItemNumber is required.")
    if key == ZERO_GUID or shop.stock.find(key) is not None:
        refuse(COLLISION.format(key=key))
    if shop.stock.find_sku(sku) is not None:
        refuse(f"The SKU {sku} exists.")
    item = Item(
        index=len(shop.stock.items),
        id=key,
        sku=sku,
        title="",
        barcode="",
        category=0,
        retail_price=0.0,
        purchase_price=0.0,
        tax_rate=0.0,
        weight=0.0,
        size=(0.0, 0.0, 0.0),
        postal=0,
        package=0,
        created=read_moment(sent.get("CreationDate")) or shop.now(),
        levels={ZERO_GUID: Level(0, minimum=int(sent.get("MinimumLevel") or 0))},
    )
    _fill(item, sent)
    shop.stock.add(item)
    return item


def add_item(call: Call) -> Answer:
    """Add an item. Its id comes from the client; without one, or with a taken one, the answer is a key collision."""
    _add(call.shop, call.args)
    return nothing()


def add_items(call: Call) -> Answer:
    """Add up to 200 items."""
    sent = call.rows("InventoryItems")
    if len(sent) > BULK_ITEMS:
        refuse(f"At most {BULK_ITEMS} items can be added at once.")
    added = [_add(call.shop, row).id for row in sent]
    results = [{"Result": key, "ResultStatus": "SUCCESSFUL", "Message": ""} for key in added]
    return value({"Results": results, "TotalResults": len(results), "ResultStatus": "SUCCESSFUL"})


def update_item(call: Call) -> Answer:
    """Replace an item's fields; those left out are cleared."""
    item = item_of(call.shop, call.text("StockItemId"))
    sku = call.text("ItemNumber")
    if sku and sku.lower() != item.sku.lower():
        if call.shop.stock.find_sku(sku) is not None:
            refuse(f"The SKU {sku} exists.")
        call.shop.stock.rename(item, sku)
    _fill(item, call.args)
    call.shop.stock.changed(item)
    call.shop.journal.record("item.updated", item.id)
    return nothing()


def update_field(call: Call) -> Answer:
    """Change one field of an item, by the name of its column."""
    item, text = item_of(call.shop, call.text("inventoryItemId")), call.text("fieldValue")
    match call.text("fieldName"):
        case "SKU":
            call.shop.stock.rename(item, text)
        case "Title":
            item.title = text
        case "Barcode":
            item.barcode = text
        case "RetailPrice":
            item.retail_price = _number(text)
        case "PurchasePrice":
            item.purchase_price = _number(text)
        case other:
            refuse(f"The field {other} cannot be changed.")
    call.shop.stock.changed(item)
    return value({"fieldName": call.text("fieldName"), "fieldValue": text})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        refuse(f"{text} is not a number.")


def _archiving(*, archived: bool) -> Handler:
    def handler(call: Call) -> Answer:
        for key in unique(call.rows("InventoryItemIds")):
            call.shop.stock.archive(item_of(call.shop, key), archived=archived)
        return nothing()

    return handler


def delete_items(call: Call) -> Answer:
    """Delete items for good."""
    ids = call.rows("inventoryItemIds") or call.record("request").get("InventoryItemIds") or []
    for key in unique(ids):
        call.shop.stock.delete(item_of(call.shop, key))
    return nothing()


def get_locations(call: Call) -> Answer:
    """List the stock locations; Default has the all-zero id."""
    return value([stock_location(location) for location in call.shop.locations.values()])


def stock_location(location: ref.Location) -> dict[str, Any]:
    """Return a stock location in full."""
    return {
        "Address1": "",
        "Address2": "",
        "City": "",
        "County": "",
        "Country": "United Kingdom",
        "ZipCode": "",
        "IsNotTrackable": False,
        "LocationTag": location.tag,
        "CountInOrderUntilAcknowledgement": False,
        "FulfilmentCenterDeductStockWhenProcessed": False,
        "IsWarehouseManaged": location.warehouse_managed,
        "StockLocationId": location.id,
        "LocationName": location.name,
        "IsFulfillmentCenter": location.fulfilment_center,
        "StockLocationIntId": location.int_id,
    }


def get_categories(_: Call) -> Answer:
    """List the categories."""
    rows = [
        {"CategoryId": kind.id, "CategoryName": kind.name, "StructureCategoryId": 0, "ProductCategoryId": 0}
        for kind in ref.CATEGORIES
    ]
    return value(rows)


def get_postal_services(_: Call) -> Answer:
    """List the postal services."""
    return value(
        [
            {
                "id": service.id,
                "hasMappedShippingService": bool(service.code),
                "Channels": [],
                "ShippingServices": [],
                "PostalServiceName": service.name,
                "PostalServiceTag": service.code,
                "ServiceCountry": "",
                "PostalServiceCode": service.code,
                "Vendor": service.vendor,
                "PrintModule": "",
                "PrintModuleTitle": "",
                "pkPostalServiceId": service.id,
                "TrackingNumberRequired": service.vendor == "DPD",
                "WeightRequired": False,
                "IgnorePackagingGroup": False,
                "fkShippingAPIConfigId": 0,
                "IntegratedServiceId": ZERO_GUID,
            }
            for service in ref.POSTAL_SERVICES
        ]
    )


def get_package_groups(_: Call) -> Answer:
    """List the package groups."""
    return value([{"Key": name, "Value": key} for key, name in ref.PACKAGE_GROUPS])


def get_suppliers(_: Call) -> Answer:
    """List the suppliers."""
    return value([_supplier(*row) for row in ref.SUPPLIERS])


def get_supplier(call: Call) -> Answer:
    """Show one supplier."""
    found = (row for row in ref.SUPPLIERS if row[0] == call.text("supplierId"))
    row = next(found, None)
    return value(_supplier(*row)) if row is not None else refuse("The supplier does not exist.")


def _supplier(key: str, name: str, currency: str, _: int) -> dict[str, Any]:
    slug = "".join(letter for letter in name.lower() if letter.isalpha())
    empty = ("ContactName", "Address", "AlternativeAddress", "City", "Region", "Country", "PostCode")
    numbers = ("TelephoneNumber", "SecondaryTelNumber", "FaxNumber", "WebPage")
    return {
        "pkSupplierID": key,
        "SupplierName": name,
        **dict.fromkeys(empty, ""),
        **dict.fromkeys(numbers, ""),
        "Email": f"sales@{slug}.example.com",
        "Currency": currency,
    }


def get_countries(_: Call) -> Answer:
    """List the countries."""
    return value(
        [
            {
                "CountryId": land.id,
                "CountryName": land.name,
                "CountryCode": land.code,
                "Continent": land.continent,
                "Currency": land.currency,
                "CustomsRequired": land.continent != "Europe",
                "TaxRate": land.tax,
                "AddressFormat": "",
                "Regions": [],
                "RegionsCount": 0,
            }
            for land in ref.COUNTRIES.values()
        ]
    )


def get_payment_methods(_: Call) -> Answer:
    """List the payment methods."""
    return value([{"Name": name, "CanDelete": False, "PaymentMethodId": key} for key, name in ref.PAYMENT_METHODS])


def get_location(call: Call) -> Answer:
    """Show one location."""
    found = call.shop.locations.get(call.text("pkStockLocationId", ZERO_GUID))
    return value(stock_location(found)) if found is not None else refuse("The location does not exist.")


def add_location(call: Call) -> Answer:
    """Add a location. Its id comes from the client, or is made."""
    name = call.text("LocationName")
    if not name:
        refuse("LocationName is required.")
    if name.lower() in (known.name.lower() for known in call.shop.locations.values()):
        refuse(f"The location {name} exists.")
    key = call.text("StockLocationId", ZERO_GUID)
    key = guid("location", name) if key == ZERO_GUID else key
    call.shop.locations[key] = _location(call, key, len(call.shop.locations) + 1)
    return nothing()


def update_location(call: Call) -> Answer:
    """Replace a location's fields."""
    key = call.text("StockLocationId", ZERO_GUID)
    known = call.shop.locations.get(key)
    if known is None:
        refuse("The location does not exist.")
    call.shop.locations[key] = _location(call, key, known.int_id)
    return nothing()


def _location(call: Call, key: str, number: int) -> ref.Location:
    return ref.Location(
        key,
        number,
        call.text("LocationName"),
        call.text("LocationTag"),
        fulfilment_center=call.flag("IsFulfillmentCenter"),
        warehouse_managed=call.flag("IsWarehouseManaged"),
    )


def delete_location(call: Call) -> Answer:
    """Delete a location; Default stays."""
    key = call.text("pkStockLocationId", ZERO_GUID)
    if key == ZERO_GUID:
        refuse("The Default location cannot be deleted.")
    if call.shop.locations.pop(key, None) is None:
        refuse("The location does not exist.")
    return nothing()


def get_time_zones(_: Call) -> Answer:
    """List the time zones."""
    return value({"TimeZones": [{"Id": "GMT Standard Time", "Name": "(UTC+00:00) Dublin, Edinburgh, Lisbon, London"}]})


HANDLERS: Final[dict[str, Handler]] = {
    "inventory.GetInventoryItemsCount": count_items,
    "inventory.GetInventoryItem": get_item,
    "inventory.GetInventoryItemById": get_item,
    "inventory.GetNewItemNumber": new_item_number,
    "inventory.GetStockItemIdsBySKU": ids_by_sku,
    "inventory.AddInventoryItem": add_item,
    "inventory.AddInventoryItemBulk": add_items,
    "inventory.UpdateInventoryItem": update_item,
    "inventory.UpdateInventoryItemField": update_field,
    "inventory.ArchiveInventoryItems": _archiving(archived=True),
    "inventory.UnarchiveInventoryItems": _archiving(archived=False),
    "inventory.DeleteInventoryItems": delete_items,
    "inventory.GetStockLocations": get_locations,
    "inventory.GetCategories": get_categories,
    "inventory.GetPostalServices": get_postal_services,
    "inventory.GetPackageGroups": get_package_groups,
    "inventory.GetSuppliers": get_suppliers,
    "inventory.GetSupplierDetails": get_supplier,
    "inventory.GetCountries": get_countries,
    "postalservices.GetPostalServices": get_postal_services,
    "orders.GetPaymentMethods": get_payment_methods,
    "locations.GetLocation": get_location,
    "locations.AddLocation": add_location,
    "locations.UpdateLocation": update_location,
    "locations.DeleteLocation": delete_location,
    "settings.GetAvailableTimeZones": get_time_zones,
}
