"""Streams of one instance on their way into files or to standard output, one after the other."""

import datetime
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_host.contract.errors import ConfigurationError, ConnectorHostError, InputInvalid, Problem, SignInError

from .collecting import collect_as_at_work
from .progress import Ended, Progress
from .signals import heard_signals

if TYPE_CHECKING:
    from connector_host.connectors import Connector
    from connector_host.contract.stream_models import Stream
    from connector_host.engine import Connection
    from connector_host.engine.preparation import Mode
    from connector_host.engine.report import Estimate, SyncReport
    from connector_host.engine.sync import Sync

__all__ = ["Order", "Pull", "facts_of_pull"]

_STATE_FOLDER = ".state"


@dataclass(frozen=True)
class Order:
    """What a person asked for. `folder` None means standard output."""

    folder: Path | None
    file_format: str = "jsonl"
    mode: "Mode" = "auto"
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    limit: int | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()
    normalise: bool = False
    dedupe: bool = False

    def check(self, streams: "Sequence[Stream]", connector: "Connector") -> None:
        """Raise UnknownName or InputInvalid for what the streams cannot do, before the first of them is pulled."""
        from connector_host.engine.plan import window_of  # noqa: PLC0415 -- heavy
        from connector_host.engine.preparation import limited_by  # noqa: PLC0415 -- heavy
        from connector_host.engine.selection import selection_of  # noqa: PLC0415 -- heavy
        from connector_host.engine.sinks import FORMATS  # noqa: PLC0415 -- heavy

        if self.file_format not in FORMATS:
            raise _invalid(
                "--format", f"There is no format {self.file_format}.", f"Choose one of {', '.join(FORMATS)}."
            )
        if self.folder is None and self.file_format != "jsonl":
            raise _invalid("--format", "Standard output takes JSON Lines.", "Leave it out, or name a folder with --to.")
        now = datetime.datetime.now(datetime.UTC).timestamp()
        self._check_columns(streams, connector)
        every = {stream.name: stream for stream in connector.manifest.streams}
        known = {each.name for stream in streams for each in stream.filters}
        for stream in streams:
            window_of(limited_by(stream, every), self.since, self.until, now)
            selection_of(stream, self._filters_of(stream, known))
            self._check_format(stream.name)

    def _check_columns(self, streams: "Sequence[Stream]", connector: "Connector") -> None:
        """Refuse a column that none of the streams has; not each of them must have it."""
        from connector_host.contract.record_fields import fields_of_record, unknown_columns  # noqa: PLC0415 -- heavy

        fields = [fields_of_record(connector.folder, stream) for stream in streams] if self.columns else []
        known = list(dict.fromkeys(name for each in fields for name in each)) if all(fields) else []
        problems = list(unknown_columns(self.columns, known, "--columns"))
        if problems:
            raise InputInvalid("The pull cannot be made.", problems=problems)

    def _check_format(self, stream: str) -> None:
        """Refuse to begin a file of another format in which only what changes would be."""
        from connector_host.engine.sinks import format_of  # noqa: PLC0415 -- heavy

        if self.folder is None or not (self.folder / _STATE_FOLDER / f"{stream}.json").exists():
            return
        there = format_of(self.folder, stream)
        if there not in (None, self.file_format):
            sentence = f"{stream} is there in the format {there}."
            raise _invalid("--format", sentence, f"Choose {there}, or another folder.")

    def _filters_of(self, stream: "Stream", known: set[str]) -> dict[str, str]:
        """Return the filters that a stream has, and those that none of the streams has, for the message."""
        own = {each.name for each in stream.filters}
        return {name: value for name, value in self.filters.items() if name in own or name not in known}

    def sync(self, connection: "Connection", stream: "Stream", connector: "Connector", progress: Progress) -> "Sync":
        """Return the run of one stream."""
        import msgspec  # noqa: PLC0415 -- only when something is pulled

        from connector_host.engine.dead_letters import DeadLetterFile, NoDeadLetters  # noqa: PLC0415 -- heavy
        from connector_host.engine.sinks import StdoutSink, sink_for  # noqa: PLC0415 -- heavy
        from connector_host.engine.state import FolderState, MemoryState  # noqa: PLC0415 -- heavy
        from connector_host.engine.sync import Sync  # noqa: PLC0415 -- heavy

        folder = self.folder
        schema = msgspec.json.decode(connector.folder.path(stream.record_schema).read_bytes())
        return Sync(
            connection,
            stream.name,
            sink=StdoutSink(sys.stdout.buffer)
            if folder is None
            else sink_for(folder, stream.name, self.file_format, schema),
            state=MemoryState() if folder is None else FolderState(folder / _STATE_FOLDER, stream.name),
            dead_letters=NoDeadLetters() if folder is None else DeadLetterFile(folder / f"{stream.name}.dead.jsonl"),
            mode=self.mode,
            since=self.since,
            until=self.until,
            limit=self.limit,
            filters={name: value for name, value in self.filters.items() if name in {f.name for f in stream.filters}},
            columns=self.columns or None,
            normalise=self.normalise,
            dedupe=self.dedupe,
            progress=progress.moved,
        )


