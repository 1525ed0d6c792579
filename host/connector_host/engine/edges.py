"""Rows on the edge of two windows of time: both windows have the moment between them, and each row comes once.

Only the rows that may stand there are remembered, from one window to the next: those whose time is the edge or later.
Where a list's rows tell no time, every row of a window may be one of them.

Times are compared by the second that they are in, the edge's as well: fractions are cut off, not rounded. So a row
anywhere in the edge's second counts as one on the edge, which remembers too many and never too few. Times without a
zone count as UTC.
"""

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from connector_host.contract.stream_models import TimeWindow

from .blocks import Listed
from .shape import Shape
from .transform import normalised

__all__ = ["Edges"]

_SECOND = r"\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d"
_IN_UTC = re.compile(rf"({_SECOND})(?:\.\d+)?Z")
_UNKNOWN, _EVER = b"", b"~"
"""Times that sort before and behind all others."""


class Edges:
    """What neighbouring windows of one list have in common.

    `time` is how the list is limited, and `identity` finds what tells its rows apart; None compares them whole. A row
    that is remembered does not come again with other content, unless its time has moved on to a later second than the
    latest one that is remembered.
    """

    def __init__(self, time: TimeWindow | None, identity: Shape | None) -> None:
        self._times = _Times(time.field) if time is not None and time.field is not None else None
        self._identity = identity
        self._edge: bytes | None = None
        self._before: Counter[int] = Counter()
        self._here: Counter[int] = Counter()
        self._reach_before = self._reach = _UNKNOWN

    def begin(self, edge: datetime.datetime | None) -> None:
        """Begin a window, or the same one anew; `edge` is where the next one begins, None where there is none."""
        # Cut off as the rows' times are; where the vendor takes no fractions, the next window begins there anyway.
        self._edge = edge.strftime("%Y-%m-%dT%H:%M:%S").encode() if edge is not None else None

    def end(self) -> None:
        """End a window of which every page has passed."""
        self._before, self._here = self._here, Counter()
        self._reach_before, self._reach = self._reach, _UNKNOWN

    def once(self, page: Listed) -> Listed:
        """Return a page of the window without the rows that came with the window before it."""
        if self._edge is None and not self._before:
            return page
        groups = tuple(self._fresh(rows) for rows in page.part.groups)
        return replace(page, part=replace(page.part, groups=groups))

    def _fresh(self, rows: list[msgspec.Raw]) -> list[msgspec.Raw]:
        if not rows:
            return rows
        times = self._times.of(rows) if self._times is not None else [_UNKNOWN] * len(rows)
        edge, reach = self._edge or _EVER, self._reach_before if self._before else _UNKNOWN
        if max(times) < edge and min(times) > reach:
            return rows
        fresh = []
        for row, mark, time in zip(rows, self._marks(rows), times, strict=True):
            if self._edge is not None and (time >= edge or time == _UNKNOWN):
                self._here[mark] += 1
                self._reach = max(self._reach, time or _EVER)
            if time > reach or mark not in self._before:
                fresh.append(row)
            elif self._before[mark] > 1:
                self._before[mark] -= 1
            else:
                del self._before[mark]
        return fresh

    def _marks(self, rows: Sequence[msgspec.Raw]) -> list[int]:
        """Return a hash of each row's key, or of the whole row where it has none."""
        keys: Sequence[bytes] | None = None
        if self._identity is not None:
            keys = self._identity.keys(rows) or [each.key for each in self._identity.facts(rows)]
        return [hash(key or bytes(row)) for key, row in zip(keys or [b""] * len(rows), rows, strict=True)]


class _Times:
    """Tells the second that each row's time is in, in UTC, which is also the zone of times without one."""

    def __init__(self, path: str) -> None:
        self._shape = Shape((path,))
        name = re.escape(msgspec.json.encode(path))
        self._search = re.compile(name + rb'\s*+:\s*+"(%s)[.\d]*+(?:Z|[+-]00:?00)?"' % _SECOND.encode()).search
        self._searches = "." not in path
        """Whether the first place with the field's name in a row is the field, so that no row needs to be decoded."""

    def of(self, rows: Sequence[msgspec.Raw]) -> Sequence[bytes]:
        """Return the seconds, so written that they can be compared; `_UNKNOWN` for what is no time."""
        if self._searches:
            found = [each[1] for each in map(self._search, rows) if each is not None]
            if len(found) == len(rows) and self._holds(rows, found):
                return found
        return [self._decoded(row) for row in rows]

    def _holds(self, rows: Sequence[msgspec.Raw], found: Sequence[bytes]) -> bool:
        """See in the first row, and in the longest, that what was found is not in an object or a list inside it."""
        sizes = [len(row) for row in rows]
        self._searches = all(self._decoded(rows[at]) == found[at] for at in (0, sizes.index(max(sizes))))
        return self._searches

    def _decoded(self, row: msgspec.Raw) -> bytes:
        raw = self._shape.facts([row])[0].key
        value = normalised(msgspec.json.decode(raw)) if raw else None
        written = _IN_UTC.fullmatch(value) if isinstance(value, str) else None
        return written[1].encode() if written is not None else _UNKNOWN
