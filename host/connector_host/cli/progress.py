"""How a pull shows that it moves: a live display on a terminal, plain lines elsewhere, JSON lines for programs."""

import json
import sys
import time
from enum import StrEnum
from typing import Any, Protocol

from .output import say, write

__all__ = ["Progress", "ProgressKind", "progress_of"]

_WIDE = 100


class ProgressKind(StrEnum):
    """The ways to show progress."""

    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


class Progress(Protocol):
    """What a pull reports. Counts are of records; `pages` is None where the vendor does not say how many there are."""

    def started(self, stream: str) -> None:
        """Tell that a stream begins."""

    def moved(self, stream: str, records: int, page: int, pages: int | None) -> None:
        """Tell that a page has been written."""

    def finished(self, stream: str, read: int, written: int, file: str) -> None:
        """Tell that a stream is complete."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def progress_of(kind: ProgressKind) -> Progress:
    """Return the display that was asked for; `auto` looks at where stderr goes."""
    if kind is ProgressKind.JSON:
        return _JsonLines()
    if kind is ProgressKind.NONE:
        return _Silent()
    if kind is ProgressKind.AUTO and sys.stderr.isatty():
        return _Live()
    return _PlainLines()


def _summary(stream: str, read: int, written: int, file: str) -> str:
    return f"{stream}: {read:,} records read, {written:,} written to {file}"


class _Silent:
    def started(self, stream: str) -> None:
        """Say nothing."""

    def moved(self, stream: str, records: int, page: int, pages: int | None) -> None:
        """Say nothing."""

    def finished(self, stream: str, read: int, written: int, file: str) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Nothing was opened."""


class _PlainLines(_Silent):
    """A line for each page, but not more than one in a second."""

    _SECONDS = 1.0

    def __init__(self) -> None:
        self._last = float("-inf")

    def started(self, stream: str) -> None:
        say(f"{stream}: pulling ...")

    def moved(self, stream: str, records: int, page: int, pages: int | None) -> None:
        now = time.monotonic()
        if now - self._last >= self._SECONDS:
            self._last = now
            say(f"{stream}: {records:,} records, page {page}{f' of {pages}' if pages else ''}")

    def finished(self, stream: str, read: int, written: int, file: str) -> None:
        say(_summary(stream, read, written, file))


class _JsonLines(_Silent):
    """An object on a line of stdout for each event."""

    def started(self, stream: str) -> None:
        self._write(event="started", stream=stream)

    def moved(self, stream: str, records: int, page: int, pages: int | None) -> None:
        self._write(event="page", stream=stream, records=records, page=page, pages=pages)

    def finished(self, stream: str, read: int, written: int, file: str) -> None:
        self._write(event="finished", stream=stream, read=read, written=written, file=file)

    def _write(self, **facts: Any) -> None:
        write(json.dumps(facts, ensure_ascii=False))
        sys.stdout.flush()


class _Live(_Silent):
    """A bar where the number of pages is known, a spinner where it is not."""

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

    def started(self, stream: str) -> None:
        self._tasks[stream] = self._bars.add_task(stream, total=None, records=0, where="")

    def moved(self, stream: str, records: int, page: int, pages: int | None) -> None:
        where = f"page {page} of {pages}" if pages else f"page {page}"
        self._bars.update(self._tasks[stream], records=records, completed=page, total=pages, where=where)

    def finished(self, stream: str, read: int, written: int, file: str) -> None:
        del file
        where = f"{written:,} written"
        self._bars.update(self._tasks[stream], records=read, completed=1, total=1, where=where)

    def close(self) -> None:
        self._bars.stop()
