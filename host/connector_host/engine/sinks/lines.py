"""Records as lines."""

from collections.abc import Sequence

import msgspec

__all__ = ["lines_of"]

_BLANKS = bytes.maketrans(b"\r\n", b"  ")


def lines_of(records: Sequence[bytes | msgspec.Raw]) -> bytes:
    """Return each record on a line of its own; a line break in one can only be blank space between its parts."""
    data = b"\n".join((*records, b""))
    if _are_lines(data, records) and b"\r" not in data:
        return data
    return b"\n".join((*(bytes(record).translate(_BLANKS) for record in records), b""))


def _are_lines(data: bytes, records: Sequence[bytes | msgspec.Raw]) -> bool:
    """Tell whether the line breaks are those between the records; looking for each is faster than counting them."""
    find, end = data.find, -1
    for record in records:
        start, end = end + 1, end + 1 + len(record)
        if find(b"\n", start) != end:
            return False
    return True
