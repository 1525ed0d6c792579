"""Pushes records by an action: each is checked, sent through the one door, and has one result.

A record that is refused stops no other. What concerns all of them does: credentials, permission, a quota that is
exhausted, a vendor that cannot be reached; the records after it are told as not sent. So do three outcomes in a row
that are not known: who goes on then makes more of them.
"""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sized
from contextlib import ExitStack, aclosing
from dataclasses import replace
from typing import Any

import anyio
import msgspec

from connector_host.contract.action_models import Action
from connector_host.contract.errors import (
    AnswerUnreadable,
    ConnectorHostError,
    InputInvalid,
    OutcomeUnknown,
    Problem,
    RecordRejected,
    VendorRefused,
)
from connector_host.contract.record_inputs import with_defaults
from connector_host.contract.schemas import problems_of, validator_for

from .push_code import Writer, writer_for
from .push_report import PushCounts, PushReport, RecordOutcome, RecordResult
from .push_writer import LOOK, PushesTo
from .record_source import Unreadable, records_of
from .report import Progress, RunEnd
from .results_file import ResultsFile

__all__ = ["MOST_UNKNOWN", "Push", "Records"]

Records = Iterable[Any] | AsyncIterable[Any]
"""Records as mappings, or `Unreadable` in the place of one."""

MOST_UNKNOWN = 3
"""So many outcomes in a row that are not known stop a push (decided)."""
_TOLD_EVERY = 0.25
_END: Any = object()
_REJECTED = (InputInvalid, VendorRefused, RecordRejected)
_UNKNOWN = (OutcomeUnknown, AnswerUnreadable)
_STOPPED = "Something stopped the push before this record."
_UNDER_WAY = "It was being sent when an earlier push ended, so it may have happened."


