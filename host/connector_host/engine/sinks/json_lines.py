"""JSON Lines in one file, plain or compressed.

A compressed file is a row of members (gzip) or frames (zstd), one for each checkpoint: cut between two of them it is
still a whole file, and readers take it as one.
"""

import os
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from connector_host.contract.errors import ConfigurationError
from connector_host.engine.files import make_file, sync_folder, unwritable, writing

from .base import SinkMark
from .lines import pieces_of

__all__ = ["COMPRESSIONS", "JsonLinesSink"]

_GZIP_WINDOW = 31
_ZSTD_LEVEL = 3
_GZIP_LEVEL = 6


class Compressor(Protocol):
    """One member or frame that is being written."""

    def compress(self, data: bytes, /) -> bytes:
        """Take data; return what is ready."""

    def flush(self) -> bytes:
        """Return the rest, with the end."""


def _gzip() -> Compressor:
    return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)


def _zstd() -> Compressor:
    try:
        import zstandard  # noqa: PLC0415 -- an extra
    except ImportError:
        raise ConfigurationError(
            "Writing zstd needs a package that is not installed.",
            next_step='Install it with: pip install "connector-host[zstd]", or choose jsonl.gz.',
        ) from None
    made: Any = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj()
    compressor: Compressor = made
    return compressor


COMPRESSIONS: dict[str, Callable[[], Compressor] | None] = {".jsonl": None, ".jsonl.gz": _gzip, ".jsonl.zst": _zstd}
"""How each file name extension is compressed."""


class JsonLinesSink:
    """One file with a line for each record. While it is rewritten the new content stands in a file with `.part`."""

    resumes = True

    def __init__(self, path: Path, compression: Callable[[], Compressor] | None = None) -> None:
        self.path = path
        self._compression = compression
        self._compressor: Compressor | None = None
        self._file: IO[bytes] | None = None
        self._rewrite = False

    def open(self, mark: SinkMark | None, *, rewrite: bool, unfinished: bool) -> None:
        """See Sink."""
        self._rewrite = rewrite
        path = self._written_to
        try:
            if mark is not None and rewrite and not path.exists() and self.path.exists():
                # The run was stopped between putting the content in its place and saying so.
                self.path.replace(path)
            size = path.stat().st_size if path.exists() else None
            if mark is None or (size is None and (not unfinished or not mark.offset)):
                if size and not rewrite:
                    raise _unknown(path)
                make_file(path)
                self._file = path.open("wb")
                sync_folder(path.parent)
                return
            if size is None or size < mark.offset:
                raise _too_short(path)
            if size > mark.offset and not unfinished:
                raise _not_ours(path)
            self._file = path.open("r+b")
            self._file.truncate(mark.offset)
            self._file.seek(mark.offset)
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, records: Sequence[bytes | msgspec.Raw]) -> int:
        """See Sink."""
        size = 0
        for piece in pieces_of(records):
            size += len(piece)
            if self._compression is None:
                self._append(piece)
            else:
                self._compressor = self._compressor or self._compression()
                self._append(self._compressor.compress(piece))
        return size

    def commit(self) -> SinkMark:
        """See Sink."""
        if self._compressor is not None:
            self._append(self._compressor.flush())
            self._compressor = None
        file = self._open
        try:
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise unwritable(self._written_to, error) from error
        return SinkMark(offset=file.tell())

    def finish(self) -> None:
        """See Sink."""
        self.close()
        if self._rewrite:
            with writing(self.path):
                self._written_to.replace(self.path)
            sync_folder(self.path.parent)

    def close(self) -> None:
        """See Sink."""
        file, self._file = self._file, None
        if file is not None:
            # What is not safe yet may find no room any more.
            with suppress(OSError):
                file.close()

    @property
    def place(self) -> str:
        """See Sink."""
        return str(self.path)

    @property
    def _written_to(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part") if self._rewrite else self.path

    @property
    def _open(self) -> IO[bytes]:
        if self._file is None:
            raise RuntimeError("the sink is not open")
        return self._file

    def _append(self, data: bytes) -> None:
        try:
            self._open.write(data)
        except OSError as error:
            raise unwritable(self._written_to, error) from error


def _not_ours(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"Something was written to {path} since the last pull.",
        next_step="Take it out again, move the file away so that what changes comes in a new one, or choose another "
        "folder.",
    )


def _unknown(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is there already, and nothing says up to where it is complete.",
        next_step="Choose another folder, move the file away, or pull with mode full to replace it.",
    )


def _too_short(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is missing or shorter than it was at the last checkpoint.",
        next_step="Put it back, or remove the stream's files in the folder .state to begin again.",
    )
