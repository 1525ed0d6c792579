"""Creating orders and changing their state, with the rules that surprise people."""

import json

import pytest

from .conftest import ZERO

NEW = "11111111-2222-4333-8444-555555555555"


def simple(client, count=1):
    found = [item for item in client.sandbox.shop.stock.listed() if ZERO in item.levels]
    return found[0] if count == 1 else found[:count]


def order_body(client, **changes):
    item = simple(client)
    line = {"ChannelSKU": item.sku, "Qty": 2, "PricePerUnit": 12.0, "TaxRate": 20, "TaxCostInclusive": True}
    return {
        "Source": "SHOP",
        "SubSource": "Main",
        "ReferenceNumber": "R-1",
        "AutomaticallyLinkBySKU": True,
        "UseChannelTax": True,
        "PaymentStatus": "Unpaid",
        "DeliveryAddress": {"FullName": "Ann", "Country": "Germany", "Town": "Berlin"},
        "OrderItems": [line],
        **changes,
    }


def create(client, *orders, **changes):
    orders = orders or (order_body(client, **changes),)
    return client.post("Orders/CreateOrders", {"orders": list(orders), "location": "Default"})


def read(client, key):
    return client.post("Orders/GetOrdersById", {"pkOrderIds": [key]}).json()[0]


def tag(client, keys, number=None):
    data = {"orderIds": json.dumps(keys)}
    return client.form("Orders/ChangeOrderTag", **data, **({} if number is None else {"tag": number}))


def status(client, keys, number):
    return client.form("Orders/ChangeStatus", orderIds=json.dumps(keys), status=number)


def process(client, key):
    return client.post("Orders/ProcessOrder", {"orderId": key, "locationId": ZERO}).json()


@pytest.fixture
def key(client):
    (made,) = create(client).json()
    return made


@pytest.mark.parametrize("way", ["json", "form"])
def test_the_answer_is_a_bare_list_of_ids(client, way):
    orders = [order_body(client)]
    if way == "json":
        ids = client.post("Orders/CreateOrders", {"orders": orders, "location": "Default"}).json()
    else:
        ids = client.form("Orders/CreateOrders", orders=json.dumps(orders), location="Default").json()
    order = read(client, ids[0])
    assert order["GeneralInfo"]["ReferenceNum"] == "R-1"
    assert order["CustomerInfo"]["Address"]["Country"] == "Germany"
    assert order["TotalsInfo"]["TotalCharge"] == 24.0


def test_an_unpaid_order_is_saved_again_under_its_id(client, key):
    assert create(client, SecondaryReferenceNumber="S").json() == [key]
    assert read(client, key)["GeneralInfo"]["SecondaryReference"] == "S"
    assert client.sandbox.shop.journal.count("order.created") == 1


def test_a_paid_order_is_not_saved_again(client):
    (key,) = create(client, PaymentStatus="Paid").json()
    assert create(client, SecondaryReferenceNumber="S").json() == []
    assert read(client, key)["GeneralInfo"]["SecondaryReference"] == ""


def test_orders_are_told_apart_by_source_sub_source_and_reference(client, key):
    others = [create(client, **{name: "other"}).json()[0] for name in ("Source", "SubSource", "ReferenceNumber")]
    assert len({key, *others}) == 4


def test_seeded_orders_are_recognised_too(client):
    head = next(head for head in client.sandbox.shop.orders.open.values() if head.paid)
    known = client.sandbox.shop.orders.read(head)
    names = {"Source": known.source, "SubSource": known.sub_source, "ReferenceNumber": known.reference}
    assert create(client, **names).json() == []


def test_the_same_sku_on_two_lines_is_refused(client):
    line = order_body(client)["OrderItems"][0]
    refused = create(client, OrderItems=[line, {**line, "ChannelSKU": line["ChannelSKU"].lower()}])
    assert refused.status_code == 400
    assert "more than one line" in refused.json()["Message"]