class Push:
    """One push. `results` does the work; `stop` ends it after the record under way; `report` tells of it at any time.

    `told` is called with the progress now and then.
    """

    def __init__(
        self,
        connection: PushesTo,
        action: Action,
        records: Records,
        *,
        dry_run: bool = False,
        file: ResultsFile | None = None,
        told: Callable[[Progress], None] | None = None,
    ) -> None:
        self.action = action
        self.counts = PushCounts()
        self._connection = connection
        self._records = records
        self._dry_run = dry_run
        self._file = file
        self._told = told
        self._told_at = float("-inf")
        self._began = connection.clock.monotonic()
        self._asked_before = connection.stats.requests
        self._invalid = 0
        self._unknown_in_a_row = 0
        self._stopped = False
        self._waiting = anyio.CancelScope()
        self._error: ConnectorHostError | None = None

    def stop(self) -> None:
        """End after the record under way. To be called in the event loop."""
        self._stopped = True
        self._waiting.cancel()

    async def results(self) -> AsyncGenerator[RecordResult, None]:
        """Push, and yield each record's result in order; one that an earlier push has given is not given again.

        Raises PermissionMissing before anything is read where the scope does not cover an operation of the action,
        what the results file raises, and what the source of the records raises.
        """
        connection = self._connection
        connection.check_scope(self.action.operations())
        schema = connection.connector.schema_file(self.action.record_schema)
        validator = validator_for(schema)
        with ExitStack() as stack:
            if self._file is not None:
                self._file.open(self._identity())
                stack.callback(self._file.close)
            async with writer_for(connection, self.action) as writer, aclosing(records_of(self._records)) as records:
                checks = _Checks(schema, validator, writer)
                while (given := await self._next(records)) is not _END:
                    number = self.counts.read + 1
                    digest = _digest(given) if self._file is not None else ""
                    if self._file is not None and number <= self._file.earlier:
                        self._file.check_earlier(number, digest)
                        self.counts.read, self.counts.earlier = number, number
                        continue
                    result = await self._result(number, digest, given, checks)
                    result = self._without_secrets(result)
                    self._keep(result, digest)
                    yield result

    def report(self) -> PushReport:
        """Return how the push ended, or stands."""
        counts = self.counts
        good = counts.written + counts.checked
        if self._stopped:
            state = RunEnd.STOPPED
        elif self._error is None and good + counts.earlier == counts.read:
            state = RunEnd.SUCCESS
        else:
            state = RunEnd.PARTIAL_SUCCESS if good else RunEnd.FAILURE
        return PushReport(
            self.action.name,
            state,
            replace(counts),
            self._connection.stats.requests - self._asked_before,
            self._connection.clock.monotonic() - self._began,
            self._invalid,
            self._dry_run,
            self._error,
        )

    async def _next(self, records: AsyncIterator[Any]) -> Any:
        """Return what is given next, `_END` at the end; a stop does not wait for it."""
        if self._stopped:
            return _END
        with anyio.CancelScope() as self._waiting:
            return await anext(records, _END)
        return _END

    async def _result(self, number: int, digest: str, given: Any, checks: "_Checks") -> RecordResult:
        if self._file is not None and self._file.was_under_way(number, digest):
            return RecordResult(number, RecordOutcome.UNKNOWN, _UNDER_WAY, LOOK)
        if self._error is not None:
            return RecordResult(number, RecordOutcome.SKIPPED, _STOPPED, self._error.next_step)
        try:
            record = checks.record(given)
        except InputInvalid as error:
            self._invalid += 1
            return _rejected(number, error)
        if self._dry_run:
            return RecordResult(number, RecordOutcome.CHECKED)
        return await self._sent(number, digest, record, checks.writer)

    async def _sent(self, number: int, digest: str, record: Mapping[str, Any], writer: Writer) -> RecordResult:
        def sending() -> None:
            if self._file is not None:
                self._file.sending(number, digest)

        try:
            done = await writer.write(record, sending)
        except ConnectorHostError as error:
            return self._failed(number, error)
        if done.error is not None and not isinstance(done.error, (*_REJECTED, *_UNKNOWN)):
            self._error = done.error
        return RecordResult(number, done.outcome, done.message, done.next_step, done.request_id, done.answer)

    def _failed(self, number: int, error: ConnectorHostError) -> RecordResult:
        """Return the result of a record that an error ended, and stop where the error concerns all."""
        if isinstance(error, _REJECTED):
            return _rejected(number, error)
        outcome = RecordOutcome.UNKNOWN if isinstance(error, _UNKNOWN) else RecordOutcome.SKIPPED
        if outcome is RecordOutcome.SKIPPED:
            self._error = error
        return RecordResult(number, outcome, error.message, error.next_step, error.call.request_id)

    def _keep(self, result: RecordResult, digest: str) -> None:
        self.counts.add(result.outcome)
        self._unknown_in_a_row = self._unknown_in_a_row + 1 if result.outcome is RecordOutcome.UNKNOWN else 0
        if self._unknown_in_a_row == MOST_UNKNOWN and self._error is None:
            sentence = f"The outcomes of {MOST_UNKNOWN} records in a row are not known."
            self._error = OutcomeUnknown(sentence, next_step=LOOK)
        if self._file is not None:
            self._file.result(result, digest)
        if self._told is not None and self._connection.clock.monotonic() - self._told_at >= _TOLD_EVERY:
            self._told_at = self._connection.clock.monotonic()
            self._told(self._progress())

    def _without_secrets(self, result: RecordResult) -> RecordResult:
        hide = self._connection.redactor
        answer = result.answer
        if answer is not None and hide(text := msgspec.json.encode(answer).decode()) != text:
            answer = msgspec.json.decode(hide(text))
        return replace(result, message=hide(result.message), next_step=hide(result.next_step), answer=answer)

    def _progress(self) -> Progress:
        connection, read = self._connection, self.counts.read
        seconds = connection.clock.monotonic() - self._began
        fresh = read - self.counts.earlier
        share = read / len(self._records) if isinstance(self._records, Sized) and len(self._records) else None
        left = len(self._records) - read if isinstance(self._records, Sized) else None
        return Progress(
            self.action.name,
            read,
            self.counts.written,
            connection.stats.requests - self._asked_before,
            seconds,
            fresh / seconds if seconds > 0 else 0.0,
            share,
            None if left is None or not fresh else left * seconds / fresh,
            connection.quota_share(),
        )

    def _identity(self) -> dict[str, str]:
        manifest = self._connection.connector.manifest
        return {"connector": manifest.name, "instance": self._connection.instance, "action": self.action.name}


class _Checks:
    """What a record passes before it is sent."""

    def __init__(self, schema: Mapping[str, Any], validator: Any, writer: Writer) -> None:
        self._schema = schema
        self._validator = validator
        self.writer = writer

    def record(self, given: Any) -> dict[str, Any]:
        """Return the record as it is sent, with its defaults. Raises InputInvalid with every problem."""
        if isinstance(given, Unreadable):
            raise _invalid([Problem("", "json", given.sentence, given.fix)])
        if not isinstance(given, Mapping):
            raise _invalid([Problem("", "type", "It is no object.", "Give an object with the record's fields.")])
        try:
            plain: dict[str, Any] = msgspec.to_builtins(dict(given), str_keys=True)
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise _invalid([Problem("", "json", "It has values that JSON has no word for.")]) from None
        record = with_defaults(plain, self._schema)
        if problems := problems_of(self._validator, record):
            raise _invalid(problems)
        self.writer.check(record)
        return record


def _invalid(problems: list[Problem]) -> InputInvalid:
    return InputInvalid("The record is not valid.", problems=problems, next_step="Correct it, and push it again.")


def _rejected(number: int, error: ConnectorHostError) -> RecordResult:
    return RecordResult(
        number,
        RecordOutcome.REJECTED,
        error.message,
        error.next_step,
        error.call.request_id,
        problems=error.problems,
    )


def _digest(record: Any) -> str:
    """Return what tells one record from another, for records that come again."""
    try:
        text = msgspec.json.encode(record, order="deterministic", enc_hook=repr)
    except (TypeError, ValueError, OverflowError, RecursionError):
        text = b""
    return hashlib.blake2b(text, digest_size=8).hexdigest()
