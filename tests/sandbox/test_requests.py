"""How requests may come: forms and JSON, GET and POST, wrapped or not, in any case."""

import json

import pytest

from .conftest import ZERO


def item_id(client):
    return next(item.id for item in client.sandbox.shop.stock.listed() if item.levels)


@pytest.mark.parametrize("path", ["Stock/GetStockLevel", "stock/getstocklevel", "/STOCK//GETSTOCKLEVEL/"])
@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_a_read_may_be_called_in_any_way(client, path, way):
    args = {"stockItemId": item_id(client)}
    answer = {
        "query": lambda: client.get(path, **args),
        "form": lambda: client.form(path, **args),
        "json": lambda: client.post(path, args),
    }[way]()
    assert answer.status_code == 200
    assert answer.json()


def test_a_post_operation_may_be_called_with_get(client):
    answer = client.get("Orders/GetAllOpenOrders", fulfilmentCenter=ZERO)
    assert answer.json() == client.post("Orders/GetAllOpenOrders", {"fulfilmentCenter": ZERO}).json()


def test_lists_in_forms_are_json(client):
    ids = list(client.sandbox.shop.orders.open)[:3]
    answer = client.form("Orders/GetOrdersById", pkOrderIds=json.dumps(ids))
    assert [order["OrderId"] for order in answer.json()] == ids


def test_text_in_forms_may_be_in_quotation_marks(client):
    key = item_id(client)
    assert client.form("Stock/GetStockLevel", stockItemId=json.dumps(key)).json()


def test_names_are_read_in_any_case(client):
    assert len(client.post("Stock/GetStockItemsFull", {"EntriesPerPage": 3, "PAGENUMBER": 1}).json()) == 3


def test_a_form_may_hold_the_whole_request_under_one_name(client):
    ids = list(client.sandbox.shop.orders.open)[:2]
    answer = client.form("OpenOrders/GetOpenOrdersDetails", request=json.dumps({"OrderIds": ids}))
    assert [order["OrderId"] for order in answer.json()["Orders"]] == ids


def test_a_wrong_wrapper_is_ignored(client):
    key = item_id(client)
    right = client.post("Stock/GetStockItemsFullByIds", {"request": {"StockItemIds": [key]}})
    wrong = client.post("Stock/GetStockItemsFullByIds", {"StockItemIds": [key]})
    assert len(right.json()["StockItemsFullExtended"]) == 1
    assert wrong.status_code == 200
    assert wrong.json()["StockItemsFullExtended"] == []


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("Orders/GetOrdersById", {"pkOrderIds": ["x"]}, "pkOrderIds[0] is not a valid Guid"),
        ("Stock/GetStockItemsFull", {"pageNumber": "two"}, "pageNumber is not a whole number"),
        ("Stock/GetStockItemsFull", {"dataRequirements": ["Everything"]}, "dataRequirements[0] is not one of"),
        ("Orders/LockOrder", {"lockOrder": "maybe"}, "lockOrder is not true or false"),
        ("OpenOrders/GetOpenOrders", {"ViewId": 1}, "LocationId is not given"),
    ],
)
def test_a_request_that_cannot_be_read_names_the_field(client, path, body, where):
    answer = client.post(path, body)
    assert answer.status_code == 400
    assert where in answer.json()["Message"]


def test_unknown_paths_and_methods(client):
    assert client.post("Stock/NoSuchThing").status_code == 404
    assert client.post("Stock/GetStockItems", method="DELETE").status_code == 405
    assert client.gateway("PATCH", "/v2/orders").status_code == 405
    assert client.gateway("GET", "/v2/nothing").status_code == 404


def test_json_to_a_form_operation_looks_right_and_does_nothing(client):
    order = client.sandbox.shop.orders.edit(next(iter(client.sandbox.shop.orders.open)))
    order.parked, order.tag = False, None
    key = order.head.id
    assert client.post("Orders/ChangeOrderTag", {"orderIds": [key], "tag": 7}).json() == [key]
    assert not order.parked
    assert client.form("Orders/ChangeOrderTag", orderIds=json.dumps([key]), tag=7).json() == [key]
    assert order.parked


def test_v2_errors_are_problem_documents(client):
    answer = client.gateway("GET", "/v2/orders", params={"fromDate": "yesterday"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert {"type", "title", "status", "detail"} <= set(answer.json())
    assert client.gateway("GET", "/v2/orders", headers={}).json()["status"] == 401


def test_a_success_may_be_an_empty_body_or_a_bare_text(client):
    item = next(item for item in client.sandbox.shop.stock.listed() if not item.components)
    bulk = client.post("Stock/UpdateStockLevelsBulk", {"Items": [{"SKU": item.sku, "StockLevel": 4}]})
    assert (bulk.status_code, bulk.content) == (200, b"")
    assert isinstance(client.get("Inventory/GetNewItemNumber").json(), str)
    assert client.post("Orders/LockOrder", {"orderIds": [], "lockOrder": True}).status_code == 204


def test_the_same_request_gets_the_same_generated_answer(client, start):
    body = {"ChannelId": 1}
    first = client.post("Listings/GeteBayTemplates", {"parameters": body}).json()
    assert first == client.post("Listings/GeteBayTemplates", {"parameters": body}).json()
    assert first == start().post("Listings/GeteBayTemplates", {"parameters": body}).json()