def test_a_taken_id_is_refused(client, key):
    assert create(client, ReferenceNumber="R-2", pkOrderId=key).status_code == 400
    assert create(client, ReferenceNumber="R-2", pkOrderId=NEW).json() == [NEW]


def test_only_delivery_address_is_the_address(client):
    (key,) = create(client, DeliveryAddress=None, ShippingAddress={"FullName": "Ann"}).json()
    assert read(client, key)["CustomerInfo"]["Address"]["FullName"] == ""


def test_lines_are_linked_by_id_channel_sku_or_sku(client):
    item = simple(client)
    row = client.sandbox.shop.stock.edit_details(item).channel_skus
    row.append({"Source": "SHOP", "SubSource": "Main", "SKU": item.sku})
    line = {"Qty": 1, "PricePerUnit": 1}

    def linked(reference, line, *, automatically=False):
        (key,) = create(
            client, ReferenceNumber=reference, AutomaticallyLinkBySKU=automatically, OrderItems=[line]
        ).json()
        return read(client, key)["Items"][0]["StockItemId"]

    assert linked("by-id", {**line, "ItemNumber": "x", "StockItemId": item.id}) == item.id
    assert linked("by-channel", {**line, "ChannelSKU": item.sku}) == item.id
    row.clear()
    assert linked("not", {**line, "ChannelSKU": item.sku}) == ZERO
    assert linked("by-sku", {**line, "ItemNumber": item.sku}, automatically=True) == item.id


@pytest.mark.parametrize(("inclusive", "total"), [(True, 24.0), (False, 28.8)])
def test_whether_the_price_has_tax_in_it_makes_the_difference(client, inclusive, total):
    line = {**order_body(client)["OrderItems"][0], "TaxCostInclusive": inclusive}
    (key,) = create(client, OrderItems=[line]).json()
    assert read(client, key)["TotalsInfo"]["TotalCharge"] == pytest.approx(total)


def test_without_channel_tax_the_rate_is_the_items(client):
    item = simple(client)
    item.tax_rate = 5.0
    (key,) = create(client, UseChannelTax=False).json()
    assert read(client, key)["Items"][0]["TaxRate"] == 5.0


def test_direct_orders_arrive_parked(client, key):
    assert not read(client, key)["GeneralInfo"]["IsParked"]
    (direct,) = create(client, Source="DIRECT").json()
    assert read(client, direct)["GeneralInfo"]["IsParked"]
    (held,) = create(client, ReferenceNumber="R-3", OrderState="Hold").json()
    assert read(client, held)["GeneralInfo"]["HoldOrCancel"]


def test_notes_properties_and_identifiers_come_with_an_order(client):
    (key,) = create(
        client,
        Notes=[{"Note": "Hello", "Internal": True}],
        ExtendedProperties=[{"Name": "P", "Value": "V", "Type": "T"}],
        OrderIdentifierTags=["FRAGILE"],
    ).json()
    order = read(client, key)
    assert order["Notes"][0]["Note"] == "Hello"
    assert order["ExtendedProperties"][0]["Value"] == "V"
    assert order["GeneralInfo"]["Identifiers"][0]["Tag"] == "FRAGILE"


@pytest.mark.parametrize("changes", [{"ReferenceNumber": ""}, {"pkOrderId": "x"}, {"PaymentStatus": "Perhaps"}])
def test_what_cannot_be_saved_is_refused(client, changes):
    assert create(client, **changes).status_code == 400


def test_an_unknown_location_is_refused(client):
    body = {"orders": [order_body(client)], "location": "Nowhere"}
    assert client.post("Orders/CreateOrders", body).status_code == 400


def test_tag_7_parks_and_no_tag_unparks(client, key):
    assert tag(client, [key], 7).json() == [key]
    assert read(client, key)["GeneralInfo"]["IsParked"]
    tag(client, [key])
    assert not read(client, key)["GeneralInfo"]["IsParked"]
    tag(client, [key], 3)
    assert read(client, key)["GeneralInfo"]["Marker"] == 3
    assert tag(client, [key], 8).status_code == 400


