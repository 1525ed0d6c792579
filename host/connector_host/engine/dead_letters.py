"""What could not become a record, with the reason: one JSON object for each on a line of its own."""

import datetime
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from .files import make_file, unwritable

__all__ = ["DeadLetterFile", "DeadLetters", "NoDeadLetters"]

_MOST_BYTES = 100_000


class DeadLetters(Protocol):
    """Takes what could not become a record."""

    def open(self, offset: int) -> None:
        """Go on at the offset of the last checkpoint; what stands behind it is cut off."""

    def put(self, reason: str, *, record: bytes | None = None, ids: list[Any] | None = None) -> None:
        """Keep a record as it came, or the ids that gave none, with one sentence of why."""

    def commit(self) -> int:
        """Make everything so far safe and return the offset."""

    def close(self) -> None:
        """Let go of the file."""


class NoDeadLetters:
    """Counts only; for pulls that keep nothing."""

    def open(self, offset: int) -> None:
        """See DeadLetters."""

    def put(self, reason: str, *, record: bytes | None = None, ids: list[Any] | None = None) -> None:
        """See DeadLetters."""

    def commit(self) -> int:
        """See DeadLetters."""
        return 0

    def close(self) -> None:
        """See DeadLetters."""


class DeadLetterFile:
    """A file that appears with the first dead letter. A record that is no JSON is kept as text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def open(self, offset: int) -> None:
        """See DeadLetters."""
        try:
            if self.path.exists():
                self._file = self.path.open("r+b")
                self._file.truncate(offset)
                self._file.seek(offset)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def put(self, reason: str, *, record: bytes | None = None, ids: list[Any] | None = None) -> None:
        """See DeadLetters."""
        letter: dict[str, Any] = {"reason": reason, "at": datetime.datetime.now(datetime.UTC)}
        if ids is not None:
            letter["ids"] = ids
        if record is not None:
            letter["record"] = _shown(record)
        try:
            if self._file is None:
                make_file(self.path)
                self._file = self.path.open("wb")
            self._file.write(msgspec.json.encode(letter) + b"\n")
        except OSError as error:
            raise unwritable(self.path, error) from error

    def commit(self) -> int:
        """See DeadLetters."""
        if self._file is None:
            return 0
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error
        return self._file.tell()

    def close(self) -> None:
        """See DeadLetters."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()


def _shown(record: bytes) -> Any:
    try:
        msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return record[:_MOST_BYTES].decode("utf-8", "replace")
    return msgspec.Raw(record)
