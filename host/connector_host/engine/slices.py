"""Windows of time, sized by what was found in the one before: narrower when it was too full, wider when it was thin."""

import datetime
from dataclasses import dataclass

from connector_host.contract.stream_models import TimeWindow

from .plan import Window

__all__ = ["MOST_PAGES", "Slicer"]

MOST_PAGES = 100
"""Pages of one window; more are split (decided: far pages are slow, and a list that long moves while it is read)."""

_SHORTEST = datetime.timedelta(minutes=1)
_SHORTEST_AFTER_REFUSAL = datetime.timedelta(hours=1)
_THIN = MOST_PAGES // 4
_WIDER, _MUCH_WIDER = 2, 8


@dataclass(slots=True)
class Slicer:
    """The windows that one list is read in, one after another; neighbours share the moment between them."""

    whole: Window
    longest: datetime.timedelta | None
    bounded: bool
    """Whether the vendor takes both ends, so that there can be more than one window."""
    width: datetime.timedelta | None = None

    @classmethod
    def of(cls, window: Window, time: TimeWindow | None) -> "Slicer":
        """Return the windows of a list."""
        longest = datetime.timedelta(seconds=time.longest) if time is not None and time.longest else None
        bounded = time is not None and time.until is not None and None not in (window.since, window.until)
        return cls(window, longest, bounded, longest)

    def after(self, end: datetime.datetime | None) -> Window | None:
        """Return the window that begins at `end`, the first one for None; None when everything has been read."""
        since, until = self.whole.since, self.whole.until
        if end is not None:
            if until is None or end >= until:
                return None
            since = end
        if not self.bounded or self.width is None or since is None or until is None:
            return Window(since, until)
        return Window(since, min(until, since + self.width))

    def following(self, window: Window) -> Window | None:
        """Return the window behind one that has been read; None when it was the last."""
        return self.after(window.until) if window.until is not None else None

    def split(self, window: Window, pages: int) -> bool:
        """Make the next windows so narrow that this one's pages fit; tell whether it is to be read again so."""
        length = _length(window)
        if not self.bounded or length is None or pages <= MOST_PAGES or length <= _SHORTEST:
            return False
        self.width = max(_SHORTEST, length * MOST_PAGES / pages * 0.8)
        return True

    def halve(self, window: Window) -> bool:
        """Try half the length after the vendor has refused a window; tell whether there is anything left to try."""
        length = _length(window)
        if not self.bounded or length is None or length <= _SHORTEST_AFTER_REFUSAL:
            return False
        self.width = max(_SHORTEST_AFTER_REFUSAL, length / 2)
        return True

    def found(self, window: Window, pages: int) -> None:
        """Widen the next window when this one was thin."""
        length = _length(window)
        if self.width is None or length is None or pages > _THIN:
            return
        wider = self.width * (_WIDER if pages > 1 else _MUCH_WIDER)
        self.width = min(wider, self.longest) if self.longest is not None else wider


def _length(window: Window) -> datetime.timedelta | None:
    return window.until - window.since if window.since is not None and window.until is not None else None
