"""Every stream, pulled through the public API from a sandbox on a loopback socket."""

import datetime
import json
from pathlib import Path

import pytest

from connector_host.connectors import load_connector
from connector_host.contract.errors import InputInvalid, PermissionMissing
from connector_host.contract.paths import get_path
from connector_host.contract.schemas import validator_for
from connector_host.embedding import connect, connect_async
from connector_host.engine.preparation import is_incremental
from connector_host.engine.sinks import sink_for
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync
from connector_host.testing.clock import FakeClock
from linnworks_connector.sandbox.clock import ManualClock
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.server import start_sandbox
from linnworks_connector.sandbox.shop import reference as ref
from scripts.record_schemas import main as record_schemas
from scripts.stream_docs import main as stream_docs

CONNECTOR = load_connector("linnworks")
ROOT = Path(__file__).resolve().parent.parent
STREAMS = {stream.name: stream for stream in CONNECTOR.manifest.streams}
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
LEEDS = ref.LOCATIONS[1]


def sandbox_of(**options):
    return start_sandbox(
        SandboxOptions(**{"orders": 300, "items": 120, "quota": False, "clock": ManualClock(), **options})
    )


def clock_of(sandbox, later=60):
    """A clock of the host that reads a little later than the shop's, so that nothing lies behind a pull's end."""
    return FakeClock(sandbox.control.clock.now().timestamp() + later)


def connection_to(sandbox, *, scope="all", orders_api="auto", opener=connect, **engine):
    return opener(
        CONNECTOR,
        credentials={**sandbox.credentials, "scope": scope},
        settings={**sandbox.settings, "orders_api": orders_api},
        **{"clock": clock_of(sandbox), **engine},
    )


@pytest.fixture(scope="module")
def shop_sandbox():
    """A shop that no test changes."""
    with sandbox_of() as running:
        yield running


@pytest.fixture(scope="module")
def pulled(shop_sandbox):
    """Everything that the shop gives, each stream pulled once."""
    with connection_to(shop_sandbox) as connection:
        return {name: list(connection.pull(name)) for name in STREAMS}


def key_of(stream, record):
    return tuple(get_path(record, field) for field in stream.primary_key)


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


def needed_by(name):
    stream = STREAMS[name]
    operations = list(stream.operations())
    for parent in stream.parents:
        operations += needed_by(parent)[0]
    return operations, sorted({node for each in operations for node in CONNECTOR.catalogue.get(each).permissions})


@pytest.mark.parametrize("name", [name for name in STREAMS if needed_by(name)[1]])
def test_a_stream_needs_just_the_permissions_that_are_documented(shop_sandbox, name):
    _, nodes = needed_by(name)
    short = [CONNECTOR.permission_names.short(node) for node in nodes]
    section = (ROOT / "docs" / "streams.md").read_text().partition(f"| Name | `{name}` |")[2].partition("\n## ")[0]
    assert "| Permissions | " + ", ".join(f"`{node}`" for node in sorted(short)) + " |" in section
    with connection_to(shop_sandbox, scope=" ".join(short)) as connection:
        assert list(connection.pull(name, limit=1))
    with (
        connection_to(shop_sandbox, scope="Nothing.AtAll", orders_api="classic") as connection,
        pytest.raises(PermissionMissing) as caught,
    ):
        list(connection.pull(name, limit=1))
    assert set(caught.value.missing) <= set(nodes)


TIMES = {
    "orders": "LastUpdated",
    "processed_orders": "dProcessedOn",
    "processed_order_details": "ProcessedDateTime",
    "stock_item_audit_trail": "AuditTrailDate",
    "purchase_order_headers": "DateOfPurchase",
    "purchase_orders": "PurchaseOrderHeader.DateOfPurchase",
    "returns": "ReturnDate",
    "refunds": "CreateDate",
    "shipping_manifests": "Date",
}


def time_of(record, field):
    return datetime.datetime.fromisoformat(get_path(record, field))


