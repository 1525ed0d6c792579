"""The two ways to orders give the same records, also while orders move."""

import json

import pytest

from connector_host.contract.schemas import validator_for
from linnworks_connector.sandbox.shop import reference as ref

from .pulls import ROOT, STREAMS, clock_of, connection_to, key_of, ran, sandbox_of


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
