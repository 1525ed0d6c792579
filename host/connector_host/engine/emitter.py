"""Sorts the records of a run: new, changed, known, unwanted or bad; and hands the sink what is to be written."""

from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec
import xxhash

from .blocks import Block, Dead, Record
from .dead_letters import DeadLetters
from .keys import KeyStore, Known
from .report import Counts
from .selection import Selection
from .shape import Shape
from .sinks.base import Sink
from .splice import spliced
from .transform import Transform

__all__ = ["CHANGE", "Emitter"]

CHANGE = "_change"
"""Field that says what happened to a record: created, updated or removed."""

_CREATED, _UPDATED = (b'{"_change":"created"', b'{"_change":"updated"')
_SIGN, _RANGE = 2**63, 2**64


class Emitter:
    """Writes the records of one run; `remembers` tells whether their keys are kept.

    `cut` tells whether the last block had more records than there was room for.

    With `marks`, records say what happened to them. A known record with the same content is not written again; with
    `per_run` one that has come in the same run is not, whatever its content, and earlier runs do not count.
    """

    def __init__(
        self,
        sink: Sink,
        dead_letters: DeadLetters,
        keys: KeyStore,
        *,
        remembers: bool,
        run: int,
        primary_key: Sequence[str],
        selection: Selection,
        transform: Transform | None,
        marks: bool,
        per_run: bool,
        counts: Counts,
    ) -> None:
        self.counts = counts
        self.cut = False
        self._sink = sink
        self._dead_letters = dead_letters
        self._keys = keys
        self._remembers = remembers
        self._run = run
        self._shape = Shape(primary_key, selection.paths)
        self._selection = selection
        self._transform = transform
        self._marks = marks
        self._per_run = per_run

    def take(self, block: Block, most: float = float("inf")) -> int:
        """Write what is new in a block, at most so many records; return the bytes written."""
        for dead in block.dead:
            self._bury(dead)
        self.counts.read += block.duplicates
        self.counts.duplicates += block.duplicates
        self.cut = False
        records, keys = self._good(block.records)
        asked = set(block.ids)
        if self._remembers:
            records = self._fresh(records, keys, most, asked) if records else records
            asked.difference_update(keys)
        elif len(records) > most:
            self.cut = True
            self.counts.read -= len(records) - int(most)
            records = records[: int(most)]
        if asked and not self.cut:
            self._keys.put_ids(asked, self._run)
        return self._write(records) if records else 0

    def remove(self, keys: Sequence[bytes]) -> int:
        """Write that records are no longer there, and forget them; return the bytes written."""
        self._keys.remove(keys)
        self.counts.removed += len(keys)
        return self._sink.write([self._removed(key) for key in keys])

    def keep(self, records: Iterable[Record]) -> set[bytes]:
        """Return the keys of records that were looked up and are there."""
        return {key for record in records if (key := self._shape.facts([record])[0].key)}

    def _good(self, records: Sequence[Record]) -> tuple[Sequence[Record], list[bytes]]:
        """Return the records that have a key and are wanted, with their keys; count and bury the others."""
        self.counts.read += len(records)
        if not self._selection.matches and (keys := self._shape.keys(records)) is not None:
            return records, keys
        good: list[Record] = []
        found: list[bytes] = []
        for record, facts in zip(records, self._shape.facts(records), strict=True):
            if facts.flaw:
                self.counts.read -= 1
                self._bury(Dead(f"This is no record: {facts.flaw}.", record=bytes(record)))
            elif not self._selection.lets(facts.fields):
                self.counts.filtered += 1
            else:
                good.append(record)
                found.append(facts.key)
        return good, found

    def _fresh(
        self, records: Sequence[Record], keys: list[bytes], most: float, asked: Container[bytes]
    ) -> Sequence[Record]:
        """Return the records to be written and remember them; `asked` has the ids that were asked for."""
        store = self._keys
        hashes = [digest - _RANGE if digest >= _SIGN else digest for digest in map(xxhash.xxh3_64_intdigest, records)]
        known = store.known(keys)
        run = self._run
        if not known and len(records) <= most and len(set(keys)) == len(keys):
            runs = [run if key in asked else 0 for key in keys]
            store.add(list(zip(keys, hashes, runs, strict=True)), run)
            return [spliced(_CREATED, record) for record in records] if self._marks else records
        fresh: list[Record] = []
        rows: list[tuple[bytes, int, int]] = []
        for record, key, digest in zip(records, keys, hashes, strict=True):
            before = known.get(key)
            if before is None or not self._repeats(before, digest):
                if len(fresh) >= most:
                    self.cut = True
                    self.counts.read -= 1
                    continue
                fresh.append(self._marked(record, new=before is None))
            rows.append((key, digest, run if key in asked else 0))
            known[key] = (digest, run)
        # Where not all of the block is taken, its ids are to be asked for again.
        store.put([(key, digest, 0) for key, digest, _ in rows] if self.cut else rows, run)
        return fresh

    def _repeats(self, before: Known, digest: int) -> bool:
        """Tell whether a known record is not to be written again, and count it."""
        if before[1] == self._run and (self._per_run or before[0] == digest):
            self.counts.duplicates += 1
            return True
        if self._per_run or before[0] != digest:
            return False
        if self._marks:
            self.counts.unchanged += 1
        else:
            self.counts.duplicates += 1
        return True

    def _marked(self, record: Record, *, new: bool) -> Record:
        return spliced(_CREATED if new else _UPDATED, record) if self._marks else record

    def _write(self, records: Sequence[Record]) -> int:
        self.counts.written += len(records)
        if self._transform is not None:
            records = [self._transform(record) for record in records]
        return self._sink.write(records)

    def _bury(self, dead: Dead) -> None:
        number = len(dead.ids) if dead.ids is not None else 1
        self.counts.read += number
        self.counts.dead += number
        self._dead_letters.put(dead.reason, record=dead.record, ids=dead.ids)

    def _removed(self, key: bytes) -> bytes:
        values = msgspec.json.decode(b"[" + key + b"]", type=list[msgspec.Raw])
        record: dict[str, Any] = {CHANGE: "removed"}
        for path, value in zip(self._shape.primary_key, values, strict=True):
            *steps, last = path.split(".")
            level = record
            for step in steps:
                level = level.setdefault(step, {})
            level[last] = value
        return msgspec.json.encode(record)
