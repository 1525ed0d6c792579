"""How a pull or a push shows that it moves: live on a terminal, plain lines elsewhere, JSON lines for programs."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any, Protocol

from connector_host.contract.durations import duration

from .output import say

if TYPE_CHECKING:
    from connector_host.engine.report import Progress as Moved

__all__ = ["Ended", "Progress", "ProgressKind", "progress_of"]

_WIDE = 100


class ProgressKind(StrEnum):
    """The ways to show progress."""

    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


@dataclass(frozen=True)
class Ended:
    """How a stream or an action ended: for a line, for a cell beside a bar, and as facts for programs."""

    name: str
    records: int
    words: str
    short: str
    facts: Mapping[str, Any]


class Progress(Protocol):
    """What a pull or a push reports while it goes on."""

    def started(self, name: str, doing: str = "pulling") -> None:
        """Tell that a stream or an action begins."""

    def moved(self, moved: "Moved") -> None:
        """Tell that records have come, or gone."""

    def finished(self, ended: Ended) -> None:
        """Tell how a stream or an action ended."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def progress_of(kind: ProgressKind, *, results_on_stdout: bool = False) -> Progress:
    """Return the display that was asked for; `auto` looks at where stderr goes.

    JSON lines go to stdout, or to stderr where the records themselves are on stdout.
    """
    if kind is ProgressKind.JSON:
        return _JsonLines(sys.stderr if results_on_stdout else sys.stdout)
    if kind is ProgressKind.NONE:
        return _Silent()
    if kind is ProgressKind.AUTO and sys.stderr.isatty():
        return _Live()
    return _PlainLines()


def _rate(moved: "Moved") -> str:
    parts = [f"{moved.rate:,.0f} a second"]
    if moved.remaining is not None:
        parts.append(f"{duration(moved.remaining)} left")
    if moved.quota is not None:
        parts.append(f"{moved.quota:.0%} of the quota in use")
    return ", ".join(parts)


class _Silent:
    def started(self, name: str, doing: str = "pulling") -> None:
        """Say nothing."""

    def moved(self, moved: "Moved") -> None:
        """Say nothing."""

    def finished(self, ended: Ended) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Nothing was opened."""


class _PlainLines(_Silent):
    """A line now and then, but not more than one in a second."""

    _SECONDS = 1.0

    def __init__(self) -> None:
        self._last = float("-inf")

    def started(self, name: str, doing: str = "pulling") -> None:
        say(f"{name}: {doing} ...")

    def moved(self, moved: "Moved") -> None:
        now = time.monotonic()
        if now - self._last >= self._SECONDS:
            self._last = now
            page = f", page {moved.page}{f' of {moved.pages}' if moved.pages else ''}" if moved.page else ""
            say(f"{moved.stream}: {moved.read:,} records{page}, {_rate(moved)}")

    def finished(self, ended: Ended) -> None:
        say(ended.words)


class _JsonLines(_Silent):
    """An object on a line for each event."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def started(self, name: str, doing: str = "pulling") -> None:
        del doing
        self._write(event="started", stream=name)

    def moved(self, moved: "Moved") -> None:
        self._write(
            event="page",
            stream=moved.stream,
            read=moved.read,
            written=moved.written,
            page=moved.page,
            pages=moved.pages,
            requests=moved.requests,
            rate=round(moved.rate, 1),
            remaining=None if moved.remaining is None else round(moved.remaining, 1),
            quota=None if moved.quota is None else round(moved.quota, 3),
        )

    def finished(self, ended: Ended) -> None:
        self._write(event="finished", **ended.facts)

    def _write(self, **facts: Any) -> None:
        self._stream.write(json.dumps(facts, ensure_ascii=False) + "\n")
        self._stream.flush()


class _Live(_Silent):
    """A bar where it is known how much there is, a spinner where it is not."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 -- only where a terminal shows it
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 -- as above
        from rich.progress import Progress as Bars  # noqa: PLC0415 -- as above

        console = Console(stderr=True)
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28 if console.width >= _WIDE else 10),
            TextColumn("{task.fields[records]:>9,} read"),
            TextColumn("{task.fields[where]}", style="dim"),
            TimeElapsedColumn(),
            console=console,
        )
        self._bars.start()
        self._tasks: dict[str, Any] = {}

    def started(self, name: str, doing: str = "pulling") -> None:
        del doing
        self._tasks[name] = self._bars.add_task(name, total=None, records=0, where="")

    def moved(self, moved: "Moved") -> None:
        known = moved.share is not None
        self._bars.update(
            self._tasks[moved.stream],
            records=moved.read,
            completed=moved.share if known else moved.page,
            total=1 if known else None,
            where=_rate(moved),
        )

    def finished(self, ended: Ended) -> None:
        self._bars.update(self._tasks[ended.name], records=ended.records, completed=1, total=1, where=ended.short)

    def close(self) -> None:
        self._bars.stop()