def test_the_status_of_a_parked_order_does_not_change_though_the_answer_says_200(client, key):
    tag(client, [key], 7)
    assert status(client, [key], 1).json() == [key]
    assert read(client, key)["GeneralInfo"]["Status"] == 0
    tag(client, [key])
    status(client, [key], 1)
    order = read(client, key)
    assert order["GeneralInfo"]["Status"] == 1
    assert order["PaidDateTime"] != "0001-01-01T00:00:00"
    assert status(client, [key], 9).status_code == 400


def in_orders(client, item):
    rows = client.get("Stock/GetStockLevel", stockItemId=item.id).json()
    return next(row["InOrders"] for row in rows if row["Location"]["StockLocationId"] == ZERO)


def test_locking_gives_stock_back_and_parking_keeps_it(client):
    item = simple(client)
    before = in_orders(client, item)
    (key,) = create(client).json()
    assert in_orders(client, item) == before + 2
    tag(client, [key], 7)
    assert in_orders(client, item) == before + 2
    client.post("Orders/LockOrder", {"orderIds": [key], "lockOrder": True})
    assert in_orders(client, item) == before
    client.post("Orders/LockOrder", {"orderIds": [key], "lockOrder": False})
    assert in_orders(client, item) == before + 2


def test_stock_falls_only_when_the_order_is_processed(client):
    item = simple(client)
    before = item.levels[ZERO].on_hand
    allocated = in_orders(client, item)
    (key,) = create(client, PaymentStatus="Paid").json()
    assert item.levels[ZERO].on_hand == before
    assert process(client, key) == {"OrderId": key, "Processed": True, "Error": None}
    assert item.levels[ZERO].on_hand == before - 2
    assert in_orders(client, item) == allocated
    assert read(client, key)["Processed"]
    assert process(client, key)["Error"] == "The order has been processed already."
    assert client.sandbox.shop.journal.count("order.processed", key) == 1


def test_what_keeps_an_order_from_being_processed(client, key):
    assert process(client, key)["Error"] == "The order is not paid."
    tag(client, [key], 7)
    assert process(client, key)["Error"] == "The order is parked."
    assert process(client, ZERO)["Error"] == "The order was not found."


def test_the_order_that_works_create_unpark_pay_lock_track_process(client):
    (key,) = create(client, Source="DIRECT").json()
    tag(client, [key])
    status(client, [key], 1)
    client.post("Orders/LockOrder", {"orderIds": [key], "lockOrder": True})
    info = {"TrackingNumber": "JD1", "PostageCost": 4.5}
    done = client.post("Orders/SetOrderShippingInfo", {"orderId": key, "info": info}).json()
    assert done["ShippingInfo"]["TrackingNumber"] == "JD1"
    assert done["TotalsInfo"]["PostageCost"] == 4.5
    assert client.post("Orders/ProcessOrdersInBatch", {"ordersIds": [key]}).json()[0]["Processed"]
    assert client.sandbox.control.repeated_writes() == {}


def test_printing_and_folders_skip_locked_and_parked_orders(client):
    keys = [create(client, ReferenceNumber=f"P-{place}").json()[0] for place in range(3)]
    tag(client, keys[:1], 7)
    client.post("Orders/LockOrder", {"orderIds": keys[1:2], "lockOrder": True})
    for path in ("SetLabelsPrinted", "SetInvoicesPrinted", "ClearInvoicePrinted"):
        assert client.post(f"Orders/{path}", {"orderIds": keys}).json() == keys[2:]
    assert client.post("Orders/AssignToFolder", {"orderIds": keys, "folder": "Trade"}).json() == keys[2:]
    assert read(client, keys[2])["FolderName"] == ["Trade"]
    assert read(client, keys[2])["GeneralInfo"]["LabelPrinted"]
    client.post("Orders/UnassignToFolder", {"orderIds": keys, "folder": "Trade"})
    assert read(client, keys[2])["FolderName"] == []
    assert client.post("Orders/SetPickListPrinted", {"Request": {"OrderIds": keys}}).status_code == 204
    assert read(client, keys[2])["GeneralInfo"]["PickListPrinted"]


