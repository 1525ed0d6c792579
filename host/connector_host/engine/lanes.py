"""What is counted together, and how much of it is in use, from the times of the calls that count now."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Counted", "Lane", "QuotaInUse", "Usage", "lane_of", "usage_by_key", "usage_of"]

_MARGIN_SHARE, _LONGEST_MARGIN = 0.01, 0.5
"""A window is held longer by 1 %, at most half a second, because requests overtake each other (decided)."""
_MOST_CALLS_KEPT = 10_000

Counted = tuple[int, str]
"""A call that counts: when it was made, in milliseconds, and the key that it was made for, empty for the lane's own."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What is counted together: `calls` in any `milliseconds`, or no limit of its own when `calls` is None."""

    key: str
    calls: int | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a lane is in use now. Times are seconds from now, 0 for what is so already.

    The vendor has closed it for `closed_for`; there is room for another call after `room_in`; every call that counts
    now has left the window after `free_in`.
    """

    used: int
    limit: int | None
    closed_for: float = 0.0
    room_in: float = 0.0
    free_in: float = 0.0


@dataclass(frozen=True, slots=True)
class QuotaInUse:
    """How much of an instance's quota is in use now: of its own limit, None where it has none, and by operation."""

    instance: Usage | None
    operations: Mapping[str, Usage]


def lane_of(key: str, calls: int | None, seconds: float) -> Lane:
    """Return the lane for a limit, with the safety margin in its window.

    A limit of very many calls is kept as a stricter one of fewer calls in a shorter window, which bounds the memory:
    what never exceeds 1/n of the calls in 1/n of the window never exceeds all of them in the whole.
    """
    if calls is None:
        return Lane(key, None, 0)
    parts = math.ceil(calls / _MOST_CALLS_KEPT)
    window = seconds + min(seconds * _MARGIN_SHARE, _LONGEST_MARGIN)
    return Lane(key, calls // parts, math.ceil(window * 1000 / parts))


def usage_of(lane: Lane, used: int, time_of: Callable[[int], int], now: int, closed_for: float = 0.0) -> Usage:
    """Return how much of a lane is in use. `time_of(n)` is when the n-th last call was made; all in milliseconds."""
    room_in = _leaves(lane, time_of(lane.calls)) - now if lane.calls is not None and used >= lane.calls else 0
    free_in = _leaves(lane, time_of(1)) - now if used else 0
    return Usage(used, lane.calls, closed_for / 1000, max(room_in, closed_for) / 1000, free_in / 1000)


def usage_by_key(
    counted: Iterable[tuple[Lane, Sequence[Counted]]], closed: Mapping[str, float], now: int
) -> dict[str, Usage]:
    """Return what is in use of each key, the closed ones included; times are milliseconds.

    A key without a limit of its own is in use by its calls that count in another's lane. Of a key with two lanes,
    because its limit has changed, the fuller one counts.
    """
    own: dict[str, Usage] = {}
    others = {key: _usage_of_times(Lane(key, None, 0), (), now, span) for key, span in closed.items()}
    for lane, calls in counted:
        usage = _usage_of_times(lane, [at for at, _ in calls], now, closed.get(lane.key, 0.0))
        own[lane.key] = max(own.get(lane.key, usage), usage, key=_share)
        by_caller: dict[str, list[int]] = {}
        for at, caller in calls:
            by_caller.setdefault(caller, []).append(at)
        for caller in by_caller.keys() - {""}:
            in_window = Lane(caller, None, lane.milliseconds)
            usage = _usage_of_times(in_window, by_caller[caller], now, closed.get(caller, 0.0))
            others[caller] = max(others.get(caller, usage), usage, key=_share)
    return {key: usage for key, usage in {**others, **own}.items() if usage.used or usage.closed_for > 0}


def _usage_of_times(lane: Lane, times: Sequence[int], now: int, closed_for: float) -> Usage:
    return usage_of(lane, len(times), lambda last: times[-last], now, closed_for)


def _leaves(lane: Lane, at: int) -> int:
    """Return when a call does not count any more: one that is as old as the window still does."""
    return at + lane.milliseconds + 1


def _share(usage: Usage) -> float:
    return usage.used / usage.limit if usage.limit else usage.used
