"""Compares what was read with the total that the vendor tells, so that a list which moved meanwhile is read again."""

from dataclasses import replace

from connector_host.contract.errors import (
    AnswerUnreadable,
    CallFacts,
    ConnectorHostError,
    QuotaExhausted,
    SignInError,
    TemporaryError,
)
from connector_host.contract.stream_models import Stream

from .blocks import Reading
from .checkpoints import Checkpoints
from .connection import Connection
from .envelope import EnvelopeError, fields_of, value_of
from .plan import filled
from .preparation import Prepared
from .report import Counts

__all__ = ["Totals", "total_of"]

_MOST_PASSES = 3
_PASSES_BY_ITSELF = (TemporaryError, QuotaExhausted)


async def total_of(connection: Connection, stream: Stream) -> int | None:
    """Return how many records the vendor says there are, None where the stream has no such operation."""
    total = stream.total
    if total is None:
        return None
    answer = await connection.ask(total.operation, filled(total.input, connection.surroundings.settings))
    path = total.value or ""
    try:
        value = value_of(fields_of(answer.body, (path,))[path])
    except EnvelopeError:
        value = None
    if not isinstance(value, int) or isinstance(value, bool):
        raise AnswerUnreadable(
            f"The answer to {total.operation} has no number{f' at {path}' if path else ''}.",
            next_step="Report it to the connector's author.",
            call=CallFacts(total.operation),
        )
    return value


class Totals:
    """The passes over one list. The difference between total and list that stays when nothing moves is remembered."""

    def __init__(
        self, connection: Connection, stream: Stream, prepared: Prepared, checkpoints: Checkpoints, counts: Counts
    ) -> None:
        self.moving = False
        self.warnings: list[str] = []
        self._connection = connection
        self._stream = stream
        self._prepared = prepared
        self._checkpoints = checkpoints
        self._counts = counts
        self._passes = 1
        self._seen = 0
        whole = prepared.window.since is None and prepared.window.until is None
        self._compares = stream.total is not None and whole and not prepared.state.filters and checkpoints.remembers

    async def ask_for_another_pass(self) -> bool:
        """Tell whether the list is to be read once more: its total does not fit, and the last pass found more."""
        if not self._compares:
            return False
        try:
            total = await total_of(self._connection, self._stream) or 0
        except SignInError:
            raise
        except ConnectorHostError as error:
            self._do_without(error)
            return False
        before, seen = self._seen, self._checkpoints.keys.count(self._prepared.run.number)
        self._seen = seen
        gap = total - seen
        state = self._prepared.state
        if gap in (0, state.gap):
            self.moving = False
            return False
        if self._passes > 1 and seen == before:
            # A whole pass has found nothing more: the vendor counts otherwise than it lists.
            state.gap, self.moving = gap, False
            return False
        self.moving = True
        if self._passes >= _MOST_PASSES:
            self.warnings.append(
                f"The list changed while it was read {self._passes} times: the vendor counts {total:,} records, "
                f"{seen:,} were seen. What is missing comes with the next pull."
            )
            return False
        self._passes += 1
        return True

    def _do_without(self, error: ConnectorHostError) -> None:
        """Tell that nothing shows whether the list moved; what is gone can wait for a total that comes later."""
        self.moving = isinstance(error, _PASSES_BY_ITSELF)
        removals = "; what was removed is told with the next pull" if self.moving else ""
        self.warnings.append(
            f"Every record that was listed came, but not their total to compare them with{removals}: {error.message}"
        )

    def again(self, reading: Reading) -> Reading:
        """Return the reading for another pass, in which ids that were asked for are not asked for again."""
        return replace(reading)
