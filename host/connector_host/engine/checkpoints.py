"""Makes checkpoints: what was written becomes safe, and the state says so."""

import datetime
from dataclasses import dataclass

from connector_host.contract.clock import Clock

from .dead_letters import DeadLetters
from .keys import KeyStore
from .preparation import Prepared
from .report import Counts
from .sinks.base import Sink
from .state import RunState, StateStore

__all__ = ["Cadence", "Checkpoints"]


@dataclass(frozen=True, slots=True)
class Cadence:
    """How much may be lost at most, and read again: records since the last checkpoint, bytes, or seconds."""

    records: int = 50_000
    size: int = 256_000_000
    seconds: float = 2.0


class Checkpoints:
    """The checkpoints of one run.

    `remembers` tells whether keys are kept. Where they are not, what comes twice could not be told, so that there is no
    checkpoint before the end: a run that breaks off begins again.
    """

    def __init__(
        self,
        store: StateStore,
        keys: KeyStore,
        sink: Sink,
        dead_letters: DeadLetters,
        *,
        prepared: Prepared,
        cadence: Cadence,
        clock: Clock,
    ) -> None:
        self.keys = keys
        self.prepared = prepared
        self.finished = False
        self.remembers = True
        self._store = store
        self._sink = sink
        self._dead_letters = dead_letters
        self._cadence = cadence
        self._clock = clock
        self._made = clock.monotonic()
        self._size = 0
        self._records = 0

    def open(self, *, dedupe: bool) -> None:
        """Open sink and dead letters where the last checkpoint left them, and note that a run is under way.

        Raises ConfigurationError when what is there does not fit.
        """
        prepared, state = self.prepared, self.prepared.state
        full = state.mode == "full"
        self.remembers = self._store.keeps or dedupe
        mark = None if full and prepared.begins else state.sink
        self._sink.open(mark, rewrite=full, unfinished=not prepared.begins)
        self._dead_letters.open(0 if full and prepared.begins else state.dead_offset)
        if prepared.begins:
            if full:
                self.keys.forget()
            state.run = prepared.run
            self.make(Counts())

    def passed(self, size: int, counts: Counts) -> None:
        """Count what was written, and make a checkpoint when it is time."""
        self._size += size
        cadence = self._cadence
        due = self._size >= cadence.size or counts.read - self._records >= cadence.records
        if due or self._clock.monotonic() - self._made >= cadence.seconds:
            self.make(counts)

    def make(self, counts: Counts) -> None:
        """Make everything so far safe."""
        state = self.prepared.state
        state.sink = self._sink.commit()
        state.dead_offset = self._dead_letters.commit()
        if state.run is not None:
            state.run.counts = counts.as_dict()
        self._save()
        self._size, self._records, self._made = 0, counts.read, self._clock.monotonic()

    def finish(self, counts: Counts) -> None:
        """End the run: everything is safe, and the next one begins where this one has read up to."""
        prepared, state = self.prepared, self.prepared.state
        self.make(counts)
        run = prepared.run
        state.runs = run.number
        state.until = _read_up_to(run, state.until)
        # A full run asks for everything again.
        state.waiting = [] if state.mode == "full" else run.gone
        state.run = None
        self.keys.end_run()
        self._sink.finish()
        self._save()
        self.finished = True

    def _save(self) -> None:
        state = self.prepared.state
        state.sequence += 1
        encoded = self._store.encode(state)
        self.keys.commit(state.sequence, encoded)
        self._store.save(state)


def _read_up_to(run: RunState, before: datetime.datetime | None) -> datetime.datetime | None:
    """Return the time up to which everything has been read; what failed is read again the next time.

    A run that began behind the time before it leaves a gap between the two, and of what comes after its start no run
    has read anything: neither moves the time on.
    """
    if before is not None and run.since is not None and run.since > before:
        return before
    if run.failed:
        return run.failed_since or run.since or before
    if run.until is None:
        return None
    return min(max(run.until, before or run.until), run.started)
