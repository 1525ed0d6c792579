"""The one place where a run meets the engine's pulling: a stream of a connection into a file of the run's folder."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import anyio

from connector_host.engine import Connection
from connector_host.engine.dead_letters import DeadLetterFile
from connector_host.engine.report import Progress, RunEnd, SyncReport
from connector_host.engine.sinks import JsonLinesSink
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync

from .parameters import Window

__all__ = ["Pulled", "Watches", "pull"]

_STATE_FOLDER = ".state"
_MOST_SAMPLED = 64 * 1024


class Watches(Protocol):
    """What hears how a pull moves on."""

    def moved(self, counts: Mapping[str, int], **facts: Any) -> None:
        """Hear the counts so far, and facts such as page, pages (None where unknown) and seconds remaining."""

    def reached(self, checkpoint: str) -> None:
        """Hear where the work can go on."""

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


async def pull(connection: Connection, stream: str, folder: Path, window: Window, watch: Watches) -> Pulled:
    """Pull a stream into `STREAM.jsonl` of the folder, or go on with what the folder's state says.

    Until it is complete the file ends in `.part`; what cannot become a record goes to `STREAM.dead.jsonl`. Cancelled,
    it ends at a checkpoint. Raises the error of a run that wrote nothing, and ConfigurationError for files and states
    that cannot be used.
    """
    sync = Sync(
        connection,
        stream,
        sink=JsonLinesSink(folder / f"{stream}.jsonl"),
        state=FolderState(folder / _STATE_FOLDER, stream),
        mode="full",
        since=window.since,
        until=window.until,
        limit=window.limit,
        dead_letters=DeadLetterFile(folder / f"{stream}.dead.jsonl"),
        progress=lambda progress: _moved(watch, progress),
    )
    work = asyncio.ensure_future(sync.run())
    try:
        report = await asyncio.shield(work)
    except asyncio.CancelledError:
        sync.stop()
        with anyio.CancelScope(shield=True):
            _told(watch, await work, folder)
        raise
    _told(watch, report, folder)
    if report.state is RunEnd.FAILURE and report.error is not None:
        raise report.error
    return _pulled(report)


def _moved(watch: Watches, progress: Progress) -> None:
    watch.moved(
        {"read": progress.read, "written": progress.written},
        page=progress.page,
        pages=progress.pages,
        rate=round(progress.rate, 1),
        remaining=None if progress.remaining is None else round(progress.remaining),
        quota=progress.quota,
    )


def _told(watch: Watches, report: SyncReport, folder: Path) -> None:
    """Hand on what the report tells, and the first record."""
    watch.moved(report.counts.as_dict())
    watch.reached(str(report.checkpoint))
    for sentence in (*report.warnings, *report.failures):
        watch.note("warning", sentence)
    for name in (f"{report.stream}.jsonl", f"{report.stream}.jsonl.part"):
        with suppress(OSError), (folder / name).open("rb") as file:
            if first := file.readline(_MOST_SAMPLED + 1).rstrip(b"\n"):
                watch.sampled(report.stream, first)
            return


def _pulled(report: SyncReport) -> Pulled:
    error = report.error
    partial = report.state is RunEnd.PARTIAL_SUCCESS
    told = [error.message] if error else list(report.failures[:1])
    if partial and report.counts.dead:
        told.append(f"{report.counts.dead} records could not be read; they are in {report.stream}.dead.jsonl.")
    return Pulled(
        {f"{report.stream}.jsonl": report.counts.written},
        partial,
        " ".join(told) if partial else "",
        error.next_step if error else "",
        error.call.request_id if error else "",
    )
