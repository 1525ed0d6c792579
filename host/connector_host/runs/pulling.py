"""The one place where a run meets the engine's pulling: a stream of a connection into a file of the run's folder."""

import asyncio
import datetime
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import anyio

from connector_host.engine import Connection
from connector_host.engine.dead_letters import DeadLetterFile
from connector_host.engine.report import Progress, RunEnd, SyncReport
from connector_host.engine.sinks import JsonLinesSink
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync

from .parameters import Wanted
from .threads import in_thread

__all__ = ["Pulled", "Watches", "files_of", "pull"]

_STATE_FOLDER = ".state"
_MOST_SAMPLED = 64 * 1024
_AT_ONCE = 1 << 20


class Watches(Protocol):
    """What hears how a pull moves on."""

    def moved(self, counts: Mapping[str, int], **facts: Any) -> None:
        """Hear the counts so far, and facts such as page, pages (None where unknown) and seconds remaining."""

    def reached(self, checkpoint: str) -> None:
        """Hear where the work can go on."""

    def reads(self, **reach: Any) -> None:
        """Hear what is read, and from where; see `Run.reach`."""

    def sampled(self, name: str, data: bytes) -> None:
        """See what came, for the person who looks at the run."""

    def note(self, level: str, message: str, **facts: Any) -> None:
        """Hear a sentence for the log."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a run's work has done: `records` by file; `partial` tells that not everything could be had, and why."""

    records: Mapping[str, int] = field(default_factory=dict)
    partial: bool = False
    message: str = ""
    next_step: str = ""
    request_id: str = ""


def files_of(stream: str) -> tuple[str, str]:
    """Return the names of the files that a run of a stream leaves: records and dead letters."""
    return f"{stream}.jsonl", f"{stream}.dead.jsonl"


async def pull(
    connection: Connection,
    stream: str,
    folder: Path,
    wanted: Wanted,
    watch: Watches,
    *,
    state: FolderState | None = None,
    counts: Mapping[str, int] | None = None,
    up_to_now: bool = False,
) -> Pulled:
    """Pull a stream into `STREAM.jsonl` of the folder, or go on with what its state says.

    Without a `state` the run stands alone: until it is complete its file ends in `.part`. What cannot become a record
    goes to `STREAM.dead.jsonl`. `counts` are those of what the file has already, of an earlier attempt. `up_to_now`
    reads once more where the state was of another run that had been broken off. Cancelled, it ends at a checkpoint.

    Raises the error of a run that wrote nothing, and ConfigurationError for files and states that cannot be used.
    """
    work = _Pull(connection, stream, folder, wanted, watch, state or FolderState(folder / _STATE_FOLDER, stream))
    work.before = dict(counts or {})
    report = await work.run()
    if up_to_now and report.resumed and report.finished and report.error is None and wanted.limit is None:
        work.before = work.counts_of(report)
        failures, dead = report.failures, report.counts.dead
        report = await work.run()
        report = replace(report, failures=(*failures, *report.failures))
        report.counts.dead += dead
    if report.state is RunEnd.FAILURE and report.error is not None and not work.before.get("written"):
        raise report.error
    records = await in_thread(_lines_in, folder / files_of(stream)[0]) if state is not None else report.counts.written
    return _pulled(report, records)


@dataclass
class _Pull:
    """The passes over one stream; `before` are the counts of what came before the pass under way."""

    connection: Connection
    stream: str
    folder: Path
    wanted: Wanted
    watch: Watches
    state: FolderState
    before: dict[str, int] = field(default_factory=dict)

    async def run(self) -> SyncReport:
        """Read once. Cancelled, it ends at a checkpoint."""
        wanted, (records, letters) = self.wanted, files_of(self.stream)
        sync = Sync(
            self.connection,
            self.stream,
            sink=JsonLinesSink(self.folder / records),
            state=self.state,
            mode=wanted.mode,
            since=wanted.since,
            until=wanted.until,
            limit=wanted.limit,
            filters=wanted.filters,
            columns=wanted.columns or None,
            normalise=wanted.normalise,
            dead_letters=DeadLetterFile(self.folder / letters),
            progress=self._moved,
        )
        work = asyncio.ensure_future(sync.run())
        try:
            report = await asyncio.shield(work)
        except asyncio.CancelledError:
            sync.stop()
            with anyio.CancelScope(shield=True):
                await self._tell(await work)
            raise
        await self._tell(report)
        return report

    def counts_of(self, report: SyncReport) -> dict[str, int]:
        """Return the counts with those of the passes before."""
        return self._sum(report.counts.as_dict())

    def _sum(self, counts: Mapping[str, int]) -> dict[str, int]:
        return {name: value + self.before.get(name, 0) for name, value in counts.items()}

    def _moved(self, progress: Progress) -> None:
        self.watch.moved(
            self._sum({"read": progress.read, "written": progress.written}),
            page=progress.page,
            pages=progress.pages,
            rate=round(progress.rate, 1),
            remaining=None if progress.remaining is None else round(progress.remaining),
            quota=progress.quota,
        )

    async def _tell(self, report: SyncReport) -> None:
        """Hand on what the report tells, how far the state is, and the first record."""
        watch, records = self.watch, files_of(self.stream)[0]
        watch.moved(self.counts_of(report))
        watch.reached(str(report.checkpoint))
        known = await in_thread(self.state.peek)
        watch.reads(
            since=_written(report.since),
            until=_written(report.until),
            read_up_to=_written(known.until if known is not None else None),
            complete=report.finished,
        )
        for sentence in (*report.warnings, *report.failures):
            watch.note("warning", sentence)
        if self.before:
            return
        for name in (records, f"{records}.part"):
            with suppress(OSError), (self.folder / name).open("rb") as file:
                if first := file.readline(_MOST_SAMPLED + 1).rstrip(b"\n"):
                    watch.sampled(report.stream, first)
                return


def _written(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _lines_in(path: Path) -> int:
    """Return how many records a file has."""
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(partial(file.read, _AT_ONCE), b""))


def _pulled(report: SyncReport, records: int) -> Pulled:
    error = report.error
    partial_success = report.state is RunEnd.PARTIAL_SUCCESS or bool(error or report.failures or report.counts.dead)
    told = [error.message] if error else list(report.failures[:1])
    name, letters = files_of(report.stream)
    if partial_success and report.counts.dead:
        told.append(f"{report.counts.dead} records could not be read; they are in {letters}.")
    return Pulled(
        {name: records},
        partial_success,
        " ".join(told) if partial_success else "",
        error.next_step if error else "",
        error.call.request_id if error else "",
    )
