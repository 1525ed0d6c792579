"""The file with the results of a push: a line for each record as it happens, from which a later push goes on.

Before a record is sent, a line says so, and is safe on the disk. So what was under way when a process died is known,
and is never sent again by itself.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse, Problem

from .files import sync_folder
from .push_report import RecordOutcome, RecordResult

fcntl: Any
try:
    import fcntl
except ImportError:  # pragma: no cover -- other systems than POSIX; there two pushes are not kept apart
    fcntl = None

__all__ = ["ResultsFile"]

_FORMAT = 1


class ResultsFile:
    """One file for one push; use it as `with` around it. `earlier` is how many records have their result already.

    Raises InputInvalid for a file that is there without `resume`, or is of another push; InUse where another process
    works with it; ConfigurationError where it cannot be read or written.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        self.earlier = 0
        self._resume = resume
        self._file: IO[bytes] | None = None
        self._digests: list[str] = []
        self._under_way: str | None = None

    def open(self, push: Mapping[str, str]) -> None:
        """Begin, or go on with, the file of a push; `push` says which one it is."""
        if not self._resume and self.path.exists():
            raise _unusable(f"{self.path} is there already.", "Add --resume to go on with it, or name another file.")
        try:
            new = not self.path.exists()
            self._file = self.path.open("ab+")
            self._lock(self._file)
            self._read(self._file, dict(push))
            if new:
                sync_folder(self.path.parent)
        except OSError as error:
            self.close()
            raise _unwritable(self.path, error) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def was_under_way(self, number: int, digest: str) -> bool:
        """Tell whether the record was being sent when the earlier push ended. Raises what `check_earlier` raises."""
        if number != self.earlier + 1 or self._under_way is None:
            return False
        self._check(number, self._under_way, digest)
        return True

    def check_earlier(self, number: int, digest: str) -> None:
        """Raise InputInvalid where record `number` is another than the one whose result stands in the file."""
        self._check(number, self._digests[number - 1], digest)

    def sending(self, number: int, digest: str) -> None:
        """Say that a record will be sent now; returns when that is safe."""
        self._write({"record": number, "sending": digest})

    def result(self, result: RecordResult, digest: str) -> None:
        """Keep the result of a record; returns when it is safe."""
        self._write({**result.as_dict(), "digest": digest})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            raise RuntimeError("the results file is not open")
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _lock(self, file: IO[bytes]) -> None:
        if fcntl is None:  # pragma: no cover -- see above
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(
                f"Another push works with {self.path}.", next_step="Wait until it has ended, or name another file."
            ) from None

    def _read(self, file: IO[bytes], push: dict[str, str]) -> None:
        """Learn what the file has, and cut off what a crash has left half-written and what was not sent."""
        file.seek(0)
        safe = sending = 0
        skipped = False
        for number, (line, end) in enumerate(_whole_lines(file), 1):
            fact = _object_in(line)
            kind = _kind_of(fact, next_record=len(self._digests) + 1)
            if number == 1:
                if fact != {"push": _FORMAT, **push}:
                    raise _unusable(f"{self.path} is not of this push.", "Name the file of this push, or another file.")
                safe = end
            elif kind == "sending" and not skipped:
                self._under_way, sending = fact["sending"], end
            elif kind == "result" and not skipped:
                self._digests.append(fact["digest"])
                self._under_way, safe = None, end
            elif kind == "skipped":
                self._under_way, skipped = None, True
            else:
                sentence = f"Line {number} of {self.path} is no result of a push."
                raise _unusable(sentence, "Name the file as the push has left it, or another file.")
        if not safe and not _begins_like_one(file):
            raise _unusable(f"{self.path} is not of a push.", "Name the file of this push, or another file.")
        self.earlier = len(self._digests)
        file.truncate(safe if self._under_way is None else sending)
        file.seek(0, os.SEEK_END)
        if not safe:
            self._write({"push": _FORMAT, **push})

    def _check(self, number: int, known: str, digest: str) -> None:
        if known != digest:
            raise _unusable(
                f"Record {number} is another one than the record {number} of {self.path}.",
                "Give the records in the same order as before, or begin with another file.",
            )


_FINAL = frozenset({RecordOutcome.WRITTEN, RecordOutcome.REJECTED, RecordOutcome.UNKNOWN})


def _kind_of(fact: Mapping[str, Any], *, next_record: int) -> str:
    """Return what a line is: the sending or the result of the next record, a record that was not sent, or nothing."""
    if fact.get("outcome") == RecordOutcome.SKIPPED:
        return "skipped"
    if fact.get("record") != next_record:
        return ""
    if isinstance(fact.get("sending"), str):
        return "sending"
    return "result" if fact.get("outcome") in _FINAL and isinstance(fact.get("digest"), str) else ""


def _whole_lines(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield each line that has its end, with the offset behind it."""
    offset = 0
    for line in file:
        offset += len(line)
        if line.endswith(b"\n"):
            yield line, offset


def _begins_like_one(file: IO[bytes]) -> bool:
    """Tell whether a file without a whole line is empty, or the beginning of a results file."""
    file.seek(0)
    start = b'{"push":'
    return start.startswith(file.read(len(start)))


def _object_in(line: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _unusable(sentence: str, fix: str) -> InputInvalid:
    problem = Problem("--results", "results-file", sentence, fix)
    return InputInvalid("The results file cannot be used.", problems=[problem])


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be read or written: {error.strerror or error}.", next_step="Name a file that you may write to."
    )
