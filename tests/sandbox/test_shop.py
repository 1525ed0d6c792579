"""The invented shop: the same for the same seed, as big as it is told to be, and alive."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tracemalloc

import httpx
import pytest
from jsonschema import Draft202012Validator

from connector_host.contract.errors import ConfigurationError, InputInvalid
from linnworks_connector.sandbox.__main__ import main, parse_arguments
from linnworks_connector.sandbox.operations import load_operations
from linnworks_connector.sandbox.options import OPTIONS_SCHEMA
from linnworks_connector.sandbox.plugin import LinnworksSandbox
from linnworks_connector.sandbox.server import ManualClock, SandboxOptions, create_apps, start_sandbox
from linnworks_connector.sandbox.shop import Shop

from .conftest import FULL_ITEMS, ZERO


def answers(client):
    ids = list(client.sandbox.shop.orders.heads)
    return [
        client.post("Stock/GetStockItemsFull", FULL_ITEMS).json(),
        client.post("Orders/GetOrdersById", {"pkOrderIds": ids}).json(),
        client.gateway("GET", "/v2/orders", params={"includeProcessed": True}).json()["ProcessedOrders"],
        client.post("PurchaseOrder/Search_PurchaseOrders2", {}).json(),
    ]


def test_the_same_seed_gives_the_same_shop_and_another_a_different_one(start):
    assert answers(start(seed=3)) == answers(start(seed=3))
    assert answers(start(seed=3)) != answers(start(seed=4))


def test_reading_in_another_order_changes_nothing(start):
    one, two = start(), start()
    ids = list(one.sandbox.shop.orders.heads)
    backwards = two.post("Orders/GetOrdersById", {"pkOrderIds": ids[::-1]}).json()
    assert one.post("Orders/GetOrdersById", {"pkOrderIds": ids}).json() == backwards[::-1]


def test_open_orders_are_the_share_that_is_asked_for(start):
    client = start(orders=200, processed=0.5)
    assert client.sandbox.shop.counts()["open_orders"] == 100


@pytest.mark.parametrize(("orders", "items"), [(0, 1), (1, 1), (3, 2)])
def test_the_smallest_shops_work(start, orders, items):
    client = start(orders=orders, items=items)
    assert client.post("Orders/GetAllOpenOrders", {}).status_code == 200
    assert client.gateway("GET", "/v2/orders", params={"includeProcessed": True}).status_code == 200


def test_a_big_shop_is_small_in_memory():
    tracemalloc.start()
    shop = Shop(SandboxOptions(orders=4000, items=4000), ManualClock())
    for head in shop.orders.heads.values():
        shop.orders.read(head)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 30_000_000


READS = {
    "stock.GetStockItemsFull": ("Stock/GetStockItemsFull", {"dataRequirements": FULL_ITEMS["dataRequirements"]}),
    "orders.GetOpenOrders": ("Orders/GetOpenOrders", {"pageNumber": 1, "entriesPerPage": 20}),
    "processedorders.SearchProcessedOrders": (
        "ProcessedOrders/SearchProcessedOrders",
        {"request": {"FromDate": "2020-01-01", "ToDate": "2030-01-01", "DateField": "received"}},
    ),
    "inventory.GetStockLocations": ("Inventory/GetStockLocations", {}),
    "inventory.GetCategories": ("Inventory/GetCategories", {}),
    "inventory.GetPackageGroups": ("Inventory/GetPackageGroups", {}),
    "inventory.GetCountries": ("Inventory/GetCountries", {}),
    "postalservices.GetPostalServices": ("PostalServices/GetPostalServices", {}),
    "purchaseorder.Search_PurchaseOrders2": ("PurchaseOrder/Search_PurchaseOrders2", {}),
    "importexport.GetImportList": ("ImportExport/GetImportList", {}),
}


def mismatches(name, body):
    """Return where an answer is not what the catalogue says of the operation."""
    operation = load_operations().by_id[name]
    validator = Draft202012Validator({**operation.answer, "components": {"schemas": operation.schemas}})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


@pytest.mark.parametrize("name", READS)
def test_what_is_answered_is_what_the_catalogue_says(client, name):
    path, body = READS[name]
    answer = client.post(path, body).json()
    assert answer
    assert mismatches(name, answer) == []


def test_orders_are_what_the_catalogue_says(client):
    ordinary = [head.id for head in client.sandbox.shop.orders.heads.values() if head.number % 89]
    classic = client.post("Orders/GetOrdersById", {"pkOrderIds": ordinary}).json()
    assert len(classic) == len(ordinary)
    assert mismatches("orders.GetOrdersById", classic) == []
    second = client.gateway("GET", "/v2/orders", params={"id": ordinary[:20]}).json()
    assert mismatches("orders-v2.GetOrders", second) == []
    purchase = next(iter(client.sandbox.shop.purchases.orders))
    shown = client.post("PurchaseOrder/Get_PurchaseOrder", {"pkPurchaseId": purchase}).json()
    assert mismatches("purchaseorder.Get_PurchaseOrder", shown) == []


def test_a_live_shop_moves_with_the_clock_and_not_without(start):
    client = start(live=True, live_rate=60, orders=60)
    shop = client.sandbox.shop
    before = shop.counts()
    client.post("Orders/GetAllOpenOrders", {})
    assert shop.journal.effects == []
    client.sandbox.control.advance(600)
    client.sign_in()
    client.post("Orders/GetAllOpenOrders", {})
    assert shop.counts()["processed_orders"] > before["processed_orders"]
    for what in ("order.created", "order.processed", "stock.changed"):
        assert shop.journal.count(what, by="live"), what
    assert 400 < client.sandbox.control.live.happened < 800
    assert client.sandbox.control.repeated_writes() == {}


def test_live_events_follow_the_seed_however_the_time_passes(start):
    def history(*steps):
        client = start(live=True, live_rate=60, orders=60)
        for step in steps:
            client.sandbox.control.advance(step)
        return [(effect.what, effect.key) for effect in client.sandbox.shop.journal.effects]

    assert history(300) == history(1, 99, 200)


def test_an_order_moves_from_open_to_processed_between_two_calls(client):
    ids = client.post("Orders/GetAllOpenOrders", {}).json()
    client.sandbox.control.process_order(ids[0])
    found = client.post("OpenOrders/GetOpenOrdersDetails", {"OrderIds": ids}).json()["Orders"]
    assert [order["OrderId"] for order in found] == ids[1:]
    assert client.post("Orders/GetOrdersById", {"pkOrderIds": ids[:1]}).json()[0]["Processed"]


async def test_it_runs_beside_an_event_loop():
    with start_sandbox(SandboxOptions(orders=5, items=5)) as sandbox:
        async with httpx.AsyncClient(base_url=sandbox.address) as http:
            states = await asyncio.gather(*(http.get("/_sandbox/state") for _ in range(20)))
    assert {state.status_code for state in states} == {200}


async def test_it_runs_without_sockets():
    api, server = create_apps(SandboxOptions(orders=5, items=5), server_address="http://session.test")
    mounts = {"http://api.test": httpx.ASGITransport(api), "http://session.test": httpx.ASGITransport(server)}
    async with httpx.AsyncClient(mounts=mounts) as http:
        options = api.engine.options
        body = {
            "ApplicationId": options.application_id,
            "ApplicationSecret": options.application_secret,
            "Token": options.token,
        }
        session = (await http.post("http://api.test/api/Auth/AuthorizeByApplication", json=body)).json()
        headers = {"Authorization": session["Token"]}
        found = await http.get(f"{session['Server']}/api/Inventory/GetStockLocations", headers=headers)
        assert found.json()[0]["StockLocationId"] == ZERO
        api.engine.control.set_fault("*:reset:times=1")
        with pytest.raises(ConnectionResetError):
            await http.get(f"{session['Server']}/api/Inventory/GetStockLocations", headers=headers)


def test_the_options_are_data():
    Draft202012Validator.check_schema(OPTIONS_SCHEMA)
    for name, schema in OPTIONS_SCHEMA["properties"].items():
        assert {"title", "description", "default"} <= set(schema), name
    assert "clock" not in OPTIONS_SCHEMA["properties"]


def test_a_host_starts_it_with_options_as_data():
    running = LinnworksSandbox().start({"orders": 3, "items": 3})
    try:
        assert running.settings == {"api_address": running.address}
        port = int(running.address.rpartition(":")[2])
        with pytest.raises(ConfigurationError, match=str(port)):
            LinnworksSandbox().start({"orders": 1, "items": 1}, port=port)
    finally:
        running.close()


@pytest.mark.parametrize(
    ("options", "where"), [({"orders": "many"}, "orders"), ({"fault": 1}, "fault"), ({"faults": ["x:y"]}, "faults")]
)
def test_wrong_options_are_named(options, where):
    with pytest.raises(InputInvalid) as raised:
        LinnworksSandbox().start(options)
    assert raised.value.problems[0].where == where


COMMAND = [sys.executable, "-m", "linnworks_connector.sandbox"]


def test_the_command_says_where_it_is_and_stops_at_ctrl_c():
    arguments = ["--port", "0", "--orders", "5", "--items", "5", "--fault", "stock.*:503:times=1", "--no-quota"]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        banner = "".join(lines)
        address = next(word for word in banner.split() if word.startswith("http"))
        state = httpx.get(f"{address}/_sandbox/state").json()
        os.kill(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    assert state["faults"][0]["fault"] == "stock.*:503:times=1"
    assert "application_secret" in banner
    assert "stopped" in rest
    assert errors == ""
    assert process.returncode == 0


def test_the_command_refuses_wrong_options_in_one_line():
    done = subprocess.run([*COMMAND, "--fault", "x:y"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown kind" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_options_needs_no_web_library():
    code = (
        "import sys, json, linnworks_connector.sandbox, linnworks_connector.sandbox.options;"
        "print(json.dumps([m for m in ('starlette', 'uvicorn') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_command_names_a_port_that_is_taken(capsys):
    with start_sandbox(SandboxOptions(orders=1, items=1)) as sandbox:
        port = sandbox.address.rpartition(":")[2]
        assert main(["--port", port, "--orders", "1", "--items", "1"]) == 2
    assert f"Cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ttl", "0"], "ttl"),
        (["--orders", "-1"], "orders"),
        (["--fault", "x"], "faults"),
        (["--minute", "0"], "minute"),
    ],
)
def test_the_command_names_the_wrong_option(capsys, arguments, said):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(said)


def test_a_node_is_granted_with_each_permission_flag():
    granted = parse_arguments(["--permission", "OrderBook", "--permission", "Inventory"])[0].permissions
    assert granted == ("OrderBook", "Inventory")
    assert parse_arguments(["--permission", "all", "--live", "--no-quota"])[0].permissions == "all"
