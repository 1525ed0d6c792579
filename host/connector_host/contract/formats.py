"""Formats of texts and numbers in JSON Schema, as vendors really send them."""

import datetime
import re
import uuid
import zoneinfo

from jsonschema import FormatChecker

from .date_formats import is_date_format

__all__ = ["FORMATS"]

FORMATS = FormatChecker()
"""Formats as they are checked: date-time also without offset and with up to seven digits of a second (observed)."""

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?")
_WHOLE_NUMBER_LIMITS = {"int32": 2**31, "int64": 2**63}


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    found = _DATE_TIME.fullmatch(value)
    offset = (found[4] or "Z").upper().replace("Z", "+00:00") if found else ""
    return bool(found and datetime.datetime.fromisoformat(f"{found[1]}T{found[2]}{offset}"))


@FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value.lower()


@FORMATS.checks("time-zone", raises=(ValueError, zoneinfo.ZoneInfoNotFoundError, OSError))
def _is_time_zone(value: object) -> bool:
    return not isinstance(value, str) or bool(zoneinfo.ZoneInfo(value))


@FORMATS.checks("date-format")
def _is_date_format(value: object) -> bool:
    return not isinstance(value, str) or is_date_format(value)


@FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return _is_within(value, "int32")


@FORMATS.checks("int64")
def _is_int64(value: object) -> bool:
    return _is_within(value, "int64")


def _is_within(value: object, name: str) -> bool:
    limit = _WHOLE_NUMBER_LIMITS[name]
    return not isinstance(value, int) or isinstance(value, bool) or -limit <= value < limit