def test_cancelled_orders_are_processed_and_found_by_their_cancel_date(client, key):
    item = simple(client)
    allocated = in_orders(client, item)
    answer = client.post("Orders/CancelOrder", {"orderId": key, "fulfilmentCenter": ZERO, "note": "Changed mind"})
    assert isinstance(answer.json(), str)
    assert in_orders(client, item) == allocated - 2
    request = {"FromDate": "2020-01-01", "ToDate": "2030-01-01", "DateField": "cancelled", "PageNumber": 1}
    found = client.post("ProcessedOrders/SearchProcessedOrders", {"request": request}).json()["ProcessedOrders"]["Data"]
    assert key in [row["pkOrderID"] for row in found]
    assert client.post("Orders/CancelOrder", {"orderId": key}).status_code == 400


def test_deleted_orders_are_gone(client, key):
    assert client.post("Orders/DeleteOrder", {"orderId": key}).status_code == 204
    assert client.post("Orders/GetOrdersById", {"pkOrderIds": [key]}).json() == []
    assert create(client).status_code == 200


def test_orders_move_with_their_stock(client, key):
    item = simple(client)
    allocated = in_orders(client, item)
    where = client.get("Inventory/GetStockLocations").json()[1]["StockLocationId"]
    moved = client.post("Orders/MoveToLocation", {"orderIds": [key], "pkStockLocationId": where}).json()
    assert moved["OrdersMoved"] == [key]
    assert in_orders(client, item) == allocated - 2
    assert read(client, key)["FulfilmentLocationId"] == where


def test_shipping_methods_and_identifiers(client, key):
    name = "DPD Next Day"
    assert client.post("Orders/ChangeShippingMethod", {"orderIds": [key], "shippingMethod": name}).json() == [key]
    assert read(client, key)["ShippingInfo"]["PostalServiceName"] == name
    assert client.post("Orders/ChangeShippingMethod", {"orderIds": [key], "shippingMethod": "?"}).status_code == 400
    body = {"OrderIds": [key], "Tag": "FRAGILE"}
    assert client.post("OpenOrders/AssignOrderIdentifier", body).json() == {"Changed": [key], "NotChanged": []}
    assert client.post("OpenOrders/AssignOrderIdentifier", body).json() == {"Changed": [], "NotChanged": [key]}
    assert client.post("OpenOrders/UnassignOrderIdentifier", body).json()["Changed"] == [key]


def test_notes_and_extended_properties(client, key):
    client.post("Orders/SetOrderNotes", {"orderId": key, "orderNotes": [{"Note": "One", "Internal": True}]})
    client.post("Orders/AddOrdersNote", {"OrderIds": [key], "NoteText": "Two", "IsInternal": False})
    assert [row["Note"] for row in client.get("Orders/GetOrderNotes", orderId=key).json()] == ["One", "Two"]
    assert len(client.post("Orders/GetOrdersNotes", {"orderIds": [key]}).json()[key]) == 2
    pair = {"Name": "A", "Value": "1", "Type": "T"}
    client.post("Orders/SetExtendedProperties", {"orderId": key, "extendedProperties": [pair]})
    more = {"request": {"OrderId": key, "ExtendedProperties": [{**pair, "Name": "B"}]}}
    assert client.post("Orders/AddExtendedProperties", more).json()["ExtendedPropertiesInserted"] == 1
    assert [row["Name"] for row in client.get("Orders/GetExtendedProperties", orderId=key).json()] == ["A", "B"]


