"""Collects what happens in a run and puts it into the database now and then, so that the work does not wait for it."""

from collections.abc import Mapping
from typing import Any

import anyio
import anyio.to_thread

from connector_host.contract.clock import Clock
from connector_host.contract.errors import CallFacts
from connector_host.contract.secrets import Redactor
from connector_host.engine import ConnectionStats

from .run import EventKind
from .store import NewEvent, RunStore

__all__ = ["Recorder"]

_EVERY_SECONDS = 1.0
_LONGEST_SAMPLE = 64 * 1024
_PARTS_OF_COUNTS = ("requests", "retries", "received")


class Recorder:
    """The recorder of one run. Its methods are called in the event loop; only `flush` touches the database.

    What is recorded has the redactor's secrets taken out.
    """

    def __init__(
        self, store: RunStore, run_id: str, redactor: Redactor, clock: Clock, *, reach: Mapping[str, Any] | None = None
    ) -> None:
        self.counts: dict[str, int] = {}
        self.checkpoint: str | None = None
        self.reach = dict(reach or {})
        self.stats: ConnectionStats | None = None
        self._store = store
        self._run_id = run_id
        self.redactor = redactor
        self._clock = clock
        self._events: list[NewEvent] = []
        self._progress: dict[str, Any] | None = None

    def called(self, facts: CallFacts) -> None:
        """Note an attempt of a call."""
        last = facts.attempts[-1]
        self._log(
            "info" if last.outcome.startswith(("success", "end of list")) else "warning",
            f"{facts.operation}: {last.outcome}",
            operation=facts.operation,
            request_id=facts.request_id,
            attempt=last.number,
            waited=round(last.waited, 3),
        )

    def note(self, level: str, message: str, **facts: Any) -> None:
        """Note a sentence."""
        self._log(level, message, **facts)

    def moved(self, counts: Mapping[str, int], **facts: Any) -> None:
        """Note how far the work is; only the newest of a second is kept."""
        self.counts |= counts
        self._progress = {**(self._progress or {}), **facts}

    def reached(self, checkpoint: str) -> None:
        """Note where the work can go on."""
        self.checkpoint = checkpoint

    def reads(self, **reach: Any) -> None:
        """Note what is read, and from where; see `Run.reach`."""
        self.reach |= reach

    def sampled(self, name: str, data: bytes) -> None:
        """Keep the beginning of what came."""
        text = self.redactor(data[:_LONGEST_SAMPLE].decode("utf-8", "replace"))
        self._events.append((EventKind.SAMPLE, {"name": name, "text": text, "cut": len(data) > _LONGEST_SAMPLE}))

    def pending(self) -> list[NewEvent]:
        """Return and forget what is not in the database yet."""
        events, self._events = self._events, []
        if self.stats is not None:
            self.counts |= {part: int(getattr(self.stats, part)) for part in _PARTS_OF_COUNTS}
        if self._progress is not None:
            events.append((EventKind.PROGRESS, {**self.counts, **self._progress}))
            self._progress = None
        return events

    async def flush(self) -> bool:
        """Put what is pending into the database; tell whether the run is asked to stop."""
        # A run that ends cancels what flushes now and then; what it has taken must not be lost on the way.
        with anyio.CancelScope(shield=True):
            events = self.pending()
            counts, reach = dict(self.counts), dict(self.reach)
            return await anyio.to_thread.run_sync(self._store.record, self._run_id, events, counts, reach)
        raise AssertionError("unreachable")  # pragma: no cover -- a shielded scope is not left early

    async def keep_flushing(self) -> None:
        """Flush again and again until the run is asked to stop."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            if await self.flush():
                return

    def _log(self, level: str, message: str, **facts: Any) -> None:
        self._events.append((EventKind.LOG, {"level": level, "message": self.redactor(message), **facts}))