@dataclass
class Pull:
    """Pulls streams as an order says; `done` has the report of each run so far."""

    order: Order
    connector: "Connector"
    progress: Progress
    done: "list[SyncReport]" = field(default_factory=list)
    stopped: bool = False
    _current: "Sync | None" = None

    async def run(self, connection: "Connection", streams: "Sequence[Stream]") -> None:
        """Pull one stream after the other. Ctrl-C and TERM end it at a checkpoint.

        What the vendor does is told in the reports; errors that concern all streams end the pull after the report.
        Raises ConfigurationError for folders and states that cannot be used.
        """
        collect_as_at_work()
        with heard_signals(self.stop):
            try:
                for stream in streams:
                    if self.stopped or not await self._pull(connection, stream):
                        return
            finally:
                self.progress.close()

    async def plan(self, connection: "Connection", streams: "Sequence[Stream]") -> "list[Estimate]":
        """Return what pulling each stream would take."""
        return [await self.order.sync(connection, each, self.connector, self.progress).estimate() for each in streams]

    async def _pull(self, connection: "Connection", stream: "Stream") -> bool:
        """Pull one stream, and again up to now after a run that was broken off; tell whether others may follow."""
        self.progress.started(stream.name)
        report = None
        before = len(self.done)
        while report is None or (report.resumed and report.finished and report.error is None and not self.stopped):
            order = self.order
            if report is not None and (order.limit is not None or report.mode == "full"):
                break
            self._current = replace(order).sync(connection, stream, self.connector, self.progress)
            try:
                report = await self._current.run()
            finally:
                self._current = None
            self.done.append(report)
        self.progress.finished(_ended(self.done[before:]))
        return not isinstance(report.error, (ConfigurationError, SignInError))

    def stop(self) -> None:
        """End the pull at a checkpoint."""
        self.stopped = True
        if self._current is not None:
            self._current.stop()

    @property
    def error(self) -> ConnectorHostError | None:
        """What stopped a stream, the first of them."""
        return next((each.error for each in self.done if each.error is not None), None)


def facts_of_pull(work: Pull, *, hide: Callable[[str], str]) -> dict[str, Any]:
    """Return how each run of a pull ended, as plain data; `hide` takes secrets out of a text.

    A stream whose last run was broken off has two: the rest of that one, and the one up to now.
    """
    streams = [
        {
            **_facts(report),
            "finished": report.finished,
            "since": None if report.since is None else report.since.isoformat(),
            "until": None if report.until is None else report.until.isoformat(),
            "warnings": [hide(each) for each in report.warnings],
            "failures": [hide(each) for each in report.failures],
            "error": None if report.error is None else hide(report.error.message),
        }
        for report in work.done
    ]
    return {"stopped": work.stopped, "streams": streams}


def _facts(report: "SyncReport") -> dict[str, Any]:
    return {
        "stream": report.stream,
        "state": report.state.value,
        "mode": report.mode,
        **report.counts.as_dict(),
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "file": report.place,
    }


def _ended(runs: "Sequence[SyncReport]") -> Ended:
    """Return how a stream ended: as its last run did, with what all of them read and wrote."""
    counts: Counter[str] = Counter()
    for each in runs:
        counts.update(each.counts.as_dict())
    report = replace(
        runs[-1],
        counts=type(runs[-1].counts).of(counts),
        requests=sum(each.requests for each in runs),
        seconds=sum(each.seconds for each in runs),
    )
    short = f"{report.counts.written:,} written, {report.state.value}"
    return Ended(report.stream, report.read, _summary(report), short, _facts(report))


def _summary(report: "SyncReport") -> str:
    counts = report.counts
    words = f"{report.stream}: {counts.read:,} records read, {counts.written:,} written to {report.place}"
    others = {
        "removed": counts.removed,
        "unchanged": counts.unchanged,
        "filtered out": counts.filtered,
        "twice": counts.duplicates,
        "dead": counts.dead,
        "gone before they were read": counts.gone,
    }
    more = ", ".join(f"{number:,} {name}" for name, number in others.items() if number)
    end = f" ({report.state.value})" if report.state.value != "success" else ""
    return f"{words}{f'; {more}' if more else ''}{end}"


def _invalid(where: str, sentence: str, fix: str) -> InputInvalid:
    return InputInvalid("This cannot be pulled.", problems=[Problem(where, "pull", sentence, fix)])
