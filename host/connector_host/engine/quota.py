"""Exact sliding-window quotas: never more calls than the limit in any window of its length.

The count is pyrate-limiter's, in memory or in an SQLite file that several processes share. Waiting is done elsewhere
(`turnstile`), so that it can be in order and on any clock.
"""

import hashlib
import math
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import ConfigurationError

from .files import make_file

__all__ = ["Lane", "MemoryLedger", "QuotaLedger", "Shortfall", "SqliteLedger", "Usage", "lane_of", "open_ledger"]

_MARGIN_SHARE, _LONGEST_MARGIN = 0.01, 0.5
"""A window is held longer by 1 %, at most half a second, because requests overtake each other (decided)."""
_LONGEST_CLOSURE = 86_400.0
"""A vendor's Retry-After closes a lane for a day at most; then one request may look (decided)."""
_MOST_CALLS_KEPT = 10_000
_IDLE_LANES_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Lane:
    """What is counted together: `calls` in any `milliseconds`, or no limit of its own when `calls` is None."""

    key: str
    calls: int | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Which lane has no room now, and in how many seconds it may have."""

    lane: Lane
    seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a lane is in use now, and for how many seconds the vendor has closed it."""

    used: int
    limit: int | None
    closed_for: float


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


class QuotaLedger(Protocol):
    """Counts the calls of each lane. Safe to use from several threads."""

    shared: bool
    """Whether other processes write to it too, so that asking may block for a moment."""

    def take(self, lanes: Sequence[Lane]) -> Shortfall | None:
        """Count one call in every lane, or in none and return the lane that has no room."""

    def close_lane(self, lane: Lane, seconds: float) -> None:
        """Let nobody into the lane for so long: the vendor asked for it."""

    def usage(self, lane: Lane) -> Usage:
        """Return how much of the lane is in use."""

    def close(self) -> None:
        """Free what it holds."""


def open_ledger(path: Path | None = None, clock: Clock | None = None) -> QuotaLedger:
    """Return a ledger of this process, or one in a file that all processes share that open the same path."""
    return MemoryLedger(clock) if path is None else SqliteLedger(path, clock)


class MemoryLedger:
    """Counts of this process, on the monotonic clock."""

    shared = False

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._buckets: dict[Lane, InMemoryBucket] = {}
        self._closed_until: dict[str, float] = {}

    def take(self, lanes: Sequence[Lane]) -> Shortfall | None:
        """Count one call in every lane, or in none."""
        with self._lock:
            now = self._clock.monotonic()
            for lane in lanes:
                if (closed_for := self._closed_until.get(lane.key, now) - now) > 0:
                    return Shortfall(lane, closed_for)
            taken: list[InMemoryBucket] = []
            for lane in lanes:
                if lane.calls is None:
                    continue
                bucket = self._bucket(lane, now)
                if (seconds := _put(bucket, lane, int(now * 1000))) > 0:
                    for other in taken:
                        other.items.pop()
                    return Shortfall(lane, seconds)
                taken.append(bucket)
            return None

    def close_lane(self, lane: Lane, seconds: float) -> None:
        """Let nobody into the lane for so long; a longer closure stays."""
        with self._lock:
            now = self._clock.monotonic()
            self._closed_until = {key: until for key, until in self._closed_until.items() if until > now}
            until = now + min(seconds, _LONGEST_CLOSURE)
            self._closed_until[lane.key] = max(until, self._closed_until.get(lane.key, until))

    def usage(self, lane: Lane) -> Usage:
        """Return how much of the lane is in use."""
        with self._lock:
            now = self._clock.monotonic()
            used = self._bucket(lane, now).count() if lane in self._buckets else 0
            return Usage(used, lane.calls, max(0.0, self._closed_until.get(lane.key, now) - now))

    def close(self) -> None:
        """Free the counts."""
        with self._lock:
            self._buckets.clear()

    def _bucket(self, lane: Lane, now: float) -> InMemoryBucket:
        bucket = self._buckets.get(lane)
        if bucket is None:
            if len(self._buckets) >= _IDLE_LANES_KEPT:
                self._drop_idle(now)
            bucket = self._buckets[lane] = InMemoryBucket([_rate(lane)])
        bucket.leak(int(now * 1000))
        return bucket

    def _drop_idle(self, now: float) -> None:
        for bucket in self._buckets.values():
            bucket.leak(int(now * 1000))
        self._buckets = {lane: bucket for lane, bucket in self._buckets.items() if bucket.count()}


