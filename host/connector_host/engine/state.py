"""The state of a stream between and during runs: one JSON document that a person can read."""

import datetime
import sqlite3
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from connector_host.contract.errors import ConfigurationError, InUse, Unwritable

from .files import make_folder, unwritable, write_whole
from .keys import KeyStore
from .sinks.base import SinkMark

__all__ = ["FolderState", "Leftover", "MemoryState", "Position", "RunState", "StateStore", "SyncState"]

_FORMAT = 1
_PRIMARY_CODE = 0xFF
_OF_THE_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_MAKE_ROOM = "Make room on the disk, or give access to it; then use the same command again."


class Position(msgspec.Struct, omit_defaults=True):
    """From where a run goes on: everything before it is safe at the sink.

    `list_number` is the list's place in the stream and `value_number` that of its value, `known` the value itself and
    `before` a digest of the values before it; `since` and `until` are the window under way, `step` its next page with
    what the pages before it showed, and `pending` ids that were listed and not asked for yet. A list number behind the
    last means that only what comes at the end is left. `resume` is from where a stream's own code goes on.
    """

    list_number: int = 0
    value_number: int = 0
    known: Any = None
    before: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    step: dict[str, Any] | None = None
    pending: list[Any] = []
    resume: Any = None


class Leftover(msgspec.Struct, omit_defaults=True):
    """An id that was asked for and gave no record, with what is added to its record.

    `why` tells whether the vendor has no record of it, refuses it for a `reason`, or failed in passing: in how many
    `runs` so far, and in which `first`.
    """

    id: Any
    add: dict[str, Any] = {}
    why: Literal["missing", "refused", "failed"] = "missing"
    reason: str = ""
    runs: int = 0
    first: datetime.datetime | None = None


class RunState(msgspec.Struct, omit_defaults=True):
    """A run that is under way, or was broken off. `request` tells whether a later command may go on with it.

    `gone` are ids that gave no record and are asked for once more at the end, those of earlier runs among them.
    """

    number: int
    request: str
    started: datetime.datetime
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    position: Position = msgspec.field(default_factory=Position)
    gone: list[Leftover] = []
    failed_since: datetime.datetime | None = None
    failed: bool = False
    counts: dict[str, int] = {}


class SyncState(msgspec.Struct):
    """What is known of a stream. `until` is the time up to which the vendor's changes have been read.

    `columns` (none for all) and `normalise` are how records are written; None in a state that does not tell.

    `sequence` counts checkpoints. `way` is which of a stream's ways to its records worked. `gap` is by how many the
    vendor's total differed from its list when nothing moved. `waiting` are ids that the vendor failed on until the run
    ended: the next one asks for them as well.
    """

    version: int
    stream: str
    mode: str
    filters: dict[str, str]
    columns: list[str] | None = None
    normalise: bool | None = None
    sequence: int = 0
    until: datetime.datetime | None = None
    runs: int = 0
    way: str | None = None
    gap: int | None = None
    sink: SinkMark | None = None
    dead_offset: int = 0
    waiting: list[Leftover] = []
    run: RunState | None = None

    @classmethod
    def new(
        cls, stream: str, mode: str, filters: dict[str, str], *, columns: list[str], normalise: bool
    ) -> "SyncState":
        """Return the state of a stream that was never pulled."""
        return cls(_FORMAT, stream, mode, filters, columns, normalise)


_decoder = msgspec.json.Decoder(SyncState, strict=True)


class StateStore(Protocol):
    """Keeps the state of one stream."""

    keeps: bool
    """Whether a later run sees what this one saves."""

    def keys(self) -> KeyStore:
        """Open the store of keys."""

    def load(self, keys: KeyStore) -> SyncState | None:
        """Return the state, None when there is none. Raises ConfigurationError when it cannot be used."""

    def save(self, state: SyncState) -> None:
        """Replace the state at once and safely."""

    def encode(self, state: SyncState) -> bytes:
        """Return the state as it is saved."""


