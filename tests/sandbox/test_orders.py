"""Reading orders: open, processed, and by last update."""

import pytest

from .conftest import ZERO

SEARCH = "ProcessedOrders/SearchProcessedOrders"


def open_ids(client, where=ZERO):
    return client.post("Orders/GetAllOpenOrders", {"fulfilmentCenter": where}).json()


def search(client, start, end, **body):
    request = {
        "FromDate": start,
        "ToDate": end,
        "DateField": "processed",
        "PageNumber": 1,
        "ResultsPerPage": 500,
        **body,
    }
    return client.post(SEARCH, {"request": request})


def rows(answer):
    return answer.json()["ProcessedOrders"]["Data"]


def test_all_open_orders_of_a_location_come_at_once(start):
    client = start(orders=200)
    locations = [row["StockLocationId"] for row in client.get("Inventory/GetStockLocations").json()]
    found = [key for where in locations for key in open_ids(client, where)]
    assert sorted(found) == sorted(client.sandbox.shop.orders.open)
    assert 20 <= len(found) <= 40


def test_no_location_is_the_default_location(client):
    assert client.post("Orders/GetAllOpenOrders", {}).json() == open_ids(client)
    assert open_ids(client)


def field(code, **test):
    return {"FieldCode": f"GENERAL_INFO_{code}", **test}


FILTERS = {
    "text": ({"TextFields": [field("SOURCE", Type="Equal", Text="amazon")]}, lambda o: o.source == "AMAZON"),
    "list": ({"ListFields": [field("SUBSOURCE", Type="Not", Value="EBAY0_UK")]}, lambda o: o.sub_source != "EBAY0_UK"),
    "number": ({"NumericFields": [field("STATUS", Type="Equal", Value=1)]}, lambda o: o.status == 1),
    "flag": ({"BooleanFields": [field("PARKED", Value=True)]}, lambda o: o.parked),
    "date": (
        {"DateFields": [field("DATE", Type="Range", DateFrom="2026-11-18T00:00:00Z")]},
        lambda o: o.head.received.isoformat() >= "2026-11-18",
    ),
}


@pytest.mark.parametrize(("filters", "passes"), FILTERS.values(), ids=FILTERS)
def test_open_orders_can_be_filtered(start, filters, passes):
    client = start(orders=300)
    shop = client.sandbox.shop
    found = client.post("Orders/GetAllOpenOrders", {"filters": filters, "fulfilmentCenter": ZERO}).json()
    expected = [key for key in open_ids(client) if passes(shop.orders.find(key))]
    assert found == expected


def test_open_orders_can_be_sorted(client):
    sorting = [{"FieldCode": "GENERAL_INFO_ORDER_ID", "Direction": "Descending", "Order": 0}]
    page = client.post("Orders/GetOpenOrders", {"pageNumber": 1, "entriesPerPage": 100, "sorting": sorting}).json()
    numbers = [order["NumOrderId"] for order in page["Data"]]
    assert numbers == sorted(numbers, reverse=True)


def test_the_list_of_open_orders_has_zero_totals_where_the_details_have_them(client):
    page = client.post("Orders/GetOpenOrders", {"pageNumber": 1, "entriesPerPage": 3, "fulfilmentCenter": ZERO}).json()
    assert page["TotalEntries"] == len(open_ids(client))
    assert {order["TotalsInfo"]["TotalCharge"] for order in page["Data"]} == {0}
    ids = [order["OrderId"] for order in page["Data"]]
    details = client.post("OpenOrders/GetOpenOrdersDetails", {"OrderIds": ids, "DetailLevel": ["NOTES"]}).json()
    assert [order["OrderId"] for order in details["Orders"]] == ids
    assert all(order["TotalsInfo"]["TotalCharge"] > 0 for order in details["Orders"])


