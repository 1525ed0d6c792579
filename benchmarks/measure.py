"""What the benchmarks share: a command's cost, and two costs as a ratio."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "best_of", "ratio_line", "run_python"]

_USUAL = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True)
class Cost:
    """What a process used: wall and CPU time in seconds, peak memory in MB; `output` is what it printed."""

    wall: float
    cpu: float
    peak: float
    output: str = ""


def run_python(
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    python: str = sys.executable,
    into: Path | None = None,
) -> Cost:
    """Run an interpreter to its end; `into` takes its standard output. Compiled modules are kept, as is usual.

    Raises RuntimeError with what it said when it fails.
    """
    with tempfile.TemporaryFile() as said, into.open("wb") if into else nullcontext(said) as file:
        started = time.perf_counter()
        process = subprocess.Popen(
            [python, *args],
            env={**os.environ, **_USUAL, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read().decode("utf-8", "replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(args)} ended with {process.returncode}:\n{output}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def best_of(times: int, *candidates: Sequence[str], env: Mapping[str, str] | None = None) -> list[Cost]:
    """Run the candidates in turns, so that the machine's moods meet all of them, and return the best CPU of each."""
    runs: list[list[Cost]] = [[] for _ in candidates]
    for _ in range(times):
        for kept, args in zip(runs, candidates, strict=True):
            kept.append(run_python(args, env=env))
    return [min(kept, key=lambda cost: cost.cpu) for kept in runs]


def ratio_line(what: str, value: float, limit: float | None = None, *, least: bool = False) -> str:
    """Return one line of the report; `limit` is the most (or the least) that is wanted."""
    if limit is None:
        return f"  {what:<66} {value:6.2f}"
    good = value >= limit if least else value <= limit
    return f"  {what:<66} {value:6.2f}  {'at least' if least else 'at most'} {limit:g}  {'ok' if good else 'MISSED'}"
