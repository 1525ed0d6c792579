"""Actions over the sandbox's real sockets: pushed by the command or from Python, and read back from the shop."""

import uuid

import pytest

from connector_host import connect
from connector_host.embedding import connect_async
from connector_host.testing.clock import FakeClock
from scripts.action_docs import main as action_docs

ZERO = "00000000-0000-0000-0000-000000000000"
NOBODY = str(uuid.UUID(int=1))


@pytest.fixture
def running(sandbox):
    return sandbox(orders=60, items=120)


@pytest.fixture
def shop(running):
    with connect("linnworks", credentials=running.credentials, settings=running.settings) as shop:
        yield shop


@pytest.fixture
def order(running):
    """Give the ids of open orders, a different one each time, as they are to be: paid or not, parked or not."""
    book = running.shop.orders
    heads = iter([head for head in list(book.open.values()) if not book.read(head).locked])

    def make(*, paid=True, parked=False):
        found = book.edit(next(heads).id)
        found.status = 1 if paid else 0
        book.set_tag(found, 7 if parked else None)
        book.touch(found)
        return found.head.id

    return make


def items(running, *, composite=False):
    return [item for item in running.shop.stock.listed() if bool(item.components) is composite]


def outcomes(report):
    return [each.outcome.value for each in report.results]


def test_the_page_about_actions_is_that_of_the_manifest():
    assert action_docs(check=True) == 0


def test_examples_of_records_satisfy_their_schema(linnworks, shop):
    for action in linnworks.manifest.actions:
        schema = linnworks.schema_file(action.record_schema)
        example = {key: rule["examples"][0] for key, rule in schema["properties"].items()}
        assert outcomes(shop.push(action.name, [example], dry_run=True)) == ["checked"], action.name


def test_stock_levels_are_set_at_a_location(running, shop):
    first, second = items(running)[:2]
    other = next(key for key in running.shop.locations if key != ZERO)
    report = shop.push(
        "set_stock_level",
        [
            {"sku": first.sku, "level": 7},
            {"sku": "no such thing", "level": 7},
            {"sku": second.sku, "level": 3, "location_id": other.upper(), "reason": "Stocktake"},
            {"sku": items(running, composite=True)[0].sku, "level": 3},
        ],
    )
    assert outcomes(report) == ["written", "rejected", "written", "rejected"]
    assert report.results[1].message == "Linnworks refused stock.SetStockLevel: SKU no such thing was not found."
    found = shop.call("stock.GetStockLevel", {"stockItemId": first.id}).data
    assert {each["Location"]["StockLocationId"]: each["StockLevel"] for each in found}[ZERO] == 7
    found = shop.call("stock.GetStockLevel", {"stockItemId": second.id}).data
    assert {each["Location"]["StockLocationId"]: each["StockLevel"] for each in found}[other] == 3


def test_a_level_that_the_vendor_did_not_set_is_not_told_as_written(running, shop):
    running.control.set_fault("stock.SetStockLevel:empty:times=1")
    report = shop.push("set_stock_level", [{"sku": items(running)[0].sku, "level": 7}])
    assert outcomes(report) == ["rejected"]
    assert report.results[0].message == "Linnworks did not do it: The answer has nothing about the record."


def test_fields_of_an_item_change_and_the_others_stay(running, shop):
    item = items(running)[0]
    before = shop.call("inventory.GetInventoryItemById", {"id": item.id}).data
    report = shop.push("update_item", [{"sku": item.sku.lower(), "retail_price": 12.5, "title": "Lamp"}])
    assert outcomes(report) == ["written"], report
    assert report.results[0].answer == {"StockItemId": item.id}
    after = shop.call("inventory.GetInventoryItemById", {"id": item.id}).data
    changed = {key for key in after if after[key] != before[key]}
    assert changed >= {"RetailPrice", "ItemTitle"}
    assert changed <= {"RetailPrice", "ItemTitle", "ItemDescription"}
    assert (after["RetailPrice"], after["ItemTitle"]) == (12.5, "Lamp")


def test_an_item_that_there_is_not_is_not_written(running, shop):
    report = shop.push("update_item", [{"sku": "no such thing", "title": "Lamp"}, {"sku": items(running)[0].sku}])
    assert outcomes(report) == ["rejected", "rejected"]
    assert report.results[0].message == "Linnworks has no stock item with this SKU."
    assert "Name at least one field to change" in str(report.results[1].problems[0])
    assert running.control.calls["inventory.UpdateInventoryItem"] == 0


def test_notes_are_added_beside_those_that_are_there(shop, order):
    key = order()
    before = shop.call("orders.GetOrderNotes", {"orderId": key}).data
    report = shop.push(
        "add_order_note",
        [{"order_id": key.upper(), "text": "Fragile"}, {"order_id": NOBODY, "text": "Lost"}],
    )
    assert outcomes(report) == ["written", "rejected"]
    after = shop.call("orders.GetOrderNotes", {"orderId": key}).data
    assert [(each["Note"], each["Internal"]) for each in after[len(before) :]] == [("Fragile", True)]


