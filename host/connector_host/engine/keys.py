"""Which records are known: the hash of each by its key, on disk, so that a million of them cost little memory.

Every change belongs to the checkpoint that `commit` makes, together with a copy of the state that goes with it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from .files import make_file

__all__ = ["KeyStore", "Known"]

Known = tuple[int, int]
"""The hash of a record and the run in which it was last seen."""

_FORMAT = 2
_CACHE_KILOBYTES = 4_000
_AT_ONCE = 500
_ROWS_AT_ONCE = 300
"""Three variables for each and one more are within the 999 that every SQLite takes."""
_WAITED_SECONDS = 2.0
"""How long another process's checkpoint may take; one that is at work holds the store for as long as it runs."""
_RECORDS = """
CREATE TABLE IF NOT EXISTS records (
    key BLOB PRIMARY KEY, hash INTEGER NOT NULL, run INTEGER NOT NULL, asked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID
"""
_IDS = "CREATE TABLE IF NOT EXISTS ids (id BLOB PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID"
_CHECKPOINT = """
CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, state BLOB)
"""
_SCHEMA = (_RECORDS, _IDS, _CHECKPOINT)
_ASKED = (
    "SELECT id FROM ids WHERE run = ?1 AND id IN ({})",
    "SELECT key FROM records WHERE asked = ?1 AND key IN ({})",
)
_PUT = """
INSERT INTO records VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET hash = excluded.hash, run = excluded.run, asked = max(asked, excluded.asked)
"""
_FROM_FORMAT_1 = ("ALTER TABLE records ADD COLUMN asked INTEGER NOT NULL DEFAULT 0",)


class KeyStore:
    """The keys of one stream. `path` None keeps them for the length of the run only.

    An id that was asked for is noted beside the record whose key it is, and by itself where it is no record's key.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            make_file(path)
        self._db = sqlite3.connect(
            "" if path is None else path, timeout=_WAITED_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(kept=path is not None)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, *, kept: bool) -> None:
        self._db.execute(f"PRAGMA journal_mode={'WAL' if kept else 'OFF'}")
        self._db.execute(f"PRAGMA synchronous={'FULL' if kept else 'OFF'}")
        self._db.execute(f"PRAGMA cache_size=-{_CACHE_KILOBYTES}")
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _FORMAT:
            raise ValueError(f"it has format {version}, and this version knows {_FORMAT}")
        for statement in (*_SCHEMA, *(_FROM_FORMAT_1 if version == 1 else ()), f"PRAGMA user_version={_FORMAT}"):
            self._db.execute(statement)
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the store; what was not committed is forgotten."""
        self._db.rollback()
        self._db.close()

    def checkpoint(self) -> tuple[int, bytes] | None:
        """Return the number and the state of the last checkpoint, None before the first."""
        row = self._db.execute("SELECT sequence, state FROM checkpoint").fetchone()
        return None if row is None else (row[0], row[1])

    def commit(self, sequence: int, state: bytes) -> None:
        """Make everything since the last checkpoint safe, with the state that belongs to it."""
        self._db.execute("INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)", (sequence, state))
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def forget(self) -> None:
        """Remove every key."""
        self._db.execute("DELETE FROM records")
        self._db.execute("DELETE FROM ids")

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Known]:
        """Return hash and run of those keys that are known."""
        found: dict[bytes, Known] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(f"SELECT key, hash, run FROM records WHERE key IN ({marks})", some)  # noqa: S608 -- question marks
            found.update((row[0], (row[1], row[2])) for row in rows)
        return found

    def add(self, rows: Sequence[tuple[bytes, int, int]], run: int) -> None:
        """Note records that are not known yet, with many in one statement, as that takes half the time.

        `rows` have key and hash of each, and the run in which it was asked for by its key, 0 for none.
        """
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            values = ",".join(("(?2,?3,?1,?4)", *("(?,?,?1,?)",) * (len(some) - 1)))
            self._db.execute(f"INSERT OR IGNORE INTO records VALUES {values}", (run, *chain.from_iterable(some)))  # noqa: S608 -- question marks

    def put(self, rows: Iterable[tuple[bytes, int, int]], run: int) -> None:
        """Note records that may be known; see `add`. One that was asked for once stays so."""
        self._db.executemany(_PUT, ((key, digest, run, asked) for key, digest, asked in rows))

    def ids_of_run(self, ids: Sequence[bytes], run: int) -> set[bytes]:
        """Return those ids that were asked for in this run."""
        found: set[bytes] = set()
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            marks = ",".join(("?2", *"?" * (len(some) - 1)))
            for query in _ASKED:
                found.update(row[0] for row in self._db.execute(query.format(marks), (run, *some)))
        return found

    def put_ids(self, ids: Iterable[bytes], run: int) -> None:
        """Note ids that were asked for in this run and are no record's key."""
        self._db.executemany("INSERT OR REPLACE INTO ids VALUES (?, ?)", ((each, run) for each in ids))

    def count(self, run: int) -> int:
        """Return how many records were seen in a run."""
        return int(self._db.execute("SELECT count(*) FROM records WHERE run = ?", (run,)).fetchone()[0])

    def not_seen(self, run: int) -> Iterator[list[bytes]]:
        """Yield the keys that were last seen in an earlier run, some at a time; they may be removed on the way."""
        after = b""
        query = "SELECT key FROM records WHERE key > ? AND run < ? ORDER BY key LIMIT ?"
        while keys := [row[0] for row in self._db.execute(query, (after, run, _AT_ONCE))]:
            after = keys[-1]
            yield keys

    def remove(self, keys: Iterable[bytes]) -> None:
        """Forget keys."""
        self._db.executemany("DELETE FROM records WHERE key = ?", ((key,) for key in keys))

    def end_run(self) -> None:
        """Forget the ids of the run."""
        self._db.execute("DELETE FROM ids")
