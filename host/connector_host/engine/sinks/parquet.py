"""Parquet files, one for each checkpoint: STREAM-00001.parquet and so on.

Columns are the fields of the record's JSON Schema: scalars in their type, objects and lists as JSON text. What does not
fit its column, and fields that the schema does not know, stand as JSON in the column `_other`.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from connector_host.contract.errors import ConfigurationError
from connector_host.contract.schemas import schema_at
from connector_host.engine.files import make_file, sync_folder, writing

from .base import SinkMark

__all__ = ["ParquetSink"]

_OTHER = "_other"
_ROWS_OF_GROUP = 20_000
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_INT64 = 2**63


class ParquetSink:
    """Files of one stream in a folder. Raises ConfigurationError when pyarrow is not installed."""

    resumes = True

    def __init__(self, folder: Path, stream: str, schema: Mapping[str, Any]) -> None:
        try:
            arrow: Any = importlib.import_module("pyarrow")
            self._parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise ConfigurationError(
                "Writing Parquet needs a package that is not installed.",
                next_step='Install it with: pip install "connector-host[parquet]", or choose another format.',
            ) from None
        self._arrow = arrow
        self._folder = folder
        self._stream = stream
        self._kinds = _columns(schema)
        types = {"integer": arrow.int64(), "number": arrow.float64(), "boolean": arrow.bool_()}
        names = [(name, types.get(kind, arrow.string())) for name, kind in self._kinds.items()]
        self._schema: Any = arrow.schema([*names, (_OTHER, arrow.string())])
        self._rows: list[dict[str, Any]] = []
        self._writer: Any = None
        self._files = 0
        self._old = 0

    def open(self, mark: SinkMark | None, *, rewrite: bool, unfinished: bool) -> None:
        """See Sink."""
        del unfinished
        there = self._numbers()
        self._files = mark.files if mark is not None else 0
        if mark is None and rewrite:
            self._old = self._files = max(there, default=0)
        elif mark is None and there:
            raise ConfigurationError(
                f"{self._path(min(there))} is there already, and nothing says up to where it is complete.",
                next_step="Choose another folder, move the files away, or pull with mode full to replace them.",
            )
        elif rewrite and mark is not None:
            self._old = mark.offset
        with writing(self.place):
            for number in there:
                if number > self._files:
                    self._path(number).unlink()
            self._part.unlink(missing_ok=True)

    def write(self, records: Sequence[bytes | msgspec.Raw]) -> int:
        """See Sink."""
        for record in records:
            self._rows.append(self._row(record))
        if len(self._rows) >= _ROWS_OF_GROUP:
            with writing(self.place):
                self._write_group()
        return sum(map(len, records))

    def commit(self) -> SinkMark:
        """See Sink."""
        with writing(self.place):
            if self._rows:
                self._write_group()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
                with self._part.open("rb") as file:
                    os.fsync(file.fileno())
                self._part.replace(self._path(self._files + 1))
                sync_folder(self._folder)
                self._files += 1
        return SinkMark(offset=self._old, files=self._files)

    def finish(self) -> None:
        """See Sink."""
        with writing(self.place):
            for number in self._numbers():
                if number <= self._old:
                    self._path(number).unlink()
        self._old = 0
        sync_folder(self._folder)

    def close(self) -> None:
        """See Sink."""
        writer, self._writer = self._writer, None
        if writer is not None:
            # What is not safe yet may find no room any more.
            with suppress(OSError):
                writer.close()
            with suppress(OSError):
                self._part.unlink(missing_ok=True)
        self._rows.clear()

    @property
    def place(self) -> str:
        """See Sink."""
        return str(self._folder / f"{self._stream}-*.parquet")

    @property
    def _part(self) -> Path:
        return self._folder / f"{self._stream}.parquet.part"

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._stream}-{number:05}.parquet"

    def _numbers(self) -> list[int]:
        found = (path.stem.rpartition("-") for path in self._folder.glob(f"{self._stream}-*.parquet"))
        return sorted(int(number) for name, _, number in found if name == self._stream and number.isdecimal())

    def _write_group(self) -> None:
        table = self._arrow.Table.from_pylist(self._rows, schema=self._schema)
        self._rows.clear()
        if self._writer is None:
            make_file(self._part)
            self._writer = self._parquet.ParquetWriter(self._part, self._schema, compression="zstd")
        self._writer.write_table(table)

    def _row(self, record: bytes | msgspec.Raw) -> dict[str, Any]:
        row: dict[str, Any] = {}
        other: dict[str, msgspec.Raw] = {}
        for name, raw in _fields.decode(record).items():
            kind = self._kinds.get(name)
            if kind is None:
                other[name] = raw
            elif kind == "json":
                row[name] = None if bytes(raw) == b"null" else bytes(raw).decode()
            else:
                value = msgspec.json.decode(raw)
                if value is None or _fits(value, kind):
                    row[name] = value
                else:
                    other[name] = raw
        row[_OTHER] = msgspec.json.encode(other).decode() if other else None
        return row


def _columns(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return the kind of each column: a JSON type, or `json` for what is kept as text."""
    columns = {}
    for name in schema.get("properties", {}):
        kinds = (schema_at(schema, name) or {}).get("type", "json") if "." not in name else "json"
        kinds = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
        columns[name] = kinds[0] if len(kinds) == 1 and kinds[0] in _PYTHON else "json"
    return columns


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return False
    return isinstance(value, _PYTHON[kind])