def test_lines_addresses_and_references_can_be_changed(client, key):
    second = simple(client, 2)[1]
    pricing = {"PricePerUnit": 10, "TaxRatePercentage": 20, "TaxInclusive": True}
    added = client.post(
        "Orders/AddOrderItem", {"orderId": key, "itemId": second.id, "quantity": 1, "linePricing": pricing}
    ).json()
    assert added["TotalsInfo"]["TotalCharge"] == 34
    row = added["Item"]["RowId"]
    changed = client.post("Orders/UpdateOrderItem", {"orderId": key, "orderItem": {"RowId": row, "Quantity": 3}}).json()
    assert changed["TotalsInfo"]["TotalCharge"] == 54
    client.post("Orders/RemoveOrderItem", {"orderId": key, "rowid": row})
    assert len(client.get("Orders/GetOrderItems", orderId=key).json()) == 1
    client.post("Orders/SetOrderCustomerInfo", {"orderId": key, "info": {"Address": {"Town": "Köln"}}})
    client.post("Orders/SetOrderGeneralInfo", {"orderId": key, "info": {"ExternalReferenceNum": "E"}})
    client.post("Orders/UpdateBillingAddress", {"orderId": key, "billingAddress": {"Town": "Bonn"}})
    client.post("Orders/SetOrderTotalsInfo", {"orderId": key, "info": {"PostageCost": 2}})
    order = read(client, key)
    assert order["CustomerInfo"]["Address"]["Town"] == "Köln"
    assert order["CustomerInfo"]["BillingAddress"]["Town"] == "Bonn"
    assert order["GeneralInfo"]["ExternalReferenceNum"] == "E"
    assert order["TotalsInfo"]["TotalCharge"] == 26


def test_serials_of_at_most_25_orders_are_shown_at_once(client):
    ids = [f"{place:08x}-2222-4333-8444-555555555555" for place in range(26)]
    path = "Orders/GetOrderItemRowSerialValuesByOrderIds"
    assert client.post(path, {"OrderIds": ids}).status_code == 400
    assert client.post(path, {"OrderIds": ids[:25]}).status_code == 200


def test_an_order_is_processed_by_its_reference(client):
    (key,) = create(client, PaymentStatus="Paid").json()
    done = client.post("Orders/ProcessOrderByOrderOrReferenceId", {"request": {"OrderOrReferenceId": "R-1"}}).json()
    assert (done["ProcessedState"], done["OrderId"]) == ("PROCESSED", key)
    again = client.post("Orders/ProcessOrderByOrderOrReferenceId", {"request": {"OrderOrReferenceId": "R-1"}}).json()
    assert again["ProcessedState"] == "NOT_FOUND"


def purchase(client, **header):
    body = {"createParameters": {"ExternalInvoiceNumber": "PO-9", "Currency": "GBP", "fkLocationId": ZERO, **header}}
    return client.post("PurchaseOrder/Create_PurchaseOrder_Initial", body).json()


def test_a_purchase_order_from_first_line_to_delivery(client):
    item = simple(client)
    key, before = purchase(client), item.levels[ZERO].on_hand
    line = {"pkPurchaseId": key, "fkStockItemId": item.id, "Qty": 10, "Cost": 120.0, "TaxRate": 20}
    added = client.post("PurchaseOrder/Add_PurchaseOrderItem", {"addItemParameter": line}).json()
    assert added["NewPurchaseOrderItem"]["Tax"] == 20.0
    row = added["NewPurchaseOrderItem"]["pkPurchaseItemId"]
    opened = {"changeStatusParameter": {"pkPurchaseId": key, "status": "OPEN"}}
    assert client.post("PurchaseOrder/Change_PurchaseOrderStatus", opened).json()["Status"] == "OPEN"
    due = item.levels[ZERO].due
    part = {"deliverItemParameter": {"pkPurchaseId": key, "pkPurchaseItemId": row, "AddToDelivered": 4}}
    done = client.post("PurchaseOrder/Deliver_PurchaseItem", part).json()
    assert done["PurchaseOrderHeader"]["Status"] == "PARTIAL"
    assert (item.levels[ZERO].on_hand, item.levels[ZERO].due) == (before + 4, due - 4)
    done = client.post("PurchaseOrder/Deliver_PurchaseItemAll", {"purchaseId": key}).json()
    assert done["PurchaseOrderHeader"]["Status"] == "DELIVERED"
    assert (item.levels[ZERO].on_hand, item.levels[ZERO].due) == (before + 10, due - 10)
    shown = client.post("PurchaseOrder/Get_PurchaseOrder", {"pkPurchaseId": key}).json()
    assert shown["PurchaseOrderItem"][0]["Delivered"] == 10


