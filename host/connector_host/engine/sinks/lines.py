"""Records as lines."""

from collections.abc import Iterator, Sequence

import msgspec

__all__ = ["lines_of", "pieces_of"]

_PIECE = 2**18
"""Bytes, more or less: what fits into the processor's own memory is joined, looked through and copied on from there."""
_BLANKS = bytes.maketrans(b"\r\n", b"  ")


def lines_of(records: Sequence[bytes | msgspec.Raw]) -> bytes:
    """Return each record on a line of its own; a line break in one can only be blank space between its parts."""
    data = b"\n".join((*records, b""))
    if _are_lines(data, records) and b"\r" not in data:
        return data
    return b"\n".join((*(bytes(record).translate(_BLANKS) for record in records), b""))


def pieces_of(records: Sequence[bytes | msgspec.Raw]) -> Iterator[bytes]:
    """Yield the lines of many records some at a time, which takes less time and memory than all at once."""
    start = 0
    while start < len(records):
        some = records[start : start + max(1, _PIECE // max(1, len(records[start])))]
        start += len(some)
        yield lines_of(some)


def _are_lines(data: bytes, records: Sequence[bytes | msgspec.Raw]) -> bool:
    """Tell whether the line breaks are those between the records; looking for each is faster than counting them."""
    find, end = data.find, -1
    for record in records:
        start, end = end + 1, end + 1 + len(record)
        if find(b"\n", start) != end:
            return False
    return True