@pytest.mark.parametrize("name", TIMES)
def test_since_and_until_are_honoured(shop_sandbox, pulled, name):
    times = sorted(time_of(record, TIMES[name]) for record in pulled[name])
    since, until = times[len(times) // 4], times[len(times) * 3 // 4]
    knows_until = "| Limits | since, until |" in docs_of(name)
    limits = {"since": since, **({"until": until} if knows_until else {})}
    with connection_to(shop_sandbox) as connection:
        found = {key_of(STREAMS[name], record) for record in connection.pull(name, **limits)}
    wanted = {
        key_of(STREAMS[name], record)
        for record in pulled[name]
        if since <= time_of(record, TIMES[name]) and (not knows_until or time_of(record, TIMES[name]) <= until)
    }
    # The vendor takes whole seconds: the window reaches to the next ones.
    assert wanted <= found
    second = datetime.timedelta(seconds=1)
    assert found <= {
        key_of(STREAMS[name], record)
        for record in pulled[name]
        if since - second <= time_of(record, TIMES[name])
        and (not knows_until or time_of(record, TIMES[name]) <= until + second)
    }
    assert 0 < len(found) < len(pulled[name])


def in_windows_of(seconds, stream):
    """Return a stream whose lists, where they have windows of time, have none that are longer."""

    def short(each):
        if each.time is None or each.time.until is None:
            return each
        return each.model_copy(update={"time": each.time.model_copy(update={"longest": seconds})})

    changed = {"lists": tuple(map(short, stream.lists))}
    if stream.fallback is not None:
        lists = tuple(map(short, stream.fallback.lists))
        changed["fallback"] = stream.fallback.model_copy(update={"lists": lists})
    return stream.model_copy(update=changed)


@pytest.mark.parametrize("name", [name for name, each in STREAMS.items() if in_windows_of(60, each) != each])
async def test_what_stands_on_the_edge_of_two_windows_comes_once_in_python(shop_sandbox, pulled, name):
    of_orders = STREAMS[name].entity_type == "Orders"
    among, field = ("processed_orders", "dProcessedOn") if of_orders else (name, TIMES[name])
    times = sorted(time_of(record, field) for record in pulled[among])
    edge = times[len(times) // 2]
    length = (times[-1] - edge) // 4
    since = edge - length
    stream = in_windows_of(length.total_seconds(), STREAMS[name])
    with connection_to(shop_sandbox, orders_api="classic") as connection:
        wanted = sorted(key_of(stream, record) for record in connection.pull(name, since=since))
        found = sorted(key_of(stream, record) for record in connection.pull(stream, since=since))
    async with connection_to(shop_sandbox, orders_api="classic", opener=connect_async) as connection:
        same = sorted([key_of(stream, record) async for record in connection.pull(stream, since=since)])
    assert wanted == found == same
    assert len(wanted) > 0


def docs_of(name):
    return (ROOT / "docs" / "streams.md").read_text().partition(f"| Name | `{name}` |")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", [name for name in STREAMS if "| Limits | none |" in docs_of(name)])
def test_a_limit_that_the_vendor_does_not_know_is_refused(shop_sandbox, name):
    stream = STREAMS[name]
    if is_incremental(stream, STREAMS):
        pytest.skip("its parents can be limited")
    with connection_to(shop_sandbox) as connection, pytest.raises(InputInvalid, match="cannot be pulled like this"):
        list(connection.pull(name, since=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), limit=1))


async def ran(sandbox, name, folder, *, filters=None, mode="full", orders_api="auto", progress=None, clock=None):
    """Pull a stream as the command does; return the report and the records of its file."""
    schema = json.loads((ROOT / STREAMS[name].record_schema).read_text())
    clock = clock or clock_of(sandbox)
    async with connection_to(sandbox, opener=connect_async, orders_api=orders_api, clock=clock) as connection:
        run = Sync(
            connection,
            name,
            sink=sink_for(folder, name, "jsonl", schema),
            state=FolderState(folder / "state", name),
            mode=mode,
            filters=filters,
            progress=progress,
        )
        report = await run.run()
    assert report.error is None, report.error
    assert report.failures == ()
    return report, [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


async def synced(*given, **named):
    return (await ran(*given, **named))[1]


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


@pytest.mark.parametrize(
    "name",
    [name for name, stream in STREAMS.items() if stream.fallback is not None],
)
def test_both_ways_give_the_same_records(shop_sandbox, pulled, name):
    stream = STREAMS[name]
    with connection_to(shop_sandbox, orders_api="classic") as connection:
        classic = list(connection.pull(name))
    keys = [key_of(stream, record) for record in classic]
    assert sorted(keys) == sorted(key_of(stream, record) for record in pulled[name])
    validator = validator_for(json.loads((ROOT / stream.record_schema).read_text()))
    assert [error.message for record in classic for error in validator.iter_errors(record)] == []


def test_an_account_without_the_v2_gateway_is_read_the_classic_way():
    with sandbox_of(orders=60, v2_orders=False) as sandbox, connection_to(sandbox) as connection:
        found = [record["OrderId"] for record in connection.pull("orders")]
        assert sorted(found) == sorted(sandbox.shop.orders.heads)
        assert sandbox.control.calls["orders.GetAllOpenOrders"] == len(ref.LOCATIONS)


async def test_an_order_that_is_processed_during_a_classic_pull_comes_once(tmp_path):
    with sandbox_of(orders=400, processed=0.2) as sandbox:
        moved = []

        def process_some(_):
            if not moved:
                moved.extend(list(sandbox.shop.orders.open)[:20])
                for order_id in moved:
                    sandbox.control.process_order(order_id)

        report, found = await ran(
            sandbox,
            "orders",
            tmp_path,
            orders_api="classic",
            progress=process_some,
            clock=clock_of(sandbox, later=3600),
        )
        assert sorted(record["OrderId"] for record in found) == sorted(sandbox.shop.orders.heads)
        assert len(moved) == 20
        assert report.duplicates > 0


def test_that_holds_for_a_pull_without_state_too():
    with (
        sandbox_of(orders=400, processed=0.2) as sandbox,
        connection_to(sandbox, orders_api="classic", clock=clock_of(sandbox, later=3600)) as connection,
    ):
        found = []
        for page in connection.pages("orders"):
            found += [record["OrderId"] for record in page.decoded()]
            for order_id in list(sandbox.shop.orders.open)[:20]:
                sandbox.control.process_order(order_id)
        assert sorted(found) == sorted(sandbox.shop.orders.heads)


@pytest.mark.parametrize("name", STREAMS)
async def test_no_record_is_refused_by_the_engine(shop_sandbox, pulled, tmp_path, name):
    report, found = await ran(shop_sandbox, name, tmp_path, mode="auto")
    assert (report.dead, report.duplicates, report.written) == (0, 0, len(pulled[name]))
    again, after = await ran(shop_sandbox, name, tmp_path, mode="auto")
    assert (again.dead, again.written, after) == (0, 0, found)


async def test_an_archived_item_shows_as_removed_and_a_changed_one_as_updated(tmp_path):
    with sandbox_of(orders=20, items=60) as sandbox:
        before = await synced(sandbox, "stock_items", tmp_path, mode="auto")
        assert {record["_change"] for record in before} == {"created"}
        simple = [item for item in sandbox.shop.stock.listed() if item.levels and not item.archived]
        used = {part for item in sandbox.shop.stock.items for part, _ in item.components}
        gone, changed = [item for item in simple if item.index not in used][:2]
        sandbox.control.archive_item(gone.id)
        sandbox.control.set_stock(changed.id, ref.LOCATIONS[0].id, 4321)
        after = (await synced(sandbox, "stock_items", tmp_path, mode="auto"))[len(before) :]
        assert {(record["_change"], record["StockItemId"]) for record in after} == {
            ("removed", gone.id),
            ("updated", changed.id),
        }


async def test_what_a_stream_takes_is_told_beforehand(shop_sandbox, tmp_path):
    async with connection_to(shop_sandbox, opener=connect_async) as connection:
        for name in STREAMS:
            sink = sink_for(tmp_path, name, "jsonl", {})
            estimate = await Sync(connection, name, sink=sink, state=FolderState(tmp_path, name)).estimate()
            assert estimate.requests > 0
            assert {each.operation for each in estimate.operations} <= set(needed_by(name)[0])


def test_the_documentation_and_the_schemas_are_current():
    assert record_schemas(check=True) == 0
    assert stream_docs(check=True) == 0
