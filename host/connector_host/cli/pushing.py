"""Records on their way to one action of an instance: what is shown of them, and how the command ends."""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .exits import ExitCode
from .failures import tell_error
from .output import say
from .progress import Ended, Progress
from .signals import heard_signals

if TYPE_CHECKING:
    from connector_host.engine import Connection, PushReport, RecordResult

    from .state import HostState

__all__ = ["Pushing", "print_line"]

_MOST_SHOWN = 20
_QUIET = frozenset({"written", "checked", "skipped"})


@dataclass
class Pushing:
    """One push of a command. `write` takes each result and the end as plain data, for programs."""

    action: str
    records: Iterable[Any]
    progress: Progress
    dry_run: bool = False
    results: Path | None = None
    resume: bool = False
    write: Callable[[dict[str, Any]], None] | None = None
    _shown: "list[RecordResult]" = field(default_factory=list)
    _unshown: int = 0

    async def run(self, connection: "Connection") -> "PushReport":
        """Push, and return the report. Ctrl-C and TERM end it after the record under way."""
        push = connection.pushing(
            self.action,
            self.records,
            dry_run=self.dry_run,
            results=self.results,
            resume=self.resume,
            told=self.progress.moved,
        )
        try:
            with heard_signals(push.stop):
                self.progress.started(self.action, "checking" if self.dry_run else "pushing")
                async with aclosing(push.results()) as results:
                    async for result in results:
                        self._take(result)
            self.progress.finished(_ended(push.report()))
        finally:
            self.progress.close()
        return push.report()

    def _take(self, result: "RecordResult") -> None:
        if self.write is not None:
            self.write({"event": "result", **result.as_dict()})
        elif result.outcome in _QUIET and not (result.message and result.outcome == "written"):
            pass
        elif len(self._shown) < _MOST_SHOWN:
            self._shown.append(result)
        else:
            self._unshown += 1

    def leave(self, report: "PushReport", state: "HostState") -> None:
        """Tell how it ended, and leave with the code that says so. Raises what stopped a push that wrote nothing."""
        if self.write is not None:
            self.write({"event": "finished", **_facts(report)})
        for result in self._shown:
            _tell(result, state)
        if self._unshown:
            say(f"{self._unshown:,} more are not shown; --json and --results tell every one.")
        counts = report.counts
        if report.error is not None and not counts.written and not counts.unknown:
            raise report.error
        if report.error is not None:
            tell_error(report.error, state)
        if report.state.value == "stopped" and self.write is None:
            say(_interrupted(self.results), colour=typer.colors.YELLOW)
        if (code := _exit_code(report)) is not ExitCode.OK:
            raise typer.Exit(code)


def print_line(facts: dict[str, Any]) -> None:
    """Write one line of JSON at once."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _tell(result: "RecordResult", state: "HostState") -> None:
    problems = "".join(f" {str(each).strip()}" for each in result.problems)
    words = f"Record {result.record}: {result.outcome.value}. {result.message}{problems} {result.next_step}".rstrip()
    say(state.redactor(words), colour=None if result.outcome == "written" else typer.colors.YELLOW)


def _ended(report: "PushReport") -> Ended:
    counts = report.counts
    if report.dry_run:
        words = f"{report.action}: {counts.read:,} records read, {counts.checked:,} valid; nothing was sent"
    else:
        words = f"{report.action}: {counts.read:,} records read, {counts.written:,} written"
    others = {
        "rejected": counts.rejected,
        "unknown": counts.unknown,
        "not sent": counts.skipped,
        "done earlier": counts.earlier,
    }
    more = "".join(f", {number:,} {name}" for name, number in others.items() if number)
    end = f" ({report.state.value})" if report.state.value != "success" else ""
    short = f"{counts.written:,} written, {report.state.value}"
    return Ended(report.action, counts.read, f"{words}{more}{end}", short, _facts(report))


def _facts(report: "PushReport") -> dict[str, Any]:
    return {
        "action": report.action,
        "state": report.state.value,
        "dry_run": report.dry_run,
        **report.counts.as_dict(),
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
    }


def _interrupted(results: Path | None) -> str:
    if results is None:
        return "Interrupted. The records behind the last one were not sent."
    return "Interrupted. The same command with --resume goes on from there."


def _exit_code(report: "PushReport") -> ExitCode:
    counts = report.counts
    if report.state.value == "success":
        return ExitCode.OK
    if report.dry_run and report.invalid and report.state.value != "stopped":
        return ExitCode.INPUT
    if report.state.value == "failure" and not counts.unknown:
        return ExitCode.INPUT if report.invalid == counts.rejected else ExitCode.VENDOR
    return ExitCode.PARTIAL
