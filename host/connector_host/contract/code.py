"""A connector's own code for what its manifest cannot say: how a stream is read, and how a record is pushed.

It is asynchronous code that runs in a thread of its own. It reaches the vendor by `Calls` alone: each call takes its
place in the quota, is signed, repeated and told about as every other, and only the operations that the manifest
declares beside `code` are let through.
"""

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from .answers import RawAnswer
from .errors import AnswerUnreadable, CallFacts

__all__ = ["ActionCode", "CallAnswer", "Calls", "CheckedPage", "CodePage", "Extent", "StreamCode"]


@dataclass(frozen=True, slots=True)
class CallAnswer(RawAnswer):
    """What the vendor answered to a call that succeeded; `ended` tells that a list has no more, as the vendor says."""

    operation: str = ""
    request_id: str = ""
    ended: bool = False

    def json(self) -> Any:
        """Return the decoded body, None where it is empty. Raises AnswerUnreadable when it is not JSON."""
        if not self.body.strip():
            return None
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise AnswerUnreadable(
                f"The answer to {self.operation} is not JSON.",
                next_step="Try again later; if it stays so, report it to the connector's author with the request id.",
                call=CallFacts(self.operation, request_id=self.request_id, status=self.status),
            ) from None


class Calls(Protocol):
    """The way to the vendor that code is given."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The instance's settings, by key."""

    async def call(self, operation: str, given: Mapping[str, Any] | None = None) -> CallAnswer:
        """Call an operation with its input, which is checked before anything is sent.

        Raises ConnectorBroken for an operation that the manifest does not declare beside `code`, and otherwise what
        `Connection.call` raises; let these errors pass, they are told as they are.
        """

    async def sleep(self, seconds: float) -> None:
        """Wait, such as for an export that the vendor prepares. Takes no time under the clock of tests."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What is to be read: from when to when (in UTC, both included, None where it is open), and after which page.

    `resume` is the resume point of the last page that is safe, decoded from JSON; None at the start. It may be one that
    an earlier version of the code has given. Times are None where the stream does not declare that its code takes them.
    """

    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    resume: Any = None


@dataclass(frozen=True, slots=True)
class CodePage:
    """Records that came together, and the resume point from which reading goes on after them.

    A record is a mapping that can be written as JSON; dates, UUIDs and decimals in it become text. A resume point is
    any JSON value but null, of at most 64 KiB; no two pages of one reading have the same.
    """

    records: Sequence[Mapping[str, Any]] = field(repr=False)
    resume: Any


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """A page as the host goes on with it: each record as JSON."""

    records: Sequence[bytes] = field(repr=False)
    resume: Any


class StreamCode(Protocol):
    """What the hook `stream_code` returns."""

    def pages(self, calls: Calls, extent: Extent) -> AsyncIterator[CodePage]:
        """Yield the records of an extent, page by page, in an order that a later reading can go on in.

        A page without records is allowed where it moves the resume point on. The host takes a page only when those
        before it are written, and stops where no more are wanted.
        """


class ActionCode(Protocol):
    """What the hook `action_code` returns."""

    async def push(self, calls: Calls, record: Mapping[str, Any]) -> Any:
        """Push one record, which satisfies the action's schema; return what a report may show, as JSON.

        Raises RecordRejected where the vendor refuses this record and others may pass.
        """
