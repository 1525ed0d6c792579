"""Reads a stream by the connector's own code: its calls go through the one door, its pages become blocks."""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from connector_host.contract.answers import MeaningKind
from connector_host.contract.clock import Clock
from connector_host.contract.code import CallAnswer, Calls, CheckedPage, Extent
from connector_host.contract.errors import ConnectorBroken
from connector_host.contract.schemas import kind_of
from connector_host.contract.secrets import Redactor
from connector_host.contract.stream_models import Stream

from .answer import Answer
from .blocks import Block, Reading
from .state import Position

__all__ = ["STEP_SECONDS", "CodedPages", "DeclaredCalls", "ReadsByCode", "blocks_of_code", "pages_by_code"]

STEP_SECONDS = 3600.0
"""How long code may go on calling and waiting for one page or one record (decided: vendors prepare exports)."""

CodedPages = Callable[[Stream, Extent], AsyncGenerator[CheckedPage, None]]


class ReadsByCode(Protocol):
    """What reading a stream by code asks of a connector."""

    def stream_pages(
        self, stream: Stream, calls: Calls, extent: Extent, redactor: Redactor
    ) -> AsyncGenerator[CheckedPage, None]:
        """Yield the pages of the stream's code. Raises what calls raise, and ConnectorBroken for code that fails."""


class DeclaredCalls:
    """The calls of one piece of code; `whose` names it, such as "the stream exports".

    Only `operations` are let through. From each `begin` on, calls and waits have STEP_SECONDS; what is still called for
    behind them is refused.
    """

    def __init__(
        self,
        call: Callable[[str, Mapping[str, Any]], Awaitable[Answer]],
        settings: Mapping[str, Any],
        clock: Clock,
        *,
        operations: Sequence[str],
        whose: str,
    ) -> None:
        self._call = call
        self._settings = dict(settings)
        self._clock = clock
        self._operations = operations
        self._whose = whose
        self._began = clock.monotonic()

    @property
    def settings(self) -> Mapping[str, Any]:
        """See Calls."""
        return self._settings

    def begin(self) -> None:
        """Begin another page or record."""
        self._began = self._clock.monotonic()

    async def call(self, operation: str, given: Mapping[str, Any] | None = None) -> CallAnswer:
        """See Calls."""
        self._left()
        if operation not in self._operations:
            raise ConnectorBroken(
                f"The code of {self._whose} called {operation}, which the manifest does not let it call.",
                next_step="Add it to the operations beside code, or tell the connector's publisher.",
            )
        if not isinstance(given, Mapping | None):
            raise ConnectorBroken(
                f"The code of {self._whose} called {operation} with {kind_of(given)}, not a dict.",
                next_step="Give the operation's fields by name, or tell the connector's publisher.",
            )
        answer = await self._call(operation, given or {})
        ended = answer.meaning.kind is MeaningKind.END_OF_LIST
        return CallAnswer(answer.status, answer.headers, answer.body, answer.operation.id, answer.request_id, ended)

    async def sleep(self, seconds: float) -> None:
        """See Calls."""
        if not math.isfinite(seconds) or seconds >= self._left():
            raise self._too_long()
        await self._clock.sleep(max(0.0, seconds))

    def _left(self) -> float:
        left = self._began + STEP_SECONDS - self._clock.monotonic()
        if left <= 0:
            raise self._too_long()
        return left

    def _too_long(self) -> ConnectorBroken:
        return ConnectorBroken(
            f"The code of {self._whose} was not done with one page or record within {STEP_SECONDS:g} seconds.",
            next_step="Try again later; if it stays so, tell the connector's publisher.",
        )


async def pages_by_code(
    connector: ReadsByCode,
    stream: Stream,
    extent: Extent,
    *,
    call: Callable[[str, Mapping[str, Any]], Awaitable[Answer]],
    settings: Mapping[str, Any],
    clock: Clock,
    redactor: Redactor,
) -> AsyncGenerator[CheckedPage, None]:
    """Yield the pages that the connector's code reads of a stream. Raises what `ReadsByCode.stream_pages` does."""
    operations = stream.code.operations if stream.code is not None else ()
    calls = DeclaredCalls(call, settings, clock, operations=operations, whose=f"the stream {stream.name}")
    async with aclosing(connector.stream_pages(stream, calls, extent, redactor)) as pages:
        async for page in pages:
            yield page
            calls.begin()


async def blocks_of_code(
    stream: Stream, coded: CodedPages, reading: Reading, start: Position
) -> AsyncGenerator[Block, None]:
    """Yield the stream's records from a position on, page by page; behind the last page nothing is left to read."""
    if start.list_number:
        return
    time = stream.code.time if stream.code is not None else None
    since = reading.window.since if time is not None else None
    until = reading.window.until if time is not None and time.until else None
    number = 0
    async with aclosing(coded(stream, Extent(since, until, start.resume))) as pages:
        async for page in pages:
            number += 1
            yield Block(page.records, Position(resume=page.resume), page=number)
    yield Block([], Position(1))
