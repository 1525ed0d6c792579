"""Every stream's records: valid, unique, as many as the shop's, and given for the documented permissions."""

import json

import pytest

from connector_host.contract.errors import PermissionMissing
from connector_host.contract.paths import get_path
from connector_host.contract.schemas import validator_for
from linnworks_connector.sandbox.shop import reference as ref

from .pulls import CONNECTOR, ROOT, STREAMS, connection_to, docs_of, key_of, needed_by

PROMISED = {
    "orders",
    "open_orders",
    "processed_orders",
    "processed_order_details",
    "order_notes",
    "order_audit_trail",
    "order_extended_properties",
    "order_identifiers",
    "draft_orders",
    "order_folders",
    "pick_waves",
    "stock_items",
    "stock_levels",
    "stock_changes",
    "stock_item_images",
    "stock_item_prices",
    "stock_item_titles",
    "stock_item_descriptions",
    "stock_item_extended_properties",
    "channel_skus",
    "compositions",
    "variation_groups",
    "variation_items",
    "product_identifiers",
    "supplier_stats",
    "batches",
    "bin_racks",
    "scrap_history",
    "low_stock",
    "purchase_orders",
    "suppliers",
    "returns",
    "refunds",
    "rmas",
    "stock_locations",
    "warehouse_transfers",
    "postal_services",
    "shipping_integrations",
    "shipping_manifests",
    "consignments",
    "categories",
    "channels",
    "countries",
    "payment_methods",
    "currency_rates",
    "rules",
    "email_templates",
    "import_register",
    "export_register",
}


def test_all_promised_streams_are_there():
    assert set(STREAMS) >= PROMISED


@pytest.mark.parametrize("name", STREAMS)
def test_records_are_valid_and_have_unique_keys(pulled, name):
    stream, records = STREAMS[name], pulled[name]
    assert records
    validator = validator_for(json.loads((ROOT / stream.record_schema).read_text()))
    problems = [
        f"{list(error.absolute_path)}: {error.message}" for each in records for error in validator.iter_errors(each)
    ]
    assert problems == []
    keys = [key_of(stream, record) for record in records]
    assert not any(part is None for key in keys for part in key)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", STREAMS)
def test_sample_is_a_record(name):
    stream = STREAMS[name]
    sample = json.loads((ROOT / "schemas" / "samples" / f"{name}.json").read_text())
    validator_for(json.loads((ROOT / stream.record_schema).read_text())).validate(sample)
    assert None not in key_of(stream, sample)


def listed(shop):
    return list(shop.stock.listed())


def details(shop, rows):
    return sum(len(getattr(shop.stock.details(item), rows)) for item in listed(shop))


def orders_of(shop):
    return [shop.orders.read(head) for head in shop.orders.heads.values()]


