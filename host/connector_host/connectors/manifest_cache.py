"""Manifests that were read before, so that listing hundreds of connectors does not parse hundreds of YAML files."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

__all__ = ["ManifestCache", "user_cache"]

_FORMAT = 1


def user_cache() -> Path:
    """Return the file with manifests in the user's cache folder, for programs that have no home of the host."""
    return platformdirs.user_cache_path("connector-host", appauthor=False) / "manifests.json"


class _Entry(msgspec.Struct):
    stamp: list[int]
    data: msgspec.Raw
    """Decoded when it is asked for: one connector must not cost what hundreds do."""


class _Cache(msgspec.Struct):
    format: int
    entries: dict[str, _Entry]


class ManifestCache:
    """The plain data of manifests that were valid, by path, in one JSON file.

    An entry counts only while its file has the same size and time of change. A cache that cannot be read or written
    is no error: the manifests are parsed then.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = False
        self._entries = self._read()

    def get(self, path: Path) -> dict[str, Any] | None:
        """Return the data of a manifest, None when it must be parsed."""
        entry = self._entries.get(str(path))
        if entry is None or entry.stamp != _stamp(path):
            return None
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(entry.data, type=dict[str, Any])
        return None

    def put(self, path: Path, data: dict[str, Any]) -> None:
        """Remember the data of a valid manifest."""
        stamp = _stamp(path)
        if stamp is not None:
            self._entries[str(path)] = _Entry(stamp, msgspec.Raw(msgspec.json.encode(data)))
            self._changed = True

    def save(self) -> None:
        """Write the file if anything is new; entries of files that are gone are dropped."""
        if not self._changed:
            return
        kept = {path: entry for path, entry in self._entries.items() if Path(path).is_file()}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=self._file.name)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(_Cache(_FORMAT, kept)))
            Path(name).replace(self._file)

    def _read(self) -> dict[str, _Entry]:
        try:
            found = msgspec.json.decode(self._file.read_bytes(), type=_Cache)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return found.entries if found.format == _FORMAT else {}


def _stamp(path: Path) -> list[int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return [facts.st_size, facts.st_mtime_ns]
