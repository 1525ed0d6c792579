import json

import httpx
import pytest

from linnworks_connector.sandbox.faults import FaultSyntaxError, parse_fault

FULL = "Stock/GetStockItemsFull"


def full(client, page=1, size=10):
    return client.post(FULL, {"pageNumber": page, "entriesPerPage": size})


@pytest.mark.parametrize(
    ("fault", "status", "headers", "text"),
    [
        ("stock.*:401:times=1", 401, {}, "Session is invalid"),
        ("stock.*:429:times=1", 429, {"retry-after": "1"}, "quota exceeded"),
        ("stock.*:429:retry_after=none:times=1", 429, {"retry-after": None}, "quota exceeded"),
        ("stock.*:429:retry_after=86400:times=1", 429, {"retry-after": "86400"}, "quota exceeded"),
        ("stock.*:429:retry_after=soon:times=1", 429, {"retry-after": "soon"}, "quota exceeded"),
        ("stock.*:503:times=1", 503, {}, "unavailable"),
        ("stock.*:500:message=it: broke:times=1", 500, {}, "it: broke"),
        ("STOCK.getstockitemsfull:html:times=1", 502, {"content-type": "text/html; charset=utf-8"}, "<html>"),
        ("*:quota_text:times=1", 400, {}, "API calls quota exceeded! Maximum admitted 150 per Minute."),
        ("*:quota_text:status=500:times=1", 500, {}, "API calls quota exceeded!"),
        ("*:empty:times=1", 200, {}, ""),
    ],
)
def test_a_fault_happens_once_and_then_all_is_well(client, fault, status, headers, text):
    client.sign_in()
    client.sandbox.control.set_fault(fault)
    answer = full(client)
    assert answer.status_code == status
    assert text in answer.text
    assert {name: answer.headers.get(name) for name in headers} == headers
    assert full(client).status_code == 200


def test_a_truncated_answer_ends_too_soon(client):
    client.sign_in()
    client.sandbox.control.set_fault("*:truncated:times=1")
    with pytest.raises(httpx.RemoteProtocolError):
        full(client)
    assert full(client).status_code == 200


def test_a_reset_connection_gives_no_answer(client):
    client.sign_in()
    client.sandbox.control.set_fault("*:reset:times=1")
    with pytest.raises(httpx.NetworkError):
        full(client)
    assert full(client).status_code == 200
    assert client.sandbox.control.statuses[0] == 1


def test_a_slow_answer_is_right(client):
    client.sign_in()
    client.sandbox.control.set_fault("*:slow:seconds=0.5:times=1")
    with pytest.raises(httpx.ReadTimeout):
        client.post(FULL, {}, timeout=0.05)
    assert full(client).status_code == 200


def test_a_duplicate_page_is_the_one_before(client):
    first = full(client, 1).json()
    client.sandbox.control.set_fault("*:duplicate_page:times=1")
    assert full(client, 2).json() == first
    assert full(client, 2).json() != first


def test_every_and_after_say_which_calls(client):
    client.sign_in()
    client.sandbox.control.set_fault("stock.*:500:every=3:after=1")
    assert [full(client).status_code for _ in range(8)] == [200, 200, 200, 500, 200, 200, 500, 200]


def test_probability_follows_the_seed(start):
    def outcomes():
        client = start(faults=("stock.*:503:probability=0.5",))
        return [full(client).status_code for _ in range(30)]

    first = outcomes()
    assert first == outcomes()
    assert {200, 503} == set(first)


def test_sign_in_can_fail_too(client):
    client.sandbox.control.set_fault("auth.*:500:times=1")
    assert client.sign_in().status_code == 500
    assert client.sign_in().status_code == 200