def test_views_of_open_orders_are_paged(client):
    body = {"ViewId": 1, "LocationId": ZERO, "EntriesPerPage": 4, "PageNumber": 2}
    page = client.post("OpenOrders/GetOpenOrders", body).json()
    ids = client.post("OpenOrders/GetOpenOrderIds", body).json()
    assert [order["OrderId"] for order in page["Data"]] == ids["Data"] == open_ids(client)[4:8]


def test_totals_add_up(start):
    client = start(orders=300)
    ids = list(client.sandbox.shop.orders.heads)
    for order in client.post("Orders/GetOrdersById", {"pkOrderIds": ids}).json():
        totals = order["TotalsInfo"]
        lines = sum(line["CostIncTax"] for line in order["Items"])
        assert totals["TotalCharge"] == pytest.approx(lines + totals["PostageCost"] - totals["TotalDiscount"], abs=0.02)
        assert totals["TotalCharge"] > 0


def test_orders_by_id_are_open_or_processed_and_unknown_ones_left_out(client):
    shop = client.sandbox.shop
    ids = [next(iter(shop.orders.open)), shop.orders.processed.between(None, None)[0].id, ZERO]
    found = client.post("Orders/GetOrdersById", {"pkOrderIds": ids}).json()
    assert [(order["OrderId"], order["Processed"]) for order in found] == [(ids[0], False), (ids[1], True)]
    assert found[0]["ProcessedDateTime"] == "0001-01-01T00:00:00"
    assert found[0]["Items"]
    assert found[0]["CustomerInfo"]["Address"]["EmailAddress"].endswith("@example.com")


def test_single_orders_by_id_number_and_reference(client):
    head = next(iter(client.sandbox.shop.orders.open.values()))
    by_id = client.get("Orders/GetOrderById", pkOrderId=head.id).json()
    reference = by_id["GeneralInfo"]["ReferenceNum"]
    assert client.get("Orders/GetOrderDetailsByNumOrderId", OrderId=head.number).json() == by_id
    assert client.get("Orders/GetOrderDetailsByReferenceId", ReferenceId=reference).json() == [by_id]
    assert client.post("Orders/GetOrder", {"orderId": head.id, "loadItems": True}).json()["OrderId"] == head.id
    assert client.post("Orders/GetOrders", {"ordersIds": [head.id], "loadItems": False}).json()[0]["Items"] == []
    assert client.get("Orders/GetOrderById", pkOrderId=ZERO).json() is None


def test_composite_children_carry_resolved_quantities(start):
    client = start(orders=400, items=400)
    shop = client.sandbox.shop
    ids = list(shop.orders.heads)
    lines = [
        line for order in client.post("Orders/GetOrdersById", {"pkOrderIds": ids}).json() for line in order["Items"]
    ]
    composite = next(line for line in lines if line["CompositeSubItems"] and line["Quantity"] > 1)
    item = shop.stock.find(composite["StockItemId"])
    assert [child["Quantity"] for child in composite["CompositeSubItems"]] == [
        quantity * composite["Quantity"] for _, quantity in item.components
    ]


def test_unknown_enum_values_and_fields_occur(start):
    client = start(orders=200)
    orders = client.post("Orders/GetOrdersById", {"pkOrderIds": list(client.sandbox.shop.orders.heads)}).json()
    infos = [order["GeneralInfo"] for order in orders]
    assert any(info["StockAllocationType"] == "Reserved" for info in infos)
    assert any("ChannelRiskScore" in info for info in infos)


@pytest.mark.parametrize("dates", [{}, {"FromDate": "", "ToDate": ""}, {"FromDate": "2026-01-01T00:00:00Z"}])
def test_a_search_without_dates_is_refused(client, dates):
    assert client.post(SEARCH, {"request": {"DateField": "processed", "PageNumber": 1, **dates}}).status_code == 400


