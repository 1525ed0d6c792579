"""Exact sliding-window quotas: never more calls than the limit in any window of its length.

The count is pyrate-limiter's, in memory or in an SQLite file that several processes share. Waiting is done elsewhere
(`turnstile`), so that it can be in order and on any clock.
"""

import hashlib
import itertools
import math
import sqlite3
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import ConfigurationError

from .files import make_file
from .lanes import Counted, Lane, Usage, usage_by_key, usage_of

__all__ = ["LedgerBusy", "MemoryLedger", "QuotaLedger", "Shortfall", "SqliteLedger", "open_ledger"]

_LONGEST_CLOSURE = 86_400.0
"""A vendor's Retry-After closes a lane for a day at most; then one request may look (decided)."""
_IDLE_LANES_KEPT = 1_000
_OPENED_FOR = int(_LONGEST_CLOSURE * 1000)
"""Milliseconds after which it is seen to again that a lane has its table: no process drops one used since then."""
_SWEPT_EVERY = 1_000
"""Milliseconds, or the lane's window where that is longer."""
_PATIENCE = 10_000
"""Milliseconds that other processes may hold the file."""
_LANES = (
    "CREATE TABLE IF NOT EXISTS lanes "
    "(name TEXT PRIMARY KEY, key TEXT NOT NULL, calls INTEGER NOT NULL, milliseconds INTEGER NOT NULL)"
)
"""What stands in the table of each lane; files of versions that did without are complete with each lane's next call."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Which lane has no room now, and in how many seconds it may have."""

    lane: Lane
    seconds: float


class LedgerBusy(Exception):
    """Somebody else is at the counts just now."""


class QuotaLedger(Protocol):
    """Counts the calls of each lane. Safe to use from several threads."""

    shared: bool
    """Whether other processes write to it too, so that asking may block for a moment."""

    def take(self, lanes: Sequence[Lane], *, wait: bool = True) -> Shortfall | None:
        """Count one call in every lane, the caller's own first, or in none and return the one that has no room.

        With `wait` false it does not block, and raises LedgerBusy where it would have to.
        """

    def close_lane(self, lane: Lane, seconds: float) -> None:
        """Let nobody into the lane for so long: the vendor asked for it."""

    def usage(self, lane: Lane) -> Usage:
        """Return how much of the lane is in use."""

    def in_use(self, prefix: str) -> dict[str, Usage]:
        """Return what is in use or closed of every lane whose key begins with the prefix, by key."""

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

    def take(self, lanes: Sequence[Lane], *, wait: bool = True) -> Shortfall | None:  # noqa: ARG002 -- see QuotaLedger
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
                if (seconds := _put(bucket, lane, int(now * 1000), lanes[0])) > 0:
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
            items = self._bucket(lane, now).items if lane in self._buckets else []
            closed_for = max(0.0, self._closed_until.get(lane.key, now) - now) * 1000
            return usage_of(lane, len(items), lambda last: items[-last].timestamp, int(now * 1000), closed_for)

    def in_use(self, prefix: str) -> dict[str, Usage]:
        """Return what is in use or closed of every lane whose key begins with the prefix, by key."""
        with self._lock:
            now = self._clock.monotonic()
            counted = [
                (lane, [(item.timestamp, item.name) for item in self._bucket(lane, now).items])
                for lane in self._buckets
                if lane.key.startswith(prefix)
            ]
            closed = {
                key: (until - now) * 1000
                for key, until in self._closed_until.items()
                if key.startswith(prefix) and until > now
            }
            return usage_by_key(counted, closed, int(now * 1000))

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