def test_a_lost_answer_may_hide_a_write_that_happened(client):
    shop = client.sandbox.shop
    item = next(item for item in shop.stock.listed() if not item.components and not item.variation_parent)
    level = {"stockLevels": [{"SKU": item.sku, "Level": 5, "LocationId": "00000000-0000-0000-0000-000000000000"}]}
    client.sign_in()
    client.sandbox.control.set_fault("stock.UpdateStockLevelsBySKU:reset:times=1:applied=yes")
    with pytest.raises(httpx.NetworkError):
        client.post("Stock/UpdateStockLevelsBySKU", level)
    assert shop.journal.count("stock.changed") == 1
    client.sandbox.control.set_fault("stock.UpdateStockLevelsBySKU:503:times=1")
    assert client.post("Stock/UpdateStockLevelsBySKU", level).status_code == 503
    assert shop.journal.count("stock.changed") == 1
    assert client.sandbox.control.repeated_writes() == {}
    client.post("Stock/UpdateStockLevelsBySKU", level)
    assert client.sandbox.control.repeated_writes() == {"stock.UpdateStockLevelsBySKU": 1}


def test_faults_are_cleared_by_pattern_or_all(client):
    control = client.sandbox.control
    control.set_fault("stock.*:500")
    control.set_fault("orders.*:500")
    assert control.clear_faults("stock.*") == 1
    assert full(client).status_code == 200
    assert control.clear_faults() == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stock.*", "expected PATTERN:KIND"),
        ("stock.*:boom", "unknown kind 'boom'"),
        ("stock.*:200", "status must be from 400 to 599"),
        ("stock.*:500:often", "unknown setting 'often'"),
        ("stock.*:500:times=many", "times=many"),
        ("stock.*:500:probability=2", "from 0 to 1"),
    ],
)
def test_a_fault_that_cannot_be_read_says_what_is_wrong(text, expected):
    with pytest.raises(FaultSyntaxError, match="fault") as raised:
        parse_fault(text)
    assert expected in str(raised.value)


def control(client, method, path, **kwargs):
    return client.http.request(method, f"{client.sandbox.address}/_sandbox/{path}", **kwargs)


def test_the_control_surface_drives_faults_clock_and_shop(client):
    client.sign_in()
    shop = client.sandbox.shop
    assert control(client, "POST", "faults", json={"fault": "stock.*:503:times=1"}).status_code == 200
    assert full(client).status_code == 503
    assert control(client, "GET", "faults").json()[0]["fired"] == 1
    assert control(client, "DELETE", "faults").json() == {"cleared": 1}

    before = shop.clock.now()
    control(client, "POST", "advance", json={"seconds": 90})
    assert (shop.clock.now() - before).total_seconds() == 90
    assert control(client, "POST", "expire-sessions").json() == {"expired": 1}

    key = next(iter(shop.orders.open))
    assert control(client, "PATCH", f"orders/{key}", json={"tracking": "T1"}).status_code == 200
    assert control(client, "POST", f"orders/{key}/process").status_code == 200
    assert key not in shop.orders.open
    assert control(client, "POST", f"orders/{key}/process").status_code == 404

    item = next(item for item in shop.stock.listed() if item.levels)
    moved = control(
        client, "POST", f"items/{item.sku}/stock", json={"location": next(iter(item.levels)), "quantity": 3}
    )
    assert moved.status_code == 200
    assert control(client, "POST", f"items/{item.sku}/archive").status_code == 200
    assert item not in list(shop.stock.listed())

    state = control(client, "GET", "state").json()
    assert state["shop"]["open_orders"] == len(shop.orders.open)
    assert state["calls"]["stock.GetStockItemsFull"] == 1
    logged = control(client, "GET", "log", params={"operation": "stock.GetStockItemsFull"}).json()
    assert [entry["status"] for entry in logged] == [503]


@pytest.mark.parametrize(
    ("request_line", "body", "status", "text"),
    [
        ("POST faults", {"fault": "x:y"}, 400, "unknown kind"),
        ("POST faults", {}, 400, "fault is required"),
        ("POST advance", {"seconds": -1}, 400, "cannot go back"),
        ("POST advance", [1], 400, "JSON object"),
        ("POST items/none/archive", {}, 404, "no stock item none"),
        ("GET wrong", None, 404, "/_sandbox/state"),
    ],
)
def test_the_control_surface_says_what_is_wrong(client, request_line, body, status, text):
    method, path = request_line.split()
    answer = control(client, method, path, content=json.dumps(body) if body is not None else None)
    assert answer.status_code == status
    assert text in answer.json()["Message"]