COUNTS = {
    "orders": lambda shop: len(shop.orders),
    "open_orders": lambda shop: len(shop.orders.open),
    "processed_orders": lambda shop: len(shop.orders.processed),
    "processed_order_details": lambda shop: len(shop.orders.processed),
    "order_notes": lambda shop: sum(len(order.notes) for order in orders_of(shop)),
    "order_extended_properties": lambda shop: sum(len(order.properties) for order in orders_of(shop)),
    "order_identifiers": lambda shop: sum(len(order.identifiers) for order in orders_of(shop)),
    "order_audit_trail": lambda shop: sum(
        1 + (order.head.paid is not None) + (not order.head.is_open) for order in orders_of(shop)
    ),
    "draft_orders": lambda shop: len(shop.drafts),
    "order_folders": lambda shop: len(shop.folders),
    "stock_items": lambda shop: len(shop.stock),
    "stock_levels": lambda shop: sum(len(shop.stock.levels(item)) for item in listed(shop)),
    "stock_changes": lambda shop: sum(len(item.levels) for item in listed(shop)),
    "stock_item_audit_trail": lambda shop: len(shop.stock.items),
    "stock_item_images": lambda shop: details(shop, "images"),
    "stock_item_prices": lambda shop: details(shop, "prices"),
    "stock_item_titles": lambda shop: details(shop, "titles"),
    "stock_item_descriptions": lambda shop: details(shop, "descriptions"),
    "stock_item_extended_properties": lambda shop: details(shop, "properties"),
    "supplier_stats": lambda shop: details(shop, "suppliers"),
    "channel_skus": lambda shop: details(shop, "channel_skus"),
    "compositions": lambda shop: sum(len(item.components) for item in listed(shop)),
    "variation_groups": lambda shop: sum(item.variation_parent for item in listed(shop)),
    "variation_items": lambda shop: sum(item.variation_of is not None for item in listed(shop)),
    "bin_racks": lambda shop: len(
        {(place, level.bin_rack) for item in listed(shop) for place, level in item.levels.items() if level.bin_rack}
    ),
    "low_stock": lambda shop: sum(
        level.available < level.minimum for item in listed(shop) for level in item.levels.values()
    ),
    "purchase_order_headers": lambda shop: len(shop.purchases.orders),
    "purchase_orders": lambda shop: len(shop.purchases.orders),
    "purchase_order_notes": lambda shop: sum(len(order.notes) for order in shop.purchases.orders.values()),
    "consignments": lambda shop: sum(
        not order.head.is_open and order.head.cancelled is None and bool(ref.POSTAL_SERVICES[order.postal].vendor)
        for order in orders_of(shop)
    ),
    "warehouse_transfers": lambda shop: len(shop.transfers),
    "stock_locations": lambda shop: len(shop.locations),
    "categories": lambda _: len(ref.CATEGORIES),
    "channels": lambda _: len(ref.CHANNELS),
    "countries": lambda _: len(ref.COUNTRIES),
    "payment_methods": lambda _: len(ref.PAYMENT_METHODS),
    "suppliers": lambda _: len(ref.SUPPLIERS),
    "postal_services": lambda _: len(ref.POSTAL_SERVICES),
    "import_register": lambda shop: len(shop.imports),
    "export_register": lambda shop: len(shop.exports),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_stream_has_as_many_records_as_the_shop(shop_sandbox, pulled, name):
    with shop_sandbox.shop.lock:
        assert len(pulled[name]) == COUNTS[name](shop_sandbox.shop)


def test_ids_lead_from_stream_to_stream(pulled):
    def ids(name, field):
        return {get_path(record, field) for record in pulled[name]}

    assert ids("stock_levels", "StockItemId") <= ids("stock_items", "StockItemId")
    assert ids("stock_levels", "Location.StockLocationId") <= ids("stock_locations", "StockLocationId")
    assert ids("compositions", "StockItemId") <= ids("stock_items", "StockItemId")
    assert ids("variation_items", "pkVariationItemId") == ids("variation_groups", "pkVariationItemId")
    assert ids("order_notes", "pkOrderId") <= ids("orders", "OrderId")
    assert ids("order_audit_trail", "pkOrderId") == ids("orders", "OrderId")
    assert ids("purchase_order_notes", "pkPurchaseID") <= ids("purchase_orders", "PurchaseOrderHeader.pkPurchaseID")
    assert ids("returns", "pkOrderID") <= ids("processed_orders", "pkOrderID")
    assert ids("consignments", "ManifestId") == ids("shipping_manifests", "ManifestId")
    assert ids("supplier_stats", "SupplierID") <= ids("suppliers", "pkSupplierID")


@pytest.mark.parametrize("name", [name for name in STREAMS if needed_by(name)[1]])
def test_a_stream_needs_just_the_permissions_that_are_documented(shop_sandbox, name):
    _, nodes = needed_by(name)
    short = [CONNECTOR.permission_names.short(node) for node in nodes]
    assert "| Permissions | " + ", ".join(f"`{node}`" for node in sorted(short)) + " |" in docs_of(name)
    with connection_to(shop_sandbox, scope=" ".join(short)) as connection:
        assert list(connection.pull(name, limit=1))
    with (
        connection_to(shop_sandbox, scope="Nothing.AtAll", orders_api="classic") as connection,
        pytest.raises(PermissionMissing) as caught,
    ):
        list(connection.pull(name, limit=1))
    assert set(caught.value.missing) <= set(nodes)