class _OneTransaction:
    """A connection as a bucket wants it, without its commits: several buckets write in one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.cursor = connection.cursor

    def commit(self) -> None:
        pass


class SqliteLedger:
    """Counts in an SQLite file, shared by all processes of this machine that open it; on wall-clock time.

    Every take is one immediate transaction, so that two processes cannot both have the last place. When the machine's
    clock is set back, calls that seem to lie ahead count as made now. Raises ConfigurationError when the file cannot
    be used.
    """

    shared = True

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        try:
            make_file(path, mode=0o600)
            path.chmod(0o600)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS closed (key TEXT PRIMARY KEY, until INTEGER NOT NULL)")
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        self._bucket_connection: Any = _OneTransaction(self._db)
        self._transact(self._drop_idle)

    def take(self, lanes: Sequence[Lane]) -> Shortfall | None:
        """Count one call in every lane, or in none."""
        found: Shortfall | None = self._transact(lambda now: self._take(lanes, now))
        return found

    def close_lane(self, lane: Lane, seconds: float) -> None:
        """Let nobody into the lane for so long; a longer closure stays."""
        span = min(seconds, _LONGEST_CLOSURE)
        self._transact(
            lambda now: self._db.execute(
                "INSERT INTO closed VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = max(until, excluded.until)",
                (lane.key, now + math.ceil(span * 1000)),
            )
        )

    def usage(self, lane: Lane) -> Usage:
        """Return how much of the lane is in use."""
        found: Usage = self._transact(lambda now: self._usage(lane, now))
        return found

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _transact(self, work: Any) -> Any:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    found = work(int(self._clock.time() * 1000))
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._unusable(error) from None
        return found

    def _take(self, lanes: Sequence[Lane], now: int) -> Shortfall | None:
        for lane in lanes:
            if (closed_for := self._closed_for(lane, now)) > 0:
                return Shortfall(lane, closed_for / 1000)
        buckets = [(lane, self._bucket(lane, now)) for lane in lanes if lane.calls is not None]
        self._db.execute("SAVEPOINT taking")
        for lane, bucket in buckets:
            if (seconds := _put(bucket, lane, now)) > 0:
                self._db.execute("ROLLBACK TO taking")
                return Shortfall(lane, seconds)
        return None

    def _usage(self, lane: Lane, now: int) -> Usage:
        used = self._bucket(lane, now).count() if lane.calls is not None else 0
        return Usage(used, lane.calls, max(0, self._closed_for(lane, now)) / 1000)

    def _closed_for(self, lane: Lane, now: int) -> int:
        row = self._db.execute("SELECT until FROM closed WHERE key = ?", (lane.key,)).fetchone()
        return min(int(row[0]) - now, int(_LONGEST_CLOSURE * 1000)) if row else 0

    def _bucket(self, lane: Lane, now: int) -> SQLiteBucket:
        digest = hashlib.blake2b(f"{lane.key}\n{lane.milliseconds}".encode(), digest_size=12).hexdigest()
        table = f"lane_{digest}"
        self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} (name VARCHAR, item_timestamp INTEGER)")
        self._db.execute(f"CREATE INDEX IF NOT EXISTS {table}_time ON {table} (item_timestamp)")
        self._db.execute(
            f"UPDATE {table} SET item_timestamp = ? WHERE item_timestamp > ?",  # noqa: S608 -- a digest
            (now, now),
        )
        bucket = SQLiteBucket([_rate(lane)], self._bucket_connection, table)
        bucket.leak(now)
        return bucket

    def _drop_idle(self, now: int) -> None:
        """Drop lanes that nothing has used for longer than the longest window."""
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'lane_*' AND type = 'table'")
        for (table,) in tables.fetchall():
            newest = self._db.execute(f"SELECT max(item_timestamp) FROM {table}").fetchone()[0]  # noqa: S608 -- ours
            if newest is None or newest < now - 2 * _LONGEST_CLOSURE * 1000:
                self._db.execute(f"DROP TABLE {table}")
        self._db.execute("DELETE FROM closed WHERE until < ?", (now,))

    def _unusable(self, error: sqlite3.Error | OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The quotas that processes share cannot be kept in {self._path.name}: {error}.",
            next_step="Check that the file and its folder can be written, or remove the file.",
        )


def _rate(lane: Lane) -> Rate:
    return Rate(lane.calls or 1, lane.milliseconds)


def _put(bucket: InMemoryBucket | SQLiteBucket, lane: Lane, now: int) -> float:
    """Count one call now and return 0, or count nothing and return the seconds until there is room."""
    item = RateItem("", now)
    if bucket.put(item):
        return 0.0
    waiting = bucket.waiting(item)
    return (waiting if isinstance(waiting, int) and waiting > 0 else lane.milliseconds) / 1000
