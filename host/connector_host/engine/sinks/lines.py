"""Records as lines."""

from collections.abc import Sequence

import msgspec

__all__ = ["lines_of"]

_BLANKS = bytes.maketrans(b"\r\n", b"  ")


def lines_of(records: Sequence[bytes | msgspec.Raw]) -> bytes:
    """Return each record on a line of its own; a line break in one can only be blank space between its parts."""
    data = b"\n".join((*records, b""))
    if data.count(b"\n") == len(records) and b"\r" not in data:
        return data
    return b"\n".join((*(bytes(record).translate(_BLANKS) for record in records), b""))
