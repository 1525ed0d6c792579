"""Names that stand twice in a list of the manifest: each with its place, so that every one is told."""

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["KEEP_ONE", "credentials_twice", "names_twice"]

KEEP_ONE = "Keep one of the two."
"""What to do about it."""

_NAMES = (
    ("setting", "settings", "key"),
    ("authentication method", "authentication", "name"),
    ("stream", "streams", "name"),
    ("action", "actions", "name"),
    ("check", "checks", "area"),
)

Twice = tuple[tuple[str | int, ...], str]


def names_twice(manifest: Any) -> Iterator[Twice]:
    """Yield the place where a name of the manifest stands again, and the sentence that says so."""
    for what, field, key in _NAMES:
        yield from _twice(what, field, getattr(manifest, field), key)


def credentials_twice(method: Any) -> Iterator[Twice]:
    """Yield the place in an authentication method where a credential's key stands again, and the sentence."""
    return _twice("credential", "credentials", method.credentials, "key")


def _twice(what: str, field: str, parts: Sequence[Any], key: str) -> Iterator[Twice]:
    seen: set[str] = set()
    for number, part in enumerate(parts):
        name = getattr(part, key, None)  # a draft has methods without a name
        if name in seen:
            yield (field, number, key), f"The {what} {name} is declared twice."
        elif name is not None:
            seen.add(name)