def test_a_search_page_has_at_most_500_rows(start):
    client = start(orders=700)
    page = search(client, "2020-01-01", "2030-01-01", ResultsPerPage=5000).json()["ProcessedOrders"]
    assert (len(page["Data"]), page["EntriesPerPage"], page["TotalEntries"], page["TotalPages"]) == (500, 500, 595, 2)


def test_windows_are_inclusive_at_both_ends(client):
    head = client.sandbox.shop.orders.processed.between(None, None)[5]
    edge = head.processed.isoformat()
    before = [row["pkOrderID"] for row in rows(search(client, "2020-01-01", edge))]
    after = [row["pkOrderID"] for row in rows(search(client, edge, "2030-01-01"))]
    assert before[-1] == after[0] == head.id
    assert len(before) + len(after) == len(client.sandbox.shop.orders.processed) + 1


def test_searches_by_other_dates_filters_terms_and_order(client):
    everything = rows(search(client, "2020-01-01", "2030-01-01", DateField="received"))
    wanted = [row["pkOrderID"] for row in everything if row["Source"] == "AMAZON"]
    filters = [{"SearchField": "Source", "SearchTerm": "AMAZON"}]
    found = rows(search(client, "2020-01-01", "2030-01-01", DateField="received", SearchFilters=filters))
    assert [row["pkOrderID"] for row in found] == wanted
    one = everything[3]
    assert one in rows(search(client, "2020-01-01", "2030-01-01", SearchTerm=one["ReferenceNum"]))
    sorting = {"SortField": "nOrderId", "SortDirection": "DESC"}
    numbers = [row["nOrderId"] for row in rows(search(client, "2020-01-01", "2030-01-01", SearchSorting=sorting))]
    assert numbers == sorted(numbers, reverse=True)


def test_the_deprecated_search_reaches_back_three_months(start):
    client = start(orders=300)
    body = {"from": "2020-01-01", "to": "2030-01-01", "dateType": "PROCESSED", "pageNum": 1, "numEntriesPerPage": 500}
    old = client.post("ProcessedOrders/SearchProcessedOrdersPaged", body).json()
    new = search(client, "2020-01-01", "2030-01-01").json()["ProcessedOrders"]
    assert 0 < old["TotalEntries"] < new["TotalEntries"]


def test_what_hangs_on_a_processed_order(start):
    client = start(orders=400)
    shop = client.sandbox.shop
    heads = shop.orders.processed.between(None, None)

    def first(path):
        found = (client.get(f"ProcessedOrders/{path}", pkOrderId=head.id).json() for head in heads)
        return next(entries for entries in found if entries)

    for path in ("GetRefunds", "GetReturnsExchanges", "GetProcessedOrderNotes", "GetProcessedOrderExtendedProperties"):
        assert first(path), path
    assert client.get("ProcessedOrders/GetOrderInfo", pkOrderId=heads[0].id).json()["nOrderId"] == heads[0].number
    assert len(client.get("ProcessedOrders/GetProcessedAuditTrail", pkOrderId=heads[0].id).json()) == 3
    assert client.get("ProcessedOrders/GetOrderInfo", pkOrderId=next(iter(shop.orders.open))).status_code == 400


def test_refunds_add_up_to_no_more_than_was_paid(client):
    head = client.sandbox.shop.orders.processed.between(None, None)[0]
    total = client.get("ProcessedOrders/GetTotalRefunds", pkOrderId=head.id).json()

    def refund(amount):
        item = {"Type": "FreeText", "RefundAmount": amount, "Reason": "Late"}
        return client.post("ProcessedOrders/RefundFreeText", {"pkOrderId": head.id, "refundItems": [item]})

    assert refund(total["Refundable"] + 1).status_code == 400
    assert refund(1.0).status_code == 200
    after = client.get("ProcessedOrders/GetTotalRefunds", pkOrderId=head.id).json()
    assert after["Amount"] == pytest.approx(total["Amount"] + 1)


