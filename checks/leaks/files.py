"""The contents of files as a person could read them: what is compressed is unpacked."""

import contextlib
import gzip
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["contents_of"]


def contents_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file below a folder by its path there; one that goes away meanwhile is none.

    Bytecode says no more than its source, which stands beside it.
    """
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink() and path.suffix != ".pyc":
                yield str(path.relative_to(folder)), _read(path)


def _read(path: Path) -> bytes:
    raw = path.read_bytes()
    unpack = _UNPACKERS.get(path.suffix)
    # A file that a test has cut short, or that only pretends to be of its kind, is looked at as it is.
    with contextlib.suppress(Exception):
        raw += unpack(path) if unpack else b""
    return raw


def _gzip(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _zstd(path: Path) -> bytes:
    import zstandard  # noqa: PLC0415 -- only where there is such a file

    with zstandard.open(path) as file:
        return bytes(file.read())


def _parquet(path: Path) -> bytes:
    from pyarrow import parquet  # noqa: PLC0415 -- only where there is such a file

    return repr(parquet.read_table(path).to_pylist()).encode()


def _zip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


_UNPACKERS: dict[str, Callable[[Path], bytes]] = {
    ".gz": _gzip,
    ".zst": _zstd,
    ".parquet": _parquet,
    ".zip": _zip,
    ".whl": _zip,
}
