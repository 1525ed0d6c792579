"""Adds fields to records that stay bytes: the new ones come first, and nothing of the record is decoded."""

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["Prefix", "spliced"]


class Prefix:
    """Fields as they are put at the beginning of objects."""

    def __init__(self, fields: Mapping[str, Any] | None = None) -> None:
        self.fields = dict(fields or {})
        self._head = msgspec.json.encode(self.fields)[:-1] if self.fields else b""

    def __bool__(self) -> bool:
        return bool(self._head)

    def on(self, record: bytes | msgspec.Raw) -> bytes:
        """Return the object with the fields before its own. Raises ValueError when it is no object."""
        return spliced(self._head, record) if self._head else bytes(record)


def spliced(head: bytes, record: bytes | msgspec.Raw) -> bytes:
    """Return the object with `head` (an encoded object without its closing brace) before its own fields."""
    body = bytes(record).lstrip()
    if body[:1] != b"{":
        raise ValueError("it is no object")
    rest = body[1:].lstrip()
    return head + rest if rest[:1] == b"}" else b"".join((head, b",", rest))