class MemoryState:
    """State for the length of one run, for sinks that cannot go on."""

    keeps = False

    def keys(self) -> KeyStore:
        """See StateStore."""
        return KeyStore(None)

    def load(self, keys: KeyStore) -> SyncState | None:
        """See StateStore."""
        del keys
        return None

    def save(self, state: SyncState) -> None:
        """See StateStore."""

    def encode(self, state: SyncState) -> bytes:
        """See StateStore."""
        return msgspec.json.encode(state)


class FolderState:
    """State in two files of a folder: STREAM.json for people, and STREAM.keys.db, which has a copy of it.

    The copy is committed together with the keys; the file follows. A crash between the two leaves the file one
    checkpoint behind, and the copy counts.
    """

    keeps = True

    def __init__(self, folder: Path, stream: str) -> None:
        self.folder = folder
        self._stream = stream
        self._file = folder / f"{stream}.json"
        self._keys = folder / f"{stream}.keys.db"

    def keys(self) -> KeyStore:
        """See StateStore."""
        self._make_folder()
        try:
            return KeyStore(self._keys)
        except (sqlite3.Error, ValueError) as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & _PRIMARY_CODE
            if code == sqlite3.SQLITE_BUSY:
                raise InUse(
                    f"Another pull of {self._stream} is at work in {self.folder.parent}.",
                    next_step="Wait until it has ended, or choose another folder.",
                ) from error
            if code in _OF_THE_DISK:
                raise Unwritable(f"{self._keys} cannot be written: {error}.", next_step=_MAKE_ROOM) from error
            raise _unusable(self._keys, f"{error}") from error
        except OSError as error:
            raise unwritable(self._keys, error) from error

    def load(self, keys: KeyStore) -> SyncState | None:
        """See StateStore."""
        state = self._decode(self._file, self._read()) if self._file.exists() else None
        checkpoint = keys.checkpoint()
        copied = self._decode(self._keys, checkpoint[1]) if checkpoint is not None else None
        number, known = (0 if each is None else each.sequence for each in (state, copied))
        if copied is not None and known == number + 1:
            self.save(copied)
            return copied
        if known != number:
            raise _unusable(self._file, f"it is of checkpoint {number}, and the keys beside it of {known}")
        return state

    def peek(self) -> SyncState | None:
        """Return the state as the file has it, for plans and lists; None when there is none."""
        return self._decode(self._file, self._read()) if self._file.exists() else None

    def save(self, state: SyncState) -> None:
        """See StateStore."""
        self._make_folder()
        try:
            write_whole(self._file, self.encode(state))
        except OSError as error:
            raise unwritable(self._file, error) from error

    def encode(self, state: SyncState) -> bytes:
        """See StateStore."""
        return msgspec.json.format(msgspec.json.encode(state), indent=1) + b"\n"

    def _make_folder(self) -> None:
        try:
            make_folder(self.folder)
        except OSError as error:
            raise ConfigurationError(
                f"{self.folder} cannot be made: {error.strerror}.", next_step="Name a folder that you may write to."
            ) from error

    def _read(self) -> bytes:
        try:
            return self._file.read_bytes()
        except OSError as error:
            raise _unusable(self._file, f"{error.strerror}") from error

    def _decode(self, path: Path, content: bytes) -> SyncState:
        try:
            version = msgspec.json.decode(content, type=dict[str, msgspec.Raw]).get("version", msgspec.Raw(b"null"))
            number = msgspec.json.decode(version, type=int)
            if number > _FORMAT:
                raise _unusable(path, f"a later version of this program wrote it (format {number})")
            state = _decoder.decode(content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _unusable(path, f"it cannot be read ({error})") from error
        if state.stream != self._stream:
            raise _unusable(path, f"it is of the stream {state.stream}")
        return state


def _unusable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The state in {path} cannot be used: {why}.",
        next_step="Restore it, or move it away together with the stream's other files to begin again.",
    )
