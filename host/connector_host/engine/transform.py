"""Changes records on their way to the sink, where a pull asks for it: columns to keep, dates in one form."""

import datetime
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

__all__ = ["transform_of"]

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)?")
_NO_DATE = "0001-01-01T00:00:00"
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

Record = bytes | msgspec.Raw
Transform = Callable[[Record], bytes]


def transform_of(columns: Sequence[str] | None, primary_key: Sequence[str], *, normalise: bool) -> Transform | None:
    """Return what is done to each record; None when they pass as they are.

    The first steps of the primary key are kept whatever the columns.
    """
    kept = frozenset(columns) | {path.partition(".")[0] for path in primary_key} if columns else None

    def change(record: Record) -> bytes:
        if kept is not None:
            parts = {name: raw for name, raw in _fields.decode(record).items() if name in kept}
            record = msgspec.json.encode(parts)
        return msgspec.json.encode(normalised(msgspec.json.decode(record))) if normalise else bytes(record)

    return change if kept is not None or normalise else None


def normalised(value: Any) -> Any:
    """Return the value with every date as RFC 3339 in UTC, and null for the date that means none.

    Dates without a zone are taken as UTC. Up to six digits of a second are kept.
    """
    match value:
        case dict():
            return {name: normalised(each) for name, each in value.items()}
        case list():
            return [normalised(each) for each in value]
        case str():
            return _date(value)
        case _:
            return value


def _date(text: str) -> str | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return text
    day, time, fraction, zone = found.groups()
    if f"{day}T{time}" == _NO_DATE:
        return None
    parts = f"{day}T{time}" + (f".{fraction[:6]}" if fraction else "")
    if zone is None or zone in "Zz" or zone.replace(":", "") in ("+0000", "-0000"):
        return f"{parts}Z"
    try:
        moment = datetime.datetime.fromisoformat(f"{parts}{zone}").astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return text
    return moment.isoformat().replace("+00:00", "Z")
