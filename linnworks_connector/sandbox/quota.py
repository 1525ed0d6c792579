"""Rate limits as Linnworks states them: so many calls of one operation by one session in any minute."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

QUOTA_TEXT: Final = "API calls quota exceeded! Maximum admitted {calls} per Minute."
"""The text of an exceeded quota (seen on live tenants)."""


@dataclass(slots=True)
class _Window:
    admitted: deque[float] = field(default_factory=deque)
    arrived: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class Peak:
    """The most calls of one operation that one session sent within any window, beside what is admitted."""

    operation: str
    calls: int
    limit: int

    @property
    def exceeded(self) -> bool:
        """Whether more arrived in some window than the limit admits."""
        return self.calls > self.limit


class Quota:
    """An exact sliding window for each pair of session and operation.

    `minute` is the length in seconds of what a limit calls a minute. Refused calls do not count against the limit.
    """

    def __init__(self, *, minute: float, enforced: bool) -> None:
        self.enforced = enforced
        self._scale = minute / 60.0
        self._windows: dict[tuple[str, str], _Window] = {}
        self._peaks: dict[str, Peak] = {}

    def admit(self, session: str, operation: str, *, calls: int, seconds: float, now: float) -> int | None:
        """Count a call. Return None when it is admitted, otherwise the whole seconds to wait (Retry-After)."""
        width = seconds * self._scale
        window = self._windows.setdefault((session, operation), _Window())
        _drop(window.admitted, now - width)
        _drop(window.arrived, now - width)
        window.arrived.append(now)
        peak = self._peaks.setdefault(operation, Peak(operation, 0, calls))
        peak.calls = max(peak.calls, len(window.arrived))
        if self.enforced and len(window.admitted) >= calls:
            return max(1, math.ceil(window.admitted[0] + width - now))
        window.admitted.append(now)
        return None

    def peaks(self) -> dict[str, Peak]:
        """Return the peak of every operation that has a limit and was called."""
        return dict(self._peaks)


def _drop(moments: deque[float], until: float) -> None:
    while moments and moments[0] <= until:
        moments.popleft()
