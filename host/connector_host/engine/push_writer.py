"""How one record is written by an action's operation: what is sent, and what its answer and a look tell of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from connector_host.contract.action_models import Action, Expectation, ReadBack
from connector_host.contract.clock import Clock
from connector_host.contract.errors import (
    AnswerUnreadable,
    ConnectorBroken,
    ConnectorHostError,
    InputInvalid,
    OutcomeUnknown,
    Problem,
)
from connector_host.contract.inputs import check_input
from connector_host.contract.record_inputs import RecordValues, input_from
from connector_host.contract.secrets import Redactor

from .answer import Answer
from .push_answer import difference
from .push_report import RecordOutcome
from .stats import ConnectionStats

if TYPE_CHECKING:
    from .connects import Connects

__all__ = ["LOOK", "OperationWriter", "PushesTo", "Written", "short_answer"]

_LONGEST_ANSWER = 4096
LOOK = "Look at the vendor whether it happened before you push it again."
"""What to do about a record whose outcome is not known."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of one record that was sent; `error` is what went wrong where there is an outcome all the same."""

    outcome: RecordOutcome
    message: str = ""
    next_step: str = ""
    request_id: str = ""
    answer: Any = None
    error: ConnectorHostError | None = None


class PushesTo(Protocol):
    """What a push needs of a connection."""

    @property
    def connector(self) -> "Connects":
        """The connector."""

    @property
    def instance(self) -> str:
        """Name of the instance, empty where there is none."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The instance's settings, by key."""

    @property
    def clock(self) -> Clock:
        """The clock that it waits by."""

    @property
    def redactor(self) -> Redactor:
        """Hides its secrets."""

    @property
    def stats(self) -> ConnectionStats:
        """Its statistics."""

    async def call(self, operation_id: str, given: Mapping[str, Any] | None = None) -> Answer:
        """Call an operation."""

    def check_scope(self, operations: Iterable[str]) -> None:
        """Raise PermissionMissing where the scope does not cover one of the operations."""

    def quota_share(self) -> float | None:
        """Return how much is in use of the fullest quota that its calls count in, from 0 to 1."""


class OperationWriter:
    """Writes records with the operation of an action."""

    def __init__(self, connection: PushesTo, action: Action) -> None:
        self._connection = connection
        self._action = action
        self._operation = connection.connector.catalogue.get(action.operation or "")
        self._label = connection.connector.manifest.label

    def check(self, record: Mapping[str, Any]) -> None:
        """Raise InputInvalid where a template lacks a value, or the operation would not take its input."""
        values = self._values(record)
        for _, template in self._action.templates():
            _filled(template, values)
        connector = self._connection.connector.manifest.name
        check_input(self._operation, _filled(self._action.input, values), connector=connector)

    async def write(self, record: Mapping[str, Any], sending: Callable[[], None]) -> Written:
        """Send a record that was checked; `sending` is called right before. Raises what `Connection.call` raises."""
        values = self._values(record)
        given = _filled(self._action.input, values)
        sending()
        try:
            answer = await self._connection.call(self._operation.id, given)
        except (OutcomeUnknown, AnswerUnreadable) as error:
            if self._action.read_back is not None and await self._shows(self._action.read_back, values):
                return Written(
                    RecordOutcome.WRITTEN,
                    f"No clear answer came; {self._label} shows that it was done.",
                    request_id=error.call.request_id,
                )
            raise
        except ConnectorBroken as error:
            if error.call.status is None:
                raise
            message = f"The vendor answered, and the answer could not be read: {error.message}"
            return Written(RecordOutcome.UNKNOWN, message, LOOK, error.call.request_id, error=error)
        return await self._judged(answer, values)

    async def _judged(self, answer: Answer, values: Mapping[str, Any]) -> Written:
        """Tell what the answer, and what is read back after it, say of the record."""
        expected, back = self._action.answer, self._action.read_back
        shown = short_answer(answer.body, answer.data)
        wrong = self._wrong(expected, values, answer.data) if expected is not None else None
        if wrong is not None:
            message = f"{self._label} did not do it: {wrong}"
            return Written(RecordOutcome.REJECTED, message, _CORRECT, answer.request_id, shown)
        if back is None:
            return Written(RecordOutcome.WRITTEN, "", "", answer.request_id, shown)
        try:
            seen = await self._read(back, values)
        except ConnectorHostError as error:
            message = f"{self._label} says that it was done; it could not be read back: {error.message}"
            return Written(RecordOutcome.WRITTEN, message, "", answer.request_id, shown)
        wrong = self._wrong(back, values, seen)
        if wrong is None:
            return Written(RecordOutcome.WRITTEN, "", "", answer.request_id, shown)
        message = f"{self._label} answered success and did not do it: {wrong}"
        return Written(RecordOutcome.REJECTED, message, LOOK, answer.request_id, shown)

    async def _shows(self, back: ReadBack, values: Mapping[str, Any]) -> bool:
        """Tell whether a look shows what was to be written; a look that fails shows nothing."""
        try:
            return self._wrong(back, values, await self._read(back, values)) is None
        except ConnectorHostError:
            return False

    async def _read(self, back: ReadBack, values: Mapping[str, Any]) -> Any:
        return (await self._connection.call(back.operation, input_from(back.input, values))).data

    def _wrong(self, expected: Expectation, values: Mapping[str, Any], answer: Any) -> str | None:
        found = difference(expected, values, answer)
        return None if found is None else self._connection.redactor(found)

    def _values(self, record: Mapping[str, Any]) -> RecordValues:
        return RecordValues(record, self._connection.settings)


def _filled(template: Mapping[str, Any], values: RecordValues) -> dict[str, Any]:
    try:
        return input_from(template, values)
    except KeyError as error:
        where = str(error.args[0]).removeprefix("record.")
        raise InputInvalid(
            "The record is not valid.", problems=[Problem(where, "required", "This is required.")]
        ) from None


_CORRECT = "Correct the record, and push it again."


def short_answer(body: bytes, data: Any) -> Any:
    """Return an answer's data where it is short enough to stand in a result, otherwise None."""
    return data if len(body) <= _LONGEST_ANSWER else None
