"""Time as a thing that can be handed in, so that waiting is tested without waiting."""

import time
from typing import Protocol

import anyio

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What the engine and auth handlers ask of time. All values are in seconds."""

    def time(self) -> float:
        """Return wall-clock time, as seconds since the epoch; may be set back by the machine."""

    def monotonic(self) -> float:
        """Return a time that never goes back; its zero means nothing."""

    async def sleep(self, seconds: float) -> None:
        """Wait; zero lets other tasks run."""


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Return `time.time()`."""
        return time.time()

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep in the running event loop."""
        await anyio.sleep(seconds)
