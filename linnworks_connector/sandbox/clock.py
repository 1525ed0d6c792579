"""The sandbox's time, so that a test can let twenty minutes pass without waiting for them."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Where the sandbox reads the time. `now` is an aware UTC datetime, `monotonic` is seconds that never go back."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; quotas and sessions are measured with it."""
        ...

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        ...


class SystemClock:
    """The computer's clock plus whatever was added with `advance`."""

    def __init__(self) -> None:
        self._added = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._added)

    def monotonic(self) -> float:
        """Return the computer's monotonic seconds plus those added."""
        return time.monotonic() + self._added

    def advance(self, seconds: float) -> None:
        """Let `seconds` (not negative) pass at once."""
        _refuse_going_back(seconds)
        with self._lock:
            self._added += seconds


class ManualClock:
    """A clock that stands still until it is told to go on: what tests inject."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be an aware datetime, for example datetime(2026, 1, 1, tzinfo=UTC)")
        self._start = start.astimezone(UTC)
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the moment at which the clock stands, aware, in UTC."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that were let pass so far."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let `seconds` (not negative) pass at once."""
        _refuse_going_back(seconds)
        with self._lock:
            self._passed += seconds


def _refuse_going_back(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("a clock cannot go back: seconds must be 0 or more")
