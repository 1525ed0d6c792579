"""How a vendor takes dates: strftime codes that together give a full date and time."""

import re

__all__ = ["EXAMPLE", "is_date_format"]

EXAMPLE = "%Y-%m-%dT%H:%M:%SZ"

_CODE = re.compile(r"%(.?)", re.DOTALL)
_PARTS_OF_CODE = {
    "Y": ("year",),
    "m": ("month",),
    "b": ("month",),
    "B": ("month",),
    "d": ("day",),
    "j": ("month", "day"),
    "F": ("year", "month", "day"),
    "H": ("hour",),
    "I": ("half day",),
    "p": ("half",),
    "M": ("minute",),
    "S": ("second",),
    "T": ("hour", "minute", "second"),
    "R": ("hour", "minute"),
    "f": (),
    "z": (),
    "Z": (),
    "a": (),
    "A": (),
    "%": (),
}
"""The codes that mean the same on every system. Years of two digits and local seconds (%s) are not among them."""
_WANTED = {"year", "month", "day", "hour", "minute", "second"}


def is_date_format(text: str) -> bool:
    """Tell whether the text has known codes only, and gives year, month, day, hour, minute and second."""
    codes = _CODE.findall(text)
    if any(code not in _PARTS_OF_CODE for code in codes):
        return False
    parts = {part for code in codes for part in _PARTS_OF_CODE[code]}
    if {"half day", "half"} <= parts:
        parts.add("hour")
    return parts >= _WANTED
