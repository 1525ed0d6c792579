"""Pulls a stream into a sink so that a stop at any moment loses nothing: every record is safe before it is passed.

A checkpoint is made in this order: the sink and the dead letters are made safe, then the keys together with a copy of
the state, then the state itself.
"""

import asyncio
import datetime
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from connector_host.contract.clock import Clock
from connector_host.contract.errors import ConnectorHostError, Unwritable, VendorFault
from connector_host.contract.stream_models import Stream

from .arguments import check_arguments
from .blocks import Block, Failure, Reading
from .checkpoints import Cadence, Checkpoints
from .connection import Connection
from .dead_letters import DeadLetters, NoDeadLetters
from .emitter import Emitter
from .estimate import estimate_of
from .leftovers import Leftovers
from .preparation import Mode, Prepared, is_incremental, prepare
from .removal import remove_what_is_gone, why_nothing_is_removed
from .report import Counts, Estimate, Progress, RunEnd, SyncReport
from .sinks.base import Sink
from .source import Source
from .state import Position, StateStore
from .totals import Totals
from .tracking import Tracker
from .transform import transform_of
from .ways import Way, choose_way, name_of

__all__ = ["Sync"]

_MOST_FAILURES = 3
_MOST_SINGLE_FAULTS = 20
"""Single ids in a row that the vendor may fail on: no other id of their batch shows that it is not the records."""


@dataclass(slots=True)
class _Parts:
    """What works together in one run."""

    source: Source
    emitter: Emitter
    checkpoints: Checkpoints
    leftovers: Leftovers


