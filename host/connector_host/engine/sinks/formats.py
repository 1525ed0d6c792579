"""The formats of files, by the name that people use for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector_host.contract.errors import UnknownName
from connector_host.contract.nearest import did_you_mean

from .base import Sink
from .json_lines import COMPRESSIONS, JsonLinesSink

__all__ = ["FORMATS", "format_of", "sink_for"]

FORMATS = ("jsonl", "jsonl.gz", "jsonl.zst", "parquet")
"""Names of the formats; each is the file name extension too."""


def format_of(folder: Path, stream: str) -> str | None:
    """Return the format of a stream's files in a folder, the first where there are several; None without any."""
    there = {name: folder / f"{stream}.{name}" for name in FORMATS}
    plain = (name for name, path in there.items() if path.exists())
    return next(plain, "parquet" if any(folder.glob(f"{stream}-*.parquet")) else None)


def sink_for(folder: Path, stream: str, file_format: str, schema: Mapping[str, Any]) -> Sink:
    """Return the sink for a stream's files in a folder; `schema` is the JSON Schema of a record. Raises UnknownName."""
    if file_format == "parquet":
        from .parquet import ParquetSink  # noqa: PLC0415 -- an extra, and heavy

        return ParquetSink(folder, stream, schema)
    if f".{file_format}" not in COMPRESSIONS:
        hint = did_you_mean(file_format, FORMATS) or f"There are: {', '.join(FORMATS)}."
        raise UnknownName(f'There is no format "{file_format}".', next_step=hint)
    return JsonLinesSink(folder / f"{stream}.{file_format}", COMPRESSIONS[f".{file_format}"])
