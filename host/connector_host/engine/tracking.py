"""Follows a run for those who watch it: rate, remaining time, and how much of the quota is in use."""

from collections.abc import Callable

from connector_host.contract.clock import Clock

from .blocks import Block
from .connection import Connection
from .preparation import Prepared
from .report import Counts, Progress

__all__ = ["Tracker"]

_QUOTA_SECONDS = 0.5


class Tracker:
    """Tells the progress of one run."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        prepared: Prepared,
        counts: Counts,
        told: Callable[[Progress], None] | None,
    ) -> None:
        self._stream = prepared.state.stream
        self._connection = connection
        self._clock = clock
        self._window = prepared.window
        self._counts = counts
        self._told = told
        self._began = clock.monotonic()
        self._read_before = counts.read
        self._asked_before = connection.stats.requests
        self._share_before: float | None = None
        self._quota_share: float | None = None
        self._quota_seen = -_QUOTA_SECONDS

    def moved(self, block: Block) -> None:
        """Tell that a block has been passed."""
        if self._told is None:
            return
        seconds = self._clock.monotonic() - self._began
        share = self._share(block)
        remaining = None
        if share is not None:
            self._share_before = share if self._share_before is None else self._share_before
            done = share - (self._share_before if self._share_before < share else 0.0)
            remaining = seconds * (1 - share) / done if done > 0 and seconds > 0 else None
        self._told(
            Progress(
                self._stream,
                self._counts.read,
                self._counts.written,
                self._connection.stats.requests - self._asked_before,
                seconds,
                (self._counts.read - self._read_before) / seconds if seconds > 0 else 0.0,
                share,
                remaining,
                self._quota(seconds),
                block.page,
                block.pages,
            )
        )

    def _quota(self, seconds: float) -> float | None:
        """Return how much of the quota is in use; it is counted, in a file that processes share, once in a while."""
        if seconds - self._quota_seen >= _QUOTA_SECONDS:
            self._quota_seen, self._quota_share = seconds, self._connection.quota_share()
        return self._quota_share

    def _share(self, block: Block) -> float | None:
        """Return how much of the run is done, from 0 to 1: by pages of the window, and windows of the whole."""
        pages = min(1.0, block.page / block.pages) if block.pages else None
        since, until = self._window.since, self._window.until
        at, end = block.position.since, block.position.until
        if since is None or until is None or since == until or at is None:
            return pages
        whole = (until - since).total_seconds()
        done = (at - since).total_seconds() + ((end or at) - at).total_seconds() * (pages or 0.0)
        return min(1.0, max(0.0, done / whole))
