"""Ids and times as Linnworks writes them."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Final

ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"
"""The id of the Default location: a real id, never "nothing"."""
NULL_DATE: Final = "0001-01-01T00:00:00"
"""How Linnworks writes "no date"."""
TICKS_DIGITS: Final = 7
"""Digits of a second in a .NET tick."""


def guid(*parts: object) -> str:
    """Return the id that belongs to `parts`: the same parts give the same id."""
    digest = blake2b(":".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def number(*parts: object) -> int:
    """Return a 32-bit number that belongs to `parts`, for choices that must be the same at every reading."""
    return int.from_bytes(blake2b(":".join(map(str, parts)).encode(), digest_size=4).digest(), "big")


_SUMMER: Final = timezone(timedelta(hours=1))
_SPELLINGS: Final = ("Z", "Z", "ticks", "+00:00", "Z", "+01:00", "Z", "Z")


def moment(when: datetime | None, style: int = 0) -> str:
    """Write an aware datetime the way the API does: `Z` or an offset, 0 to 7 digits of a second; None is the null date.

    `style` picks among the spellings that occur. None of them loses a microsecond.
    """
    if when is None:
        return NULL_DATE
    spelling = _SPELLINGS[style % len(_SPELLINGS)]
    local = when.astimezone(_SUMMER) if spelling == "+01:00" else when
    whole, _, fraction = local.replace(tzinfo=None).isoformat().partition(".")
    if spelling == "ticks":
        return f"{whole}.{fraction.ljust(TICKS_DIGITS, '0')}Z"
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}{spelling}" if fraction else f"{whole}{spelling}"


def read_moment(text: str | None) -> datetime | None:
    """Read a date of a request; one without an offset is UTC. None for an empty or null date. Raises ValueError."""
    if not text:
        return None
    when = datetime.fromisoformat(text.strip())
    if when.year <= 1:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
