"""Times as people write them: dates, dates with a time, and spans back from now."""

import datetime
import re
import zoneinfo

from .errors import InputInvalid, Problem

__all__ = ["moment_of", "zone_of"]

_SPAN = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def moment_of(
    text: str, *, option: str, zone: datetime.tzinfo, now: datetime.datetime, end: bool = False
) -> datetime.datetime:
    """Return the time that is meant, aware and in UTC.

    `7d` is that span before `now` (m, h, d, w); a date is its first second in `zone`, with `end` its last; a time
    without an offset is in `zone`. Raises InputInvalid, with `option` as the place.
    """
    text = text.strip()
    span = _SPAN.fullmatch(text)
    try:
        if span:
            return (now - datetime.timedelta(**{_UNITS[span[2]]: int(span[1])})).astimezone(datetime.UTC)
        moment = datetime.datetime.fromisoformat(text)
        if _DATE.fullmatch(text) and end:
            moment += datetime.timedelta(days=1, seconds=-1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        fix = "Write 2026-01-31, 2026-01-31T09:30, or a span back from now such as 7d, 12h or 30m."
        problem = Problem(option, "moment", "This is no time.", fix)
        raise InputInvalid("The time is not understood.", problems=[problem]) from None


def zone_of(name: str) -> datetime.tzinfo:
    """Return the time zone of that name; settings have been checked to name a known one."""
    return zoneinfo.ZoneInfo(name)
