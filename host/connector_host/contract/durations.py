"""Lengths of time as people write and read them."""

import re

from .errors import InputInvalid, Problem

__all__ = ["duration", "seconds_of"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS = {"": 1, "s": 1, "m": _MINUTE, "h": _HOUR, "d": _DAY}
_WRITTEN = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*([smhd]?)")
_MOST_HOURS = 48


def duration(seconds: float) -> str:
    """Return a length of time in its two greatest units: 45 s, 3 min 20 s, 23 h 59 min, 3 d 4 h."""
    if 0 < seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _MOST_HOURS * _HOUR:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def seconds_of(text: str, *, option: str) -> float:
    """Return the seconds of a length of time: a number of seconds, or 90s, 10m, 24h or 2d; more than none.

    Raises InputInvalid, with `option` as the place.
    """
    found = _WRITTEN.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        fix = "Write seconds, or a span such as 90s, 10m, 24h or 2d."
        problem = Problem(option, "duration", "This is no length of time.", fix)
        raise InputInvalid("The length of time is not understood.", problems=[problem])
    return seconds


def _two(whole: int, great: int, great_name: str, small: int, small_name: str) -> str:
    rest = whole % great // small
    return f"{whole // great} {great_name}" + (f" {rest} {small_name}" if rest else "")