class Sync:
    """One run of one stream: the next part of what a `state` says, or all of it.

    `mode` "auto" reads only what changed where the vendor can list that, and otherwise compares with what is known:
    then records say in `_change` whether they were created, updated or removed. "full" replaces the content.

    `dedupe` lets no record come twice in a full run, whatever happens. `progress` is called after every block.

    Raises InputInvalid with every argument that is of another kind than it takes, and UnknownName for a stream that the
    connector does not have.
    """

    def __init__(
        self,
        connection: Connection,
        stream: str | Stream,
        *,
        sink: Sink,
        state: StateStore,
        mode: Mode = "auto",
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        limit: int | None = None,
        filters: Mapping[str, str] | None = None,
        columns: Sequence[str] | None = None,
        normalise: bool = False,
        dedupe: bool = False,
        dead_letters: DeadLetters | None = None,
        progress: Callable[[Progress], None] | None = None,
        clock: Clock | None = None,
        cadence: Cadence | None = None,
    ) -> None:
        check_arguments(
            "The stream cannot be pulled like this.",
            connection=connection,
            stream=stream,
            sink=sink,
            state=state,
            mode=mode,
            since=since,
            until=until,
            limit=limit,
            filters=filters,
            columns=columns,
            normalise=normalise,
            dedupe=dedupe,
            dead_letters=dead_letters,
            progress=progress,
            clock=clock,
            cadence=cadence,
        )
        self._connection = connection
        self._stream = connection.stream(stream) if isinstance(stream, str) else stream
        self._sink = sink
        self._store = state
        self._clock = clock or connection.clock
        self._dead_letters = dead_letters or NoDeadLetters()
        self._progress = progress
        self._cadence = cadence or Cadence()
        self._asked = {
            "mode": mode,
            "since": since,
            "until": until,
            "filters": dict(filters or {}),
            "columns": list(columns or ()),
            "normalise": normalise,
        }
        self._transform = transform_of(columns, self._stream.primary_key, normalise=normalise)
        self._limit = limit
        self._dedupe = dedupe
        self._work: asyncio.Task[None] | None = None
        self._stopping = False
        self._failures: list[Failure] = []
        self._warnings: list[str] = []

    def stop(self) -> None:
        """End the run at a checkpoint as soon as can be; `run` then returns. May be called from a signal handler."""
        self._stopping = True
        if self._work is not None:
            self._work.cancel()

    async def estimate(self) -> Estimate:
        """Return what the run would take; asks the vendor as little as is needed to tell. Changes nothing."""
        prepared = prepare(self._stream, self._connection.surroundings.streams, self._store, self._clock, self._asked)
        return await estimate_of(self._connection, self._stream, prepared)

    async def run(self) -> SyncReport:
        """Pull until everything is read, the limit is reached, or `stop` is called.

        What goes wrong at the vendor is told in the report, with everything that was read before it safe. Raises
        UnknownName and InputInvalid for what cannot be pulled like this, ConfigurationError for files and states that
        cannot be used, and Unwritable where there is no room: the next run goes on from the last checkpoint.
        """
        began, asked_before = self._clock.monotonic(), self._connection.stats.requests
        keys = self._store.keys()
        error: ConnectorHostError | None = None
        try:
            prepared = prepare(
                self._stream, self._connection.surroundings.streams, self._store, self._clock, self._asked, keys=keys
            )
            checkpoints = Checkpoints(
                self._store,
                keys,
                self._sink,
                self._dead_letters,
                prepared=prepared,
                cadence=self._cadence,
                clock=self._clock,
            )
            counts = Counts.of(prepared.run.counts)
            tracker = Tracker(self._connection, self._clock, prepared, counts, self._progress)
            checkpoints.open(dedupe=self._dedupe)
            self._work = asyncio.ensure_future(self._pull(prepared, checkpoints, counts, tracker))
            try:
                await self._work
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except Unwritable:
                # Keys may be noted of records that are not written: the last checkpoint stays the last.
                raise
            except ConnectorHostError as found:
                error = found
            if not checkpoints.finished:
                checkpoints.make(counts)
            if error is None and counts.read == counts.dead:
                error = next((each.error for each in self._failures if not each.earlier), None)
        except sqlite3.Error as found:
            raise Unwritable(
                f"What is known of {self._stream.name} cannot be kept: {found}.",
                next_step="Make room on the disk, then use the same command again.",
            ) from found
        finally:
            await self._let_go()
            self._sink.close()
            self._dead_letters.close()
            keys.close()
        return SyncReport(
            self._stream.name,
            prepared.state.mode,
            self._end(counts, error, finished=checkpoints.finished),
            counts,
            self._connection.stats.requests - asked_before,
            self._clock.monotonic() - began,
            prepared.state.sequence,
            self._sink.place,
            checkpoints.finished,
            not prepared.begins,
            tuple(self._warnings),
            tuple(map(str, self._failures)),
            error,
            prepared.window.since,
            prepared.window.until,
        )

    async def _let_go(self) -> None:
        work = self._work
        if work is not None and not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    def _end(self, counts: Counts, error: ConnectorHostError | None, *, finished: bool) -> RunEnd:
        if self._stopping and not finished:
            return RunEnd.STOPPED
        if error is not None:
            return RunEnd.PARTIAL_SUCCESS if counts.written or counts.removed else RunEnd.FAILURE
        return RunEnd.PARTIAL_SUCCESS if self._failures or counts.dead else RunEnd.SUCCESS

    async def _pull(self, prepared: Prepared, checkpoints: Checkpoints, counts: Counts, tracker: Tracker) -> None:
        run, state = prepared.run, prepared.state
        reading = Reading(
            prepared.window,
            settled=prepared.settled,
            tolerant=True,
            most=lambda: float("inf") if self._limit is None else max(0.0, self._limit - self._this_time),
            known_ids=lambda ids: checkpoints.keys.ids_of_run(ids, run.number),
        )
        self._this_time = 0
        around = self._connection.surroundings
        way = await choose_way(self._stream, around, reading, state.way)
        state.way = name_of(self._stream, way)
        emitter = Emitter(
            self._sink,
            self._dead_letters,
            checkpoints.keys,
            remembers=checkpoints.remembers,
            run=run.number,
            primary_key=self._stream.primary_key,
            selection=prepared.selection,
            transform=self._transform,
            marks=state.mode == "changes",
            per_run=state.mode == "full",
            counts=counts,
        )
        totals = Totals(self._connection, self._stream, prepared, checkpoints, counts)
        parts = _Parts(self._source(way, reading, prepared), emitter, checkpoints, Leftovers(prepared, counts))
        complete = await self._read(parts, reading, tracker)
        while complete and await totals.ask_for_another_pass():
            parts.source = self._source(way, totals.again(reading), prepared)
            run.position = Position()
            complete = await self._read(parts, reading, tracker)
        self._warnings += totals.warnings
        if not complete:
            if state.mode == "full":
                checkpoints.finish(counts)
            return
        if not await self._ask_again(parts):
            return
        if state.mode == "changes" and not (self._failures or run.failed or totals.moving):
            reason = self._why_nothing_is_removed(prepared)
            if reason is None:
                await remove_what_is_gone(self._connection, self._stream, emitter, checkpoints, counts)
            else:
                self._warnings.append(reason)
        checkpoints.finish(counts)

    def _why_nothing_is_removed(self, prepared: Prepared) -> str | None:
        return why_nothing_is_removed(
            self._stream,
            prepared.window,
            times_given=self._asked["since"] is not None or self._asked["until"] is not None,
            incremental=is_incremental(self._stream, self._connection.surroundings.streams),
        )

    def _source(self, way: Way, reading: Reading, prepared: Prepared) -> Source:
        return Source(self._stream, way, self._connection.surroundings, selection=prepared.selection, reading=reading)

    async def _read(self, parts: _Parts, reading: Reading, tracker: Tracker) -> bool:
        """Read from where the run is to its end; tell whether it was reached, and not the limit before it."""
        in_a_row = 0
        async with aclosing(parts.source.blocks(parts.checkpoints.prepared.run.position)) as blocks:
            async for block in blocks:
                parts.leftovers.add(block)
                self._take(block, parts, block.position)
                tracker.moved(block)
                error = _stops(block)
                in_a_row = in_a_row + 1 if error is not None else 0
                if error is not None and in_a_row >= _patience(block):
                    raise error
                if reading.most() <= 0:
                    return False
        return True

    async def _ask_again(self, parts: _Parts) -> bool:
        """Ask once more for what gave no record; tell whether that came to its end, and not to the limit before it."""
        leftovers, run = parts.leftovers, parts.checkpoints.prepared.run
        async with aclosing(parts.source.ask_again(leftovers.to_ask())) as blocks:
            async for block, asked in blocks:
                before = run.gone
                leftovers.answered(block, asked)
                if not self._take(block, parts):
                    run.gone = before
                    return False
        failure = leftovers.failure()
        if failure is not None:
            self._failures.append(failure)
        return True

    def _take(self, block: Block, parts: _Parts, position: Position | None = None) -> bool:
        """Write a block and pass it: nothing waits between the two. Tell whether all of it was within the limit."""
        emitter, run = parts.emitter, parts.checkpoints.prepared.run
        before = emitter.counts.written
        size = emitter.take(block, float("inf") if self._limit is None else self._limit - self._this_time)
        self._this_time += emitter.counts.written - before
        parts.source.emitted(block)
        if position is not None and (self._limit is None or self._this_time < self._limit):
            run.position = position
        if block.failure is not None:
            if block.failure.error is not None:
                self._failures.append(block.failure)
            else:
                self._warnings.append(str(block.failure))
            since = block.failure.since
            run.failed = True
            if since is not None:
                run.failed_since = min(since, run.failed_since or since)
        if emitter.cut:
            return False
        parts.checkpoints.passed(size, emitter.counts)
        return True


def _stops(block: Block) -> ConnectorHostError | None:
    """Return why nothing came, where the next block may well fail in the same way."""
    if block.failure is not None:
        return block.failure.error
    return block.error if block.barren else None


def _patience(block: Block) -> int:
    """Return how many blocks in a row may fail like this one."""
    single = len(block.ids) == 1 and isinstance(block.error, VendorFault)
    return _MOST_SINGLE_FAULTS if single else _MOST_FAILURES
