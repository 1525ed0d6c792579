"""Streams limited by time, and what stands on the edge of two windows."""

import datetime

import pytest

from connector_host.contract.errors import InputInvalid
from connector_host.contract.paths import get_path
from connector_host.embedding import connect_async
from connector_host.engine.preparation import is_incremental

from .pulls import STREAMS, connection_to, docs_of, key_of

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


@pytest.mark.parametrize("name", [name for name in STREAMS if "| Limits | none |" in docs_of(name)])
def test_a_limit_that_the_vendor_does_not_know_is_refused(shop_sandbox, name):
    stream = STREAMS[name]
    if is_incremental(stream, STREAMS):
        pytest.skip("its parents can be limited")
    with connection_to(shop_sandbox) as connection, pytest.raises(InputInvalid, match="cannot be pulled like this"):
        list(connection.pull(name, since=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), limit=1))