def test_an_order_is_paid_and_a_parked_one_stays_as_it_is(running, shop, order):
    unpaid, parked = order(paid=False), order(paid=True, parked=True)
    report = shop.push("set_payment_status", [{"order_id": unpaid, "status": 1}, {"order_id": parked, "status": 0}])
    assert outcomes(report) == ["written", "rejected"]
    assert report.results[1].message == (
        "Linnworks answered success and did not do it: GeneralInfo.Status is 1, not 0."
    )
    assert running.shop.orders.find(unpaid).status == 1
    assert running.shop.orders.find(parked).status == 1


def test_a_tracking_number_leaves_the_rest_of_the_shipping(running, shop, order):
    key = order()
    before = running.shop.orders.find(key)
    postal, postage = before.postal, before.postage
    report = shop.push(
        "set_tracking_number",
        [{"order_id": key, "tracking_number": "JD1"}, {"order_id": NOBODY, "tracking_number": "JD2"}],
    )
    assert outcomes(report) == ["written", "rejected"]
    after = running.shop.orders.find(key)
    assert (after.tracking, after.postal, after.postage) == ("JD1", postal, postage)


def test_orders_are_processed_and_what_keeps_one_is_told(running, shop, order):
    paid, parked, unpaid = order(), order(paid=True, parked=True), order(paid=False)
    report = shop.push("process_order", [{"order_id": each} for each in (paid, parked, unpaid, NOBODY)])
    assert outcomes(report) == ["written", "rejected", "rejected", "rejected"]
    assert [each.message for each in report.results[1:]] == [
        "Linnworks did not do it: The order is parked.",
        "Linnworks did not do it: The order is not paid.",
        "Linnworks did not do it: The order was not found.",
    ]
    assert not running.shop.orders.find(paid).head.is_open
    assert running.shop.orders.find(parked).head.is_open


def test_a_processing_whose_answer_was_lost_is_looked_for_and_not_sent_again(running, shop, order):
    key = order()
    running.control.set_fault("orders.ProcessOrder:reset:applied=yes:times=1")
    report = shop.push("process_order", [{"order_id": key}])
    assert outcomes(report) == ["written"]
    assert report.results[0].message == "No clear answer came; Linnworks shows that it was done."
    assert running.control.calls["orders.ProcessOrder"] == 1


def test_a_note_whose_answer_was_lost_is_unknown_and_not_sent_again(running, shop, order):
    key = order()
    running.control.set_fault("orders.AddOrdersNote:reset:applied=yes:times=1")
    report = shop.push("add_order_note", [{"order_id": key, "text": f"No. {number}"} for number in (1, 2)])
    assert outcomes(report) == ["unknown", "written"]
    assert running.control.calls["orders.AddOrdersNote"] == 2
    assert running.control.repeated_writes() == {}


def test_what_is_pulled_can_be_pushed(running, shop):
    plain = {item.sku for item in items(running)}
    levels = (
        {"sku": record["ItemNumber"], "level": 9}
        for record in shop.pull("stock_items", limit=20)
        if record["ItemNumber"] in plain
    )
    found = list(shop.push_each("set_stock_level", levels))
    assert {each.outcome.value for each in found} == {"written"}
    assert len(found) == running.control.calls["stock.SetStockLevel"]


async def test_from_asyncio_a_quota_is_waited_for_and_never_exceeded(running):
    clock = FakeClock()
    credentials, settings = running.credentials, running.settings
    sku = items(running)[0].sku
    running.control.set_fault("stock.SetStockLevel:429:retry_after=5:times=2")
    async with connect_async("linnworks", credentials=credentials, settings=settings, clock=clock) as shop:
        report = await shop.push("set_stock_level", [{"sku": sku, "level": level} for level in range(3)])
        assert report.written == 3
        assert clock.slept == [5, 5]
        running.control.set_fault("stock.SetStockLevel:429:retry_after=86400:times=1")
        report = await shop.push("set_stock_level", [{"sku": sku, "level": level} for level in range(3)])
    assert outcomes(report) == ["skipped"] * 3
    assert report.error.retry_after == 86400


def test_the_permissions_of_an_action_are_enough(sandbox, linnworks):
    names = ["set_stock_level", "process_order"]
    nodes = {
        node
        for name in names
        for each in linnworks.manifest.action(name).operations()
        for node in linnworks.catalogue.get(each).permissions
    }
    granted = sandbox(orders=60, items=120, permissions=tuple(nodes))
    credentials = {**granted.credentials, "scope": " ".join(nodes)}
    with connect(linnworks, credentials=credentials, settings=granted.settings) as shop:
        assert outcomes(shop.push("set_stock_level", [{"sku": items(granted)[0].sku, "level": 1}])) == ["written"]
        assert outcomes(shop.push("process_order", [{"order_id": NOBODY}])) == ["rejected"]