@dataclass(slots=True)
class _Opened:
    """A lane's bucket, and when (in milliseconds) its table was seen to and last swept."""

    bucket: SQLiteBucket
    since: int
    swept: int = 0


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
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute(f"PRAGMA busy_timeout={_PATIENCE}")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS closed (key TEXT PRIMARY KEY, until INTEGER NOT NULL)")
            self._db.execute(_LANES)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None
        self._bucket_connection: Any = _OneTransaction(self._db)
        self._opened: dict[Lane, _Opened] = {}
        self._transact(self._drop_idle)

    def take(self, lanes: Sequence[Lane], *, wait: bool = True) -> Shortfall | None:
        """Count one call in every lane, or in none."""
        found: Shortfall | None = self._transact(lambda now: self._take(lanes, now), wait=wait)
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
        found: Usage = self._transact(lambda now: self._usage(lane, now), "BEGIN")
        return found

    def in_use(self, prefix: str) -> dict[str, Usage]:
        """Return what is in use or closed of every lane whose key begins with the prefix, by key."""
        found: dict[str, Usage] = self._transact(lambda now: self._in_use(prefix, now), "BEGIN")
        return found

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _transact(self, work: Any, begin: str = "BEGIN IMMEDIATE", *, wait: bool = True) -> Any:
        if not self._lock.acquire(blocking=wait):
            raise LedgerBusy
        try:
            self._begin(begin, wait=wait)
            try:
                found = work(int(self._clock.time() * 1000))
                self._db.execute("COMMIT")
            except BaseException:
                self._opened.clear()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        finally:
            self._lock.release()
        return found

    def _begin(self, begin: str, *, wait: bool) -> None:
        if wait:
            self._db.execute(begin)
            return
        self._db.execute("PRAGMA busy_timeout=0")
        try:
            self._db.execute(begin)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise LedgerBusy from None
            raise
        finally:
            self._db.execute(f"PRAGMA busy_timeout={_PATIENCE}")

    def _take(self, lanes: Sequence[Lane], now: int) -> Shortfall | None:
        for lane, closed_for in zip(lanes, self._closed_for(lanes, now), strict=True):
            if closed_for > 0:
                return Shortfall(lane, closed_for / 1000)
        buckets = [(lane, self._bucket(lane, now)) for lane in lanes if lane.calls is not None]
        self._db.execute("SAVEPOINT taking")
        for lane, bucket in buckets:
            if (seconds := _put(bucket, lane, now, lanes[0])) > 0:
                self._db.execute("ROLLBACK TO taking")
                return Shortfall(lane, seconds)
        return None

    def _usage(self, lane: Lane, now: int) -> Usage:
        table, used = _table_of(lane), 0
        if self._db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone():
            query = f"SELECT count(*) FROM {table} WHERE item_timestamp >= ?"  # noqa: S608 -- a digest
            used = self._db.execute(query, (now - lane.milliseconds,)).fetchone()[0]

        def time_of(last: int) -> int:
            query = f"SELECT item_timestamp FROM {table} ORDER BY item_timestamp DESC LIMIT 1 OFFSET ?"  # noqa: S608
            return min(int(self._db.execute(query, (last - 1,)).fetchone()[0]), now)

        return usage_of(lane, used, time_of, now, max(0, *self._closed_for([lane], now)))

    def _in_use(self, prefix: str, now: int) -> dict[str, Usage]:
        between = (prefix, prefix + chr(sys.maxunicode))
        closed = self._db.execute(
            "SELECT key, min(until - ?, ?) FROM closed WHERE key BETWEEN ? AND ? AND until > ?",
            (now, int(_LONGEST_CLOSURE * 1000), *between, now),
        )
        lanes = self._db.execute(
            "SELECT key, calls, milliseconds FROM lanes "
            "JOIN (SELECT name FROM sqlite_master WHERE type = 'table') USING (name) WHERE key BETWEEN ? AND ?",
            between,
        )
        counted = [(lane, self._counted(lane, now)) for lane in itertools.starmap(Lane, lanes.fetchall())]
        return usage_by_key(counted, dict(closed.fetchall()), now)

    def _counted(self, lane: Lane, now: int) -> list[Counted]:
        return self._db.execute(
            f"SELECT min(item_timestamp, ?), name FROM {_table_of(lane)} "  # noqa: S608 -- a digest
            "WHERE item_timestamp >= ? ORDER BY item_timestamp",
            (now, now - lane.milliseconds),
        ).fetchall()

    def _closed_for(self, lanes: Sequence[Lane], now: int) -> list[int]:
        marks = ",".join("?" * len(lanes))
        rows = self._db.execute(f"SELECT key, until FROM closed WHERE key IN ({marks})", [lane.key for lane in lanes])  # noqa: S608 -- question marks
        until = dict(rows.fetchall())
        return [min(until.get(lane.key, now) - now, int(_LONGEST_CLOSURE * 1000)) for lane in lanes]

    def _bucket(self, lane: Lane, now: int) -> SQLiteBucket:
        table, opened = _table_of(lane), self._opened.get(lane)
        if opened is None or not 0 <= now - opened.since < _OPENED_FOR:
            opened = self._opened[lane] = self._open(lane, now)
        self._db.execute(
            f"UPDATE {table} SET item_timestamp = ? WHERE item_timestamp > ?",  # noqa: S608 -- a digest
            (now, now),
        )
        if not 0 <= now - opened.swept < max(_SWEPT_EVERY, lane.milliseconds):
            opened.bucket.leak(now)
            opened.swept = now
        return opened.bucket

    def _open(self, lane: Lane, now: int) -> "_Opened":
        """See to it that the lane has its table, and that it is written down whose calls stand there."""
        if len(self._opened) >= _IDLE_LANES_KEPT:
            self._opened.clear()
        table = _table_of(lane)
        self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} (name VARCHAR, item_timestamp INTEGER)")
        self._db.execute(f"CREATE INDEX IF NOT EXISTS {table}_time ON {table} (item_timestamp)")
        self._db.execute(
            "INSERT INTO lanes VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET calls = excluded.calls",
            (table, lane.key, lane.calls, lane.milliseconds),
        )
        return _Opened(SQLiteBucket([_rate(lane)], self._bucket_connection, table), since=now)

    def _drop_idle(self, now: int) -> None:
        """Drop lanes that nothing has used for longer than the longest window.

        One without a call is left when it has a name: whoever has just opened it may be waiting for room elsewhere.
        """
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'lane_*' AND type = 'table'")
        named = dict(self._db.execute("SELECT name, key FROM lanes").fetchall())
        for (table,) in tables.fetchall():
            newest = self._db.execute(f"SELECT max(item_timestamp) FROM {table}").fetchone()[0]  # noqa: S608 -- ours
            if table not in named if newest is None else newest < now - 2 * _LONGEST_CLOSURE * 1000:
                self._db.execute(f"DROP TABLE {table}")
        self._db.execute("DELETE FROM lanes WHERE name NOT IN (SELECT name FROM sqlite_master WHERE type = 'table')")
        self._db.execute("DELETE FROM closed WHERE until < ?", (now,))

    def _unusable(self, error: sqlite3.Error | OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The quotas that processes share cannot be kept in {self._path.name}: {error}.",
            next_step="Check that the file and its folder can be written, or remove the file.",
        )


@lru_cache(maxsize=_IDLE_LANES_KEPT)
def _table_of(lane: Lane) -> str:
    digest = hashlib.blake2b(f"{lane.key}\n{lane.milliseconds}".encode(), digest_size=12).hexdigest()
    return f"lane_{digest}"


def _rate(lane: Lane) -> Rate:
    return Rate(lane.calls or 1, lane.milliseconds)


def _put(bucket: InMemoryBucket | SQLiteBucket, lane: Lane, now: int, caller: Lane) -> float:
    """Count one call now and return 0, or count nothing and return the seconds until there is room."""
    item = RateItem("" if lane is caller else caller.key, now)
    if bucket.put(item):
        return 0.0
    waiting = bucket.waiting(item)
    return (waiting if isinstance(waiting, int) and waiting > 0 else lane.milliseconds) / 1000
