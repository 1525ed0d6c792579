"""Pushes records by the connector's own code: its calls go through the one door, and those that write are known."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from connector_host.contract.action_models import Action
from connector_host.contract.errors import AnswerUnreadable, ConnectorHostError, OutcomeUnknown

from .answer import Answer
from .coded import DeclaredCalls
from .push_report import RecordOutcome
from .push_writer import LOOK, OperationWriter, PushesTo, Written, short_answer
from .pushes import PushRecord

__all__ = ["Writer", "writer_for"]


class Writer(Protocol):
    """Writes one record after another."""

    def check(self, record: Mapping[str, Any]) -> None:
        """Raise InputInvalid for a record that cannot be sent."""

    async def write(self, record: Mapping[str, Any], sending: Callable[[], None]) -> Written:
        """Send a record; `sending` is called right before the first request that writes."""


@asynccontextmanager
async def writer_for(connection: PushesTo, action: Action) -> AsyncGenerator[Writer, None]:
    """Give what writes the records of an action. Raises ConnectorBroken where its code is missing."""
    if action.code is None:
        yield OperationWriter(connection, action)
        return
    watched = _WatchedCalls(connection)
    whose = f"the action {action.name}"
    calls = DeclaredCalls(
        watched.call, connection.settings, connection.clock, operations=action.code.operations, whose=whose
    )
    async with connection.connector.record_pushing(action, calls, connection.redactor) as push:
        yield _CodeWriter(push, calls, watched)


class _WatchedCalls:
    """The calls for one record: tells of the first that writes, and knows whether any may have been done."""

    def __init__(self, connection: PushesTo) -> None:
        self._connection = connection
        self._sending: Callable[[], None] | None = None
        self.may_have_written = False
        self.request_id = ""

    def begin(self, sending: Callable[[], None]) -> None:
        """Begin another record."""
        self._sending, self.may_have_written, self.request_id = sending, False, ""

    async def call(self, operation: str, given: Mapping[str, Any]) -> Answer:
        """Call an operation. Raises what `Connection.call` raises."""
        writes = self._connection.connector.catalogue.get(operation).kind == "write"
        if writes and self._sending is not None:
            self._sending()
            self._sending = None
        try:
            answer = await self._connection.call(operation, given)
        except ConnectorHostError as error:
            self.request_id = error.call.request_id or self.request_id
            self.may_have_written |= writes and _may_have_happened(error)
            raise
        except BaseException:
            self.may_have_written |= writes
            raise
        self.request_id = answer.request_id
        self.may_have_written |= writes
        return answer


class _CodeWriter:
    """Writes records with code."""

    def __init__(self, push: PushRecord, calls: DeclaredCalls, watched: _WatchedCalls) -> None:
        self._push = push
        self._calls = calls
        self._watched = watched

    def check(self, record: Mapping[str, Any]) -> None:
        """The schema of the record has said everything."""

    async def write(self, record: Mapping[str, Any], sending: Callable[[], None]) -> Written:
        """See Writer. An error after something was written leaves a record whose outcome is not known."""
        watched = self._watched
        watched.begin(sending)
        self._calls.begin()
        try:
            value = await self._push(record)
        except ConnectorHostError as error:
            if not watched.may_have_written or isinstance(error, OutcomeUnknown):
                raise
            message = f"A part of it may have been written before this: {error.message}"
            return Written(RecordOutcome.UNKNOWN, message, LOOK, watched.request_id, error=error)
        encoded = msgspec.json.encode(value)
        shown = short_answer(encoded, msgspec.json.decode(encoded))
        return Written(RecordOutcome.WRITTEN, request_id=watched.request_id, answer=shown)


def _may_have_happened(error: ConnectorHostError) -> bool:
    return isinstance(error, OutcomeUnknown | AnswerUnreadable)
