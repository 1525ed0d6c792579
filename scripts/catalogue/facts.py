"""Facts that the vendor states only in the text of a description."""

import re
from typing import Any

_TAG = re.compile(r"<[^>]+>")
_LIMIT = re.compile(r"Rate\s+limit:\s*(\d+)\s*/\s*(second|minute|hour)", re.IGNORECASE)
_PERMISSION = re.compile(r"GlobalPermissions(?:\.\w+)+")
_DEPRECATED = re.compile(r"\bdeprecated\b", re.IGNORECASE)
_NULL = re.compile(r"\bnull(able)?\b", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class UnreadableFactError(Exception):
    """A description that names a fact in a form this module does not know."""


def rate_limit(description: str) -> dict[str, int] | None:
    """The stated quota as `{"calls": 150, "seconds": 60}`, or None where none is stated.

    Raises:
        UnreadableFactError: the text speaks of a rate limit in an unknown form.
    """
    text = _TAG.sub("", description)
    found = _LIMIT.search(text)
    if found:
        return {"calls": int(found[1]), "seconds": _SECONDS[found[2].lower()]}
    if "rate limit" in text.lower():
        raise UnreadableFactError("a rate limit is mentioned, but not as 'Rate limit: N / minute'")
    return None


def permissions(description: str) -> list[str]:
    """The permission nodes named in the text, in its order, each once."""
    return list(dict.fromkeys(_PERMISSION.findall(_TAG.sub(" ", description))))


def is_deprecated(operation: dict[str, Any]) -> bool:
    """Whether the flag or the text calls the operation deprecated."""
    text = f"{operation.get('summary') or ''} {operation.get('description') or ''}"
    return bool(operation.get("deprecated")) or bool(_DEPRECATED.search(text))


def speaks_of_null(description: str) -> bool:
    """Whether a field's text says that null has a meaning: Swagger 2 has no other way to say it."""
    return bool(_NULL.search(description))