def test_a_purchase_order_header_loses_what_is_left_out(client):
    key = purchase(client, SupplierReferenceNumber="S")
    client.post(
        "PurchaseOrder/Update_PurchaseOrderHeader", {"updateParameter": {"pkPurchaseID": key, "Currency": "EUR"}}
    )
    shown = client.post("PurchaseOrder/Get_PurchaseOrder", {"pkPurchaseId": key}).json()["PurchaseOrderHeader"]
    assert (shown["Currency"], shown["SupplierReferenceNumber"], shown["ExternalInvoiceNumber"]) == ("EUR", "", "")


def test_purchase_orders_are_searched_changed_and_deleted(client):
    item, key = simple(client), purchase(client)
    body = {"searchParameter": {"ReferenceLike": "PO-9", "EntriesPerPage": 10, "PageNumber": 1}}
    found = client.post("PurchaseOrder/Search_PurchaseOrders", body).json()
    assert [row["pkPurchaseID"] for row in found["Result"]] == [key]
    rows = {"PurchaseId": key, "ItemsToAdd": [{"Id": NEW, "StockItemId": item.id, "Qty": 2, "Cost": 5, "TaxRate": 0}]}
    done = client.post("PurchaseOrder/Modify_PurchaseOrderItems_Bulk", {"request": rows}).json()
    assert (done["ModifiedItems"][0]["Id"], done["PurchaseOrderHeader"]["TotalCost"]) == (NEW, 5)
    line = done["ModifiedItems"][0]["PurchaseItemId"]
    change = {"pkPurchaseId": key, "pkPurchaseItemId": line, "Quantity": 3, "Cost": 9}
    assert client.post("PurchaseOrder/Update_PurchaseOrderItem", {"updateItemParameter": change}).status_code == 200
    client.post("PurchaseOrder/Add_PurchaseOrderNote", {"pkPurchaseId": key, "Note": "Late"})
    assert client.post("PurchaseOrder/Get_PurchaseOrderNote", {"pkPurchaseId": key}).json()[0]["Note"] == "Late"
    pairs = {"PurchaseId": key, "ExtendedPropertyItems": [{"PropertyName": "P", "PropertyValue": "V"}]}
    added = client.post("PurchaseOrder/Add_PurchaseOrderExtendedProperty", {"request": pairs}).json()
    assert added["Items"][0]["PropertyName"] == "P"
    gone = {"deleteItemParameter": {"pkPurchaseId": key, "pkPurchaseItemId": line}}
    assert client.post("PurchaseOrder/Delete_PurchaseOrderItem", gone).json()["LineCount"] == 0
    assert client.post("PurchaseOrder/Delete_PurchaseOrder", {"pkPurchaseId": key}).status_code == 204
    assert client.post("PurchaseOrder/Get_PurchaseOrder", {"pkPurchaseId": key}).status_code == 400


def test_imports_and_exports_are_listed_switched_run_and_deleted(client):
    register = client.get("ImportExport/GetImportList").json()["register"]
    assert [entry["Enabled"] for entry in register] == [True, False]
    assert client.post("ImportExport/EnableImport", {"importId": 2, "enable": True}).json()["Enabled"]
    before = client.get("ImportExport/GetExport", id=1).json()["Register"]["Started"]
    assert client.post("ImportExport/RunNowExport", {"exportId": 1}).status_code == 204
    assert client.get("ImportExport/GetExport", id=1).json()["Register"]["Started"] != before
    assert client.post("ImportExport/DeleteExport", {"id": 1}).status_code == 204
    assert client.get("ImportExport/GetExport", id=1).status_code == 400
