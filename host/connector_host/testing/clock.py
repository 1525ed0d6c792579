"""A clock for tests: waiting takes no time, and is exact."""

import heapq
import itertools

import anyio
import anyio.lowlevel

__all__ = ["FakeClock"]

_ROUNDS_UNTIL_IDLE = 25


class FakeClock:
    """A `Clock` whose time stands still until somebody sleeps on it, and then jumps to the end of that sleep.

    Of several sleepers the earliest wakes first; before each jump all other tasks have had their turn. With
    `auto=False` time moves only by `advance`. `slept` has the length of every sleep, in the order they began.

    `time()` starts at `start`, seconds since the epoch; `monotonic()` starts at zero.
    """

    def __init__(self, start: float = 1_800_000_000.0, *, auto: bool = True) -> None:
        self.slept: list[float] = []
        self._start = start
        self._now = 0.0
        self._auto = auto
        self._moves = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []

    def time(self) -> float:
        """Return the time of day that the test is at."""
        return self._start + self._now

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on by so much; at once for zero."""
        self.slept.append(seconds)
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        sleeper = (self._now + seconds, next(self._order), anyio.Event())
        heapq.heappush(self._sleepers, sleeper)
        try:
            if self._auto:
                await self._push(sleeper)
            await sleeper[2].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def _push(self, sleeper: tuple[float, int, anyio.Event]) -> None:
        """Move time on to the end of a sleep, when it is its turn and everybody else has had theirs since the last."""
        rounds, moves = 0, self._moves
        while not sleeper[2].is_set():
            await anyio.lowlevel.checkpoint()
            rounds, moves = (rounds + 1, moves) if moves == self._moves else (0, self._moves)
            if rounds >= _ROUNDS_UNTIL_IDLE and self._sleepers[0] is sleeper:
                self._move_to(sleeper[0])

    def advance(self, seconds: float) -> None:
        """Move time on and wake everybody whose sleep has ended."""
        self._move_to(self._now + seconds)

    def _move_to(self, moment: float) -> None:
        self._now = max(self._now, moment)
        self._moves += 1
        while self._sleepers and self._sleepers[0][0] <= self._now:
            heapq.heappop(self._sleepers)[2].set()
