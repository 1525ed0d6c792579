"""The fields of a stream's records, as its schema names them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from .errors import Problem
from .manifest_file import ConnectorFolder
from .nearest import did_you_mean
from .stream_models import Stream

__all__ = ["fields_of_record", "unknown_columns"]

_MOST_NAMED = 12


def fields_of_record(folder: ConnectorFolder, stream: Stream) -> tuple[str, ...]:
    """Return the fields that the schema of a stream's record names, in its order."""
    schema: dict[str, Any] = msgspec.json.decode(folder.path(stream.record_schema).read_bytes())
    return tuple(schema.get("properties", ()))


def unknown_columns(columns: Iterable[str], known: Sequence[str], where: str) -> Iterator[Problem]:
    """Yield a problem at `where` for each column that is no known field; none where no field is known."""
    for name in columns:
        if known and name not in known:
            hint = did_you_mean(name, known) or f"It has: {', '.join(known[:_MOST_NAMED])}."
            yield Problem(where, "unknown-field", f'A record has no field "{name}".', hint)
