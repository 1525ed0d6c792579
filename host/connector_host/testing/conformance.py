"""A conformance suite for the authors of connectors, in one line of a test file.

::

    TestStreams = conformance("my-connector", sandbox={"things": 50})

The class has a test for every stream and check; pytest and unittest runners that know set-up methods run it. The
connector's own sandbox answers; nothing waits for real time.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec

from connector_host.connectors import Connector, load_connector
from connector_host.contract.sandbox import RunningSandbox
from connector_host.contract.stream_models import Stream
from connector_host.embedding import connect_async
from connector_host.engine import Connection

from .clock import FakeClock
from .streams import CHECKS, Bench, Check

__all__ = ["conformance"]


def conformance(
    connector: str | Connector,
    *,
    sandbox: Mapping[str, Any] | None = None,
    streams: Sequence[str] | None = None,
    rare: Mapping[str, Mapping[str, str]] | None = None,
    start: Callable[[], RunningSandbox] | None = None,
    folders: Sequence[Path] = (),
) -> type:
    """Return a test class that runs every check for every stream, or those that are named.

    `sandbox` are options of the connector's sandbox, or `start` starts one. `rare` has, by stream, the declared fields
    that the sandbox's records may lack, each with the reason. Raises UnknownName and ConnectorBroken.
    """
    loaded = load_connector(connector, folders) if isinstance(connector, str) else connector
    chosen = [each for each in loaded.manifest.streams if streams is None or each.name in streams]

    def setup_class(cls: Any) -> None:
        cls.running = start() if start is not None else _start(loaded, sandbox or {})
        cls.benches = {each.name: _bench(loaded, each, cls.running, (rare or {}).get(each.name, {})) for each in chosen}

    def teardown_class(cls: Any) -> None:
        cls.running.close()

    body: dict[str, Any] = {
        "__doc__": f"Conformance of the streams of {loaded.manifest.label}.",
        "setup_class": classmethod(setup_class),
        "teardown_class": classmethod(teardown_class),
    }
    for stream in chosen:
        for check in CHECKS:
            body[f"test_{stream.name}_{_name(check)}"] = _test(stream.name, check)
    return type("TestStreams", (), body)


def _test(stream: str, check: Check) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        async def run() -> list[str]:
            return [sentence async for sentence in check(self.benches[stream])]

        problems = asyncio.run(run())
        if problems:
            raise AssertionError("\n".join((f"{stream}: {check.__doc__}", *problems)))

    test.__doc__ = check.__doc__
    return test


def _name(check: Check) -> str:
    return str(getattr(check, "__name__", "check"))


def _start(connector: Connector, options: Mapping[str, Any]) -> RunningSandbox:
    made = connector.sandbox()
    if made is None:
        raise AssertionError(f"{connector.manifest.label} has no sandbox to test its streams with")
    return made.start(options)


def _bench(connector: Connector, stream: Stream, running: RunningSandbox, rare: Mapping[str, str]) -> Bench:
    schema = msgspec.json.decode(connector.folder.path(stream.record_schema).read_bytes())

    def connect() -> AbstractAsyncContextManager[Connection]:
        return connect_async(
            connector,
            credentials=dict(running.credentials),
            settings=dict(running.settings),
            clock=FakeClock(time.time()),
        )

    return Bench(stream, schema, connect, rare)