def v2(client, **params):
    answer = client.gateway("GET", "/v2/orders", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body, [row["OrderId"] for row in [*body["OpenOrders"], *body["ProcessedOrders"]]]


def all_v2(client, **params):
    body, ids = v2(client, **params)
    while body["NextSearchToken"]:
        body, more = v2(client, searchToken=body["NextSearchToken"])
        ids += more
    return ids


def test_v2_pages_by_token_until_there_is_none(client):
    ids = all_v2(client, includeProcessed=True, entriesPerPage=7)
    assert sorted(ids) == sorted(client.sandbox.shop.orders.heads)
    assert len(set(ids)) == len(ids)


def test_v2_shows_open_orders_unless_it_is_told_more(client):
    shop = client.sandbox.shop
    body, ids = v2(client)
    assert sorted(ids) == sorted(shop.orders.open)
    assert body["TotalOrders"] == len(ids)
    assert {"IsLocked", "IsParked"} <= set(body["OpenOrders"][0]["GeneralInfo"])
    paid = [key for key in ids if shop.orders.find(key).status == 1]
    assert sorted(v2(client, onlyPaid=True)[1]) == sorted(paid)
    local = [key for key in ids if shop.orders.find(key).location == ZERO]
    assert sorted(v2(client, locationId=ZERO)[1]) == sorted(local)


def test_v2_from_date_is_the_last_update(client):
    shop = client.sandbox.shop
    key = next(iter(shop.orders.open))
    client.sandbox.control.advance(60)
    since = shop.clock.now().isoformat()
    client.sandbox.control.edit_order(key, tracking="T")
    assert v2(client, fromDate=since, includeProcessed=True)[1] == [key]
    client.sandbox.control.process_order(key)
    body, _ = v2(client, fromDate=since, includeProcessed=True)
    assert body["ProcessedOrders"][0]["Processed"]
    assert body["ProcessedOrders"][0]["ProcessedOn"]


def test_v2_misses_nothing_that_changes_while_it_is_paged(client):
    shop = client.sandbox.shop
    body, ids = v2(client, includeProcessed=True, entriesPerPage=5)
    while body["NextSearchToken"]:
        moved = next((key for key in shop.orders.open if key not in ids), None)
        if moved:
            client.sandbox.control.process_order(moved)
        body, more = v2(client, searchToken=body["NextSearchToken"])
        ids += more
    assert set(ids) == set(shop.orders.heads)


def test_v2_by_ids_disregards_the_rest(client):
    head = client.sandbox.shop.orders.processed.between(None, None)[0]
    assert v2(client, id=head.id, fromDate="2030-01-01T00:00:00Z")[1] == [head.id]
    unknown = client.gateway("GET", "/v2/orders", params={"searchToken": head.id})
    assert unknown.status_code == 404


def test_a_tenant_without_v2_answers_404(start):
    client = start(v2_orders=False)
    assert client.gateway("GET", "/v2/orders").status_code == 404
    assert open_ids(client)


def test_fulfilment_status(client):
    key = next(iter(client.sandbox.shop.orders.open))
    path = f"/v2/orders/{key}/fulfillment-status"
    assert client.gateway("GET", path).json()["FulfillmentStatus"] == "Unassigned"
    assert client.gateway("PUT", path, json={"FulfillmentStatus": "accepted"}).json()["FulfillmentStatus"] == "Accepted"
    both = [{"OrderId": key, "FulfillmentStatus": "Submitted"}, {"OrderId": ZERO, "FulfillmentStatus": "Submitted"}]
    done = client.gateway("POST", "/v2/orders/fulfillment-status", json=both).json()
    assert done["ResultStatus"] == "PARTIALLY_SUCCESSFUL"
    listed = client.gateway("GET", "/v2/orders/fulfillment-status", params={"fulfillmentStatus": "Submitted"}).json()
    assert listed == [{"OrderId": key, "FulfillmentStatus": "Submitted"}]
