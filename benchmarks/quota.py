"""A pull that the quota bounds, against the connector's sandbox with its real limits and a shortened minute.

The host's clock runs as much faster as the sandbox's minute is shorter, so that both count the same limit.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connector_host import connect_async
from connector_host.connectors import load_connector
from connector_host.contract.stream_models import PageNumberPaging, Stream

from .measure import ratio_line
from .options import Options

__all__ = ["main"]

_MINUTE = 10.0
"""Seconds of the sandbox's minute."""
_WINDOWS = 3
"""Minutes that the pull takes."""
_STREAM = "stock_items"


class _Faster:
    """A clock that runs faster than the machine's."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._start = time.time()

    def time(self) -> float:
        return self._start + (time.time() - self._start) * self._factor

    def monotonic(self) -> float:
        return time.monotonic() * self._factor

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._factor)


def main(options: Options) -> None:
    """Print how much of the quota was used, and how many requests were refused."""
    del options
    connector = load_connector("linnworks")
    stream = next(each for each in connector.manifest.streams if each.name == _STREAM)
    rate = connector.catalogue.get(stream.lists[0].operation).rate
    if rate is None:
        raise RuntimeError(f"{stream.lists[0].operation} has no limit")
    calls = rate.calls * _WINDOWS + 1
    print(f"A pull of {calls} pages at {rate.calls} calls in {rate.seconds} s, the minute being {_MINUTE:g} s")
    with _sandbox(items=calls + calls // 10) as facts:
        seconds, refused, records = asyncio.run(_pull(connector, _of_single_records(stream), facts, calls))
    if records != calls:
        raise RuntimeError(f"{records} of {calls} records came")
    # In the best case the last call leaves so many minutes after the first.
    best = _WINDOWS * rate.seconds / 60 * _MINUTE
    print(ratio_line("calls made / calls that the quota admits in that time", best / seconds, 0.97, least=True))
    print(ratio_line("requests that were refused (429)", refused, 0))


def _of_single_records(stream: Stream) -> Stream:
    """Return the stream with one record a page, so that the quota bounds it, and not the sandbox."""
    paging = stream.lists[0].paging
    if not isinstance(paging, PageNumberPaging):
        raise TypeError(f"{stream.name} does not count its pages")
    one = stream.lists[0].model_copy(update={"paging": paging.model_copy(update={"page_size": 1})})
    return stream.model_copy(update={"lists": (one,)})


async def _pull(connector: Any, stream: Stream, facts: dict[str, Any], limit: int) -> tuple[float, int, int]:
    settings = {"api_address": facts["address"], "rate_limit_amount": 1_000_000}
    clock = _Faster(60 / _MINUTE)
    async with connect_async(
        connector, credentials=facts["values"]["credentials"], settings=settings, clock=clock
    ) as connection:
        await connection.sign_in_check()
        started, records = time.perf_counter(), 0
        async for page in connection.pages(stream, limit=limit):
            records += len(page.records)
        return time.perf_counter() - started, connection.stats.by_status[429], records


@contextmanager
def _sandbox(*, items: int) -> Iterator[dict[str, Any]]:
    """Run the sandbox in a process of its own; give its address and credentials."""
    options = ("--items", str(items), "--orders", "0", "--minute", str(_MINUTE), "--json")
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "connector_host", "--home", home, "sandbox", "linnworks", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            if process.stdout is None:  # pragma: no cover -- it was asked for
                raise AssertionError("no pipe")
            try:
                # One object, laid out over lines; its last line is a brace at the margin.
                lines = iter(process.stdout.readline, "")
                yield json.loads("".join([*itertools.takewhile("}\n".__ne__, lines), "}"]))
            finally:
                process.terminate()
