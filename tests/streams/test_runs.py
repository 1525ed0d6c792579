"""Runs of every stream: nothing refused, what changed and went, and what a run takes."""

import pytest

from connector_host.embedding import connect_async
from connector_host.engine.sinks import sink_for
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync
from linnworks_connector.sandbox.shop import reference as ref

from .pulls import STREAMS, connection_to, needed_by, ran, sandbox_of, synced


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


async def test_what_a_stream_takes_is_told_beforehand(shop_sandbox, pulled, tmp_path):
    async with connection_to(shop_sandbox, opener=connect_async) as connection:
        for name in STREAMS:
            sink = sink_for(tmp_path, name, "jsonl", {})
            estimate = await Sync(connection, name, sink=sink, state=FolderState(tmp_path, name)).estimate()
            assert estimate.requests > 0
            assert {each.operation for each in estimate.operations} <= set(needed_by(name)[0])
            if name == "orders":
                assert (estimate.exact, estimate.likely, estimate.records) == (False, True, len(pulled[name]))
