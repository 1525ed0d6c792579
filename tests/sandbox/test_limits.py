"""Quotas and permissions."""

import threading

import httpx
import pytest

from linnworks_connector.sandbox.quota import Quota

LOCATIONS = "Inventory/GetStockLocations"  # 150 a minute
QUOTA_TEXT = "API calls quota exceeded! Maximum admitted 150 per Minute."


def exhaust(client, calls=150):
    for _ in range(calls):
        assert client.get(LOCATIONS).status_code == 200


def test_the_call_above_the_limit_is_429_with_the_seconds_to_wait(client):
    exhaust(client)
    refused = client.get(LOCATIONS)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert refused.json() == {"Message": QUOTA_TEXT}
    client.sandbox.control.advance(59.5)
    assert client.get(LOCATIONS).headers["Retry-After"] == "1"
    client.sandbox.control.advance(0.5)
    assert client.get(LOCATIONS).status_code == 200
    assert client.sandbox.control.quota_answers == 2


def test_limits_are_for_one_operation_and_one_session(client):
    exhaust(client)
    assert client.get("Inventory/GetCategories").status_code == 200
    client.sign_in()
    assert client.get(LOCATIONS).status_code == 200


def test_the_window_slides(client):
    exhaust(client, 100)
    client.sandbox.control.advance(40)
    exhaust(client, 50)
    client.sandbox.control.advance(20)
    exhaust(client, 100)
    assert client.get(LOCATIONS).status_code == 429


def test_a_shorter_minute_makes_quotas_faster(start):
    client = start(minute=5)
    exhaust(client)
    assert client.get(LOCATIONS).headers["Retry-After"] == "5"
    client.sandbox.control.advance(5)
    assert client.get(LOCATIONS).status_code == 200


def test_the_bare_text_and_another_status(start):
    client = start(quota_body="text", quota_status=400)
    exhaust(client)
    refused = client.get(LOCATIONS)
    assert refused.status_code == 400
    assert refused.json() == QUOTA_TEXT


def test_without_quota_the_overrun_is_still_known(start):
    client = start(quota=False)
    exhaust(client, 151)
    (peak,) = client.sandbox.control.quota_exceeded()
    assert (peak.operation, peak.calls, peak.limit) == ("inventory.GetStockLocations", 151, 150)


def test_the_gateways_have_no_limit(client):
    for _ in range(260):
        assert client.gateway("GET", "/v2/orders", params={"entriesPerPage": 1}).status_code == 200


def test_many_threads_cannot_pass_the_limit_together(client):
    headers, admitted = client.headers, []

    def call():
        with httpx.Client() as http:
            for _ in range(40):
                answer = http.get(f"{client.session['Server']}/api/{LOCATIONS}", headers=headers)
                admitted.append(answer.status_code == 200)

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted.count(True) == 150


def test_no_window_ever_admits_more_than_the_limit():
    quota, admitted = Quota(minute=60, enforced=True), []
    now = 0.0
    for step in range(4000):
        now += (step * 7919 % 13) / 20
        if quota.admit("session", "operation", calls=10, seconds=60, now=now) is None:
            admitted.append(now)
    assert len(admitted) > 100
    assert all(later - earlier >= 60 for earlier, later in zip(admitted, admitted[10:], strict=False))


@pytest.mark.parametrize(
    ("granted", "status"),
    [
        ("all", 200),
        (("GlobalPermissions.OrderBook.OpenOrdersNode",), 200),
        (("OrderBook.OpenOrders",), 200),
        (("OrderBook",), 200),
        (("GlobalPermissions.OrderBookNode",), 200),
        (("Inventory", "OrderBook.ProcessedOrders"), 403),
        (("OrderBook.Open",), 403),
        ((), 403),
    ],
)
def test_a_parent_node_covers_its_children(start, granted, status):
    client = start(permissions=granted)
    answer = client.post("Orders/GetAllOpenOrders", {})
    assert answer.status_code == status
    if status == 403:
        assert "GlobalPermissions.OrderBook.OpenOrdersNode" in answer.json()["Message"]


def test_an_operation_without_a_node_needs_none(start):
    assert start(permissions=()).get(LOCATIONS).status_code == 200
