"""What follows from the shop: histories, audit trails, what runs low, transfers, racks, returns."""

import pytest

from linnworks_connector.sandbox.shop import reference as ref

ZERO = ref.LOCATIONS[0].id


def simple(client):
    used = {part for item in client.sandbox.shop.stock.items for part, _ in item.components}
    return next(item for item in client.sandbox.shop.stock.listed() if ZERO in item.levels and item.index not in used)


def changes(client, item, **more):
    answer = client.get(
        "Stock/GetItemChangesHistory", stockItemId=item.id, entriesPerPage=50, pageNumber=1, **more
    ).json()
    return answer["Data"]


def test_every_change_of_a_level_is_in_its_history_newest_first(client):
    item = simple(client)
    before = changes(client, item, locationId=ZERO)
    assert [row["Note"] for row in before] == ["First delivery"]
    client.sandbox.shop.stock.change_level(item, ZERO, 7)
    client.sandbox.control.set_stock(item.id, ZERO, 55)
    after = changes(client, item, locationId=ZERO)
    assert [(row["Level"], row["Note"]) for row in after[:1]] == [(55, "Level set")]
    assert (after[1]["Note"], after[1]["ChangeQty"]) == ("Level changed", 7)
    assert [row["Level"] - row["ChangeQty"] for row in after] == [row["Level"] for row in after[1:]] + [0]
    assert changes(client, item, locationId=ref.LOCATIONS[3].id) == [] or ref.LOCATIONS[3].id in item.levels
    assert client.get("Stock/GetItemChangesHistory", stockItemId=ref.LOCATIONS[1].id).json()["Data"] == []


def test_the_audit_of_items_is_one_list_for_all_of_them(client):
    item = simple(client)
    start = client.sandbox.control.clock.now().isoformat()
    client.sandbox.shop.stock.change_level(item, ZERO, -1)
    client.sandbox.control.archive_item(item.id)
    body = {"request": {"FromDate": start, "ToDate": "2099-01-01T00:00:00Z", "PageSize": 10, "PageNumber": 1}}
    answer = client.post("Inventory/GetInventoryItemAuditTrailPaged", body).json()
    assert [(row["StockItemId"], row["AuditType"]) for row in answer["Items"]] == [
        (item.id, "STOCK LEVEL CHANGED"),
        (item.id, "ITEM ARCHIVED"),
    ]
    assert answer["Items"][0]["AuditText"] == "Level changed by -1"
    assert answer["TotalItems"] == 2


def test_what_falls_below_its_minimum_runs_low(client):
    item = simple(client)
    item.levels[ZERO].minimum = 10_000

    def skus(**more):
        return [row["ItemNumber"] for row in client.get("Dashboards/GetLowStockLevel", numRows=1, **more).json()]

    assert skus(locationId=ZERO) == skus() == [item.sku]


def test_what_happened_to_an_order(client):
    order = next(iter(client.sandbox.shop.orders.open))
    client.sandbox.control.process_order(order)
    single = client.get("Orders/GetOrderAuditTrail", orderId=order).json()
    many = client.post("Orders/GetOrderAuditTrailsByIds", {"OrderIds": [order, ref.LOCATIONS[1].id]}).json()
    assert many == {"AuditTrails": [{"pkOrderId": order, "AuditTrail": single}]}
    assert single[-1]["Tag"] == "DESPATCH"


def test_a_draft_is_found_by_id_and_in_no_list(client):
    drafts = client.get("Orders/GetDraftOrders").json()
    assert [row["OrderId"] for row in client.post("Orders/GetOrdersById", {"pkOrderIds": drafts}).json()] == drafts
    assert not set(drafts) & set(client.sandbox.shop.orders.heads)


def test_transfers_are_active_or_archived(client):
    everywhere = client.get("WarehouseTransfer/GetActiveTransfersAllLocations").json()
    archive = client.get("WarehouseTransfer/GetArchivedTransfers", pageNumber=1, entriesPerPage=50).json()["Data"]
    assert {row["Status"] for row in archive} == {"Delivered"}
    assert len(everywhere) + len(archive) == len(client.sandbox.shop.transfers)
    place = everywhere[0]["FromLocationId"]
    here = client.get("WarehouseTransfer/GetActiveTransfersForLocation", locationId=place).json()
    assert everywhere[0] in here
    basic = client.post("WarehouseTransfer/GetListTransfers", {"ids": [everywhere[0]["PkTransferId"]]}).json()
    assert basic == everywhere[:1]
    assert basic[0]["Bins"] == []
    full = client.get("WarehouseTransfer/GetTransferWithItems", pkTransferId=basic[0]["PkTransferId"]).json()
    assert len(full["Bins"][0]["BinItems"]) == full["NumberOfItems"]
    dates = {"start": "2000-01-01T00:00:00Z", "end": "2000-02-01T00:00:00Z", "pageNumber": 1, "entriesPerPage": 50}
    assert client.get("WarehouseTransfer/GetArchivedTransfersBetweenDates", **dates).json()["Data"] == []
    assert client.get("WarehouseTransfer/GetTransferWithItems", pkTransferId=ZERO).status_code == 400


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({}, "dates are required"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, "maximum range is 3 months"),
    ],
)
def test_the_history_of_returns_spans_three_months_at_most(client, dates, words):
    refused = client.get("ReturnsRefunds/SearchReturnsRefundsPaged", dateType="BOOKED", historyType="RETURNS", **dates)
    assert refused.status_code == 400
    assert words in refused.json()["Message"]


def test_headers_of_refunds_are_open_or_done(start):
    client = start(orders=400)

    def headers(name):
        rows = client.post(f"ReturnsRefunds/{name}", {"request": {"Page": 1}}).json()["RefundHeaders"]
        assert client.post(f"ReturnsRefunds/{name}", {"request": {"Page": 2}}).json()["RefundHeaders"] == []
        return rows

    waiting, done = headers("GetActionableRefundHeaders"), headers("GetProcessedOrAckedErrorRefundHeaders")
    assert {row["Status"]["StatusHeader"] for row in waiting} == {"OPEN"}
    assert {row["Status"]["StatusHeader"] for row in done} == {"PROCESSED"}
    found = client.get("ReturnsRefunds/SearchReturnsRefundsPaged", dateType="ALLDATES", historyType="REFUNDS").json()
    assert found["TotalEntries"] == len(waiting) + len(done)


def test_a_bin_rack_is_found_by_name_and_by_what_lies_in_it(client):
    item = simple(client)
    item.levels[ZERO].bin_rack = "Z99-1"

    def racks(**more):
        asked = {"LocationId": ZERO, "BinRack": "", "PageNumber": 1, **more}
        return client.post("Stock/SearchBinracks", {"request": asked}).json()["BinRacks"]

    assert [row["BinRack"] for row in racks(BinRack="z99")] == ["Z99-1"]
    assert [row["BinRack"] for row in racks(StockItemId=item.id)] == ["Z99-1"]
    assert racks(PageNumber=99) == []
