"""Pulls of the connector's streams from sandboxes on loopback sockets, through the public API."""

import json
from pathlib import Path

from connector_host.connectors import load_connector
from connector_host.contract.paths import get_path
from connector_host.embedding import connect, connect_async
from connector_host.engine.sinks import sink_for
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync
from connector_host.testing.clock import FakeClock
from linnworks_connector.sandbox.clock import ManualClock
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.server import start_sandbox
from linnworks_connector.sandbox.shop import reference as ref

CONNECTOR = load_connector("linnworks")
ROOT = Path(__file__).resolve().parents[2]
STREAMS = {stream.name: stream for stream in CONNECTOR.manifest.streams}
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


def key_of(stream, record):
    return tuple(get_path(record, field) for field in stream.primary_key)


def needed_by(name):
    """Return the operations that a pull calls, those of its parents included, and the permissions that they need."""
    stream = STREAMS[name]
    operations = list(stream.operations())
    for parent in stream.parents:
        operations += needed_by(parent)[0]
    return operations, sorted({node for each in operations for node in CONNECTOR.catalogue.get(each).permissions})


def docs_of(name):
    """Return what the page about streams says of one, from its name on."""
    return (ROOT / "docs" / "streams.md").read_text().partition(f"| Name | `{name}` |")[2].partition("\n## ")[0]


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
    assert report.failures == (), report.failures
    return report, [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


async def synced(*given, **named):
    return (await ran(*given, **named))[1]
