"""Filters leave just what they say, on every way to the records."""

import pytest

from .pulls import LEEDS, STREAMS, key_of, synced

FILTERS = {
    ("orders", "status", "open"): lambda record: not record["Processed"],
    ("orders", "status", "processed"): lambda record: record["Processed"],
    ("orders", "status", "paid"): lambda record: record["GeneralInfo"]["Status"] == 1,
    ("orders", "status", "unpaid"): lambda record: record["GeneralInfo"]["Status"] == 0,
    ("orders", "status", "parked"): lambda record: record["GeneralInfo"].get("IsParked", False),
    ("orders", "location", LEEDS.id): lambda record: record["FulfilmentLocationId"] == LEEDS.id,
    ("orders", "source", "EBAY"): lambda record: record["GeneralInfo"]["Source"] == "EBAY",
    ("orders", "sub_source", "Amazon DE"): lambda record: record["GeneralInfo"]["SubSource"] == "Amazon DE",
    ("open_orders", "status", "parked"): lambda record: record["GeneralInfo"]["IsParked"],
    ("open_orders", "location", LEEDS.id): lambda record: record["FulfilmentLocationId"] == LEEDS.id,
    ("processed_orders", "source", "AMAZON"): lambda record: record["Source"] == "AMAZON",
    ("processed_orders", "location", LEEDS.name): lambda record: record["FulfilmentLocationName"] == LEEDS.name,
    ("processed_order_details", "source", "AMAZON"): lambda record: record["GeneralInfo"]["Source"] == "AMAZON",
    ("stock_items", "category", "kitchen"): lambda record: record["CategoryName"] == "Kitchen",
    ("stock_levels", "location", LEEDS.id): lambda record: record["Location"]["StockLocationId"] == LEEDS.id,
    ("stock_item_prices", "sub_source", "Amazon DE"): lambda record: record["SubSource"] == "Amazon DE",
    ("channel_skus", "source", "SHOPIFY"): lambda record: record["Source"] == "SHOPIFY",
    ("product_identifiers", "type", "MPN"): lambda record: record["Type"] == "MPN",
    ("pick_waves", "status", "InProgress"): lambda record: record["State"] == "InProgress",
    ("low_stock", "location", LEEDS.id): lambda record: record["StockLocationId"] == LEEDS.id,
    ("purchase_orders", "status", "delivered"): lambda record: record["PurchaseOrderHeader"]["Status"] == "DELIVERED",
    ("purchase_order_headers", "status", "open"): lambda record: record["Status"] == "OPEN",
    ("refunds", "status", "open"): lambda record: record["RefundStatus"] == "OPEN",
    ("rmas", "status", "processed"): lambda record: record["Status"]["StatusHeader"] == "PROCESSED",
    ("warehouse_transfers", "status", "Delivered"): lambda record: record["Status"] == "Delivered",
    ("shipping_manifests", "vendor", "DPD"): lambda record: record["Vendor"] == "DPD",
    ("consignments", "vendor", "DPD"): lambda record: record["Vendor"] == "DPD",
    ("channels", "source", "EBAY"): lambda record: record["Source"] == "EBAY",
}


@pytest.mark.parametrize("case", FILTERS, ids=" ".join)
async def test_a_filter_leaves_just_what_it_says(shop_sandbox, pulled, tmp_path, case):
    name, which, value = case
    found = await synced(shop_sandbox, name, tmp_path, filters={which: value})
    wanted = [key_of(STREAMS[name], record) for record in pulled[name] if FILTERS[case](record)]
    assert sorted(key_of(STREAMS[name], record) for record in found) == sorted(wanted)
    assert 0 < len(wanted) < len(pulled[name])


@pytest.mark.parametrize(
    ("which", "value"),
    [("status", "open"), ("status", "paid"), ("location", LEEDS.id), ("source", "EBAY")],
)
async def test_filters_of_orders_hold_for_the_classic_way_too(shop_sandbox, pulled, tmp_path, which, value):
    found = await synced(shop_sandbox, "orders", tmp_path, filters={which: value}, orders_api="classic")
    wanted = {record["OrderId"] for record in pulled["orders"] if FILTERS["orders", which, value](record)}
    assert {record["OrderId"] for record in found} == wanted
