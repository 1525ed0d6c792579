"""A stream that the connector's own code reads, on the pages: listed, pulled and shown like every other."""

import pytest

from connector_host.runs import RunState

from .test_runs import _ended, _pull


@pytest.fixture
def plain_folder(coded_folder):
    return coded_folder


async def test_it_is_listed_pulled_and_followed(visitor, app, add_instance, vendor):
    instance = add_instance(connector="coded")
    for path in ("/connectors/coded", "/connectors/coded/streams", f"/instances/{instance.id}/streams"):
        assert "Whole things" in (await visitor.get(path)).main
    form = await visitor.get(f"/instances/{instance.id}/streams/whole_things")
    assert [form.one(name=f"parameters.{name}")["type"] for name in ("since", "until", "filters.colour")] == [
        "text"
    ] * 3
    asked = {"since": "2026-01-01", "filters.colour": "red"}
    run = await _ended(app, await _pull(visitor, instance, "whole_things", **asked))
    assert (run.state, run.counts["written"], run.counts["filtered"]) == (RunState.SUCCESS, 8, 15)
    assert {path.split("?")[0].split("/")[1] for _, path, _, _ in vendor.requests} == {"things"}
    page = await visitor.get(f"/instances/{instance.id}")
    assert "things.ListThings" in page.main
    assert "Whole things" in (await visitor.get(f"/instances/{instance.id}/streams/whole_things")).main


async def test_the_next_run_reads_what_changed_since(visitor, app, add_instance, vendor):
    instance = add_instance(connector="coded")
    first = await _ended(app, await _pull(visitor, instance, "whole_things"))
    vendor.requests.clear()
    second = await _ended(app, await _pull(visitor, instance, "whole_things"))
    assert (first.counts["written"], second.counts.get("written", 0)) == (23, 0)
    assert [path.split("?")[0] for _, path, _, _ in vendor.requests] == ["/things"]
