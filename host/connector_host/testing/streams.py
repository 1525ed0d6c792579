"""Checks of a connector's streams, each of which pulls from a sandbox and yields what is wrong, in sentences."""

import datetime
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from connector_host.contract.paths import get_path
from connector_host.contract.schemas import problems_of, schema_at, validator_for
from connector_host.contract.stream_models import Stream
from connector_host.engine import Connection
from connector_host.engine.checkpoints import Cadence
from connector_host.engine.preparation import is_incremental, limited_by
from connector_host.engine.sinks import JsonLinesSink
from connector_host.engine.state import FolderState, SyncState
from connector_host.engine.sync import Sync

__all__ = ["CHECKS", "Bench", "Check"]

_MOST_TOLD = 5
_MOST_RESTARTS = 4
_AHEAD = datetime.timedelta(days=2)


@dataclass
class Bench:
    """One stream of a connector that is connected to a sandbox.

    `connect` makes a new connection each time. `rare` names declared fields that the sandbox's records may lack, each
    with the reason.
    """

    stream: Stream
    schema: Mapping[str, Any]
    connect: Callable[[], AbstractAsyncContextManager[Connection]]
    rare: Mapping[str, str] = field(default_factory=dict)
    _records: list[dict[str, Any]] | None = None

    async def records(self) -> list[dict[str, Any]]:
        """Return every record, read once for all checks."""
        if self._records is None:
            self._records = await self.read()
        return self._records

    async def read(self, **limits: Any) -> list[dict[str, Any]]:
        """Read every record anew."""
        async with self.connect() as connection:
            return [record async for record in connection.pull(self.stream.name, **limits)]

    def key(self, record: Mapping[str, Any]) -> str:
        """Return a record's primary key as text."""
        return msgspec.json.encode([get_path(record, path) for path in self.stream.primary_key]).decode()


Check = Callable[[Bench], AsyncIterator[str]]


async def records_match_their_schema(bench: Bench) -> AsyncIterator[str]:
    """The schema is a JSON Schema, and every record satisfies it."""
    try:
        Draft202012Validator.check_schema(bench.schema)
    except SchemaError as error:
        yield f"{bench.stream.record_schema} is no JSON Schema: {error.message}."
        return
    validator = validator_for(bench.schema)
    found: Counter[str] = Counter()
    for record in await bench.records():
        found.update(f"{each.where}: {each.sentence}" for each in problems_of(validator, record, forgive_null=True))
    for sentence, number in found.most_common(_MOST_TOLD):
        yield f"{number} records do not match: {sentence}"


async def primary_keys_are_there_and_unique(bench: Bench) -> AsyncIterator[str]:
    """No part of a primary key is missing or null, the whole is not empty, and no two records have the same."""
    keys: Counter[str] = Counter()
    for record in await bench.records():
        values = {path: get_path(record, path) for path in bench.stream.primary_key}
        empty = all(value in (None, "") for value in values.values())
        missing = [path for path, value in values.items() if value is None or empty]
        if missing:
            yield f"A record has no {' and no '.join(missing)}."
            return
        keys[bench.key(record)] += 1
    for key, number in keys.most_common(_MOST_TOLD):
        if number > 1:
            yield f"{number} records have the primary key {key}."


async def cursors_are_declared_and_there(bench: Bench) -> AsyncIterator[str]:
    """The cursor is a field of the schema, and every record has it."""
    cursor = bench.stream.cursor
    if cursor is None:
        return
    if schema_at(bench.schema, cursor) is None:
        yield f"The cursor {cursor} is no field of {bench.stream.record_schema}."
    without = sum(get_path(record, cursor) in (None, "") for record in await bench.records())
    if without:
        yield f"{without} records have no {cursor}."


async def every_checkpoint_is_a_restart_point(bench: Bench) -> AsyncIterator[str]:
    """A pull that goes on from what any of its checkpoints has left ends with every record, each of them once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, kept = folder / "whole", folder / "kept"
        whole.mkdir()
        kept.mkdir()
        state = _Keeping(whole, kept, bench.stream.name)
        wanted = await _pulled(bench, whole, state)
        copies = sorted(kept.iterdir())
        step = max(1, len(copies) // _MOST_RESTARTS)
        for copy in copies[::step]:
            found = await _pulled(bench, copy, FolderState(copy / ".state", bench.stream.name))
            if found != wanted:
                lost, twice = wanted - found, found - wanted
                yield (
                    f"Going on from checkpoint {copy.name} loses {sum(lost.values())} records and writes "
                    f"{sum(twice.values())} that the whole pull did not."
                )


async def two_reads_are_equal(bench: Bench) -> AsyncIterator[str]:
    """Reading twice gives the same records with the same content."""
    first = {bench.key(record): record for record in await bench.records()}
    second = {bench.key(record): record for record in await bench.read()}
    for key in list(first.keys() ^ second.keys())[:_MOST_TOLD]:
        yield f"The record {key} came only {'the first' if key in first else 'the second'} time."
    for key in [key for key in first.keys() & second.keys() if first[key] != second[key]][:_MOST_TOLD]:
        yield f"The record {key} came with another content the second time."


async def the_future_is_empty(bench: Bench) -> AsyncIterator[str]:
    """A pull that is limited to a time that has not come yet gives nothing."""
    async with bench.connect() as connection:
        streams = connection.surroundings.streams
        limited = is_incremental(bench.stream, streams) and limited_by(bench.stream, streams) is bench.stream
        now = datetime.datetime.fromtimestamp(connection.clock.time(), datetime.UTC)
    times = [bench.stream.code.time] if bench.stream.code is not None else [each.time for each in bench.stream.lists]
    if not limited or None in times:
        return
    knows_until = all(time is not None and bool(time.until) for time in times)
    limits = {"since": now + _AHEAD, **({"until": now + 2 * _AHEAD} if knows_until else {})}
    found = await bench.read(**limits)
    if found:
        yield f"{len(found)} records come from a time that has not come yet."


async def declared_fields_are_seen(bench: Bench) -> AsyncIterator[str]:
    """Records come, and each field that is declared at their top is in one of them, apart from the known rare ones."""
    records = await bench.records()
    if not records:
        yield "The sandbox has no record, so that nothing is shown."
        return
    declared = bench.schema.get("properties", {})
    seen = {name for record in records for name in record}
    unseen = [name for name in declared if name not in seen and name not in bench.rare]
    if unseen:
        yield f"No record has {', '.join(unseen)}."
    common = [name for name in bench.rare if name in seen]
    if common:
        yield f"Said to be rare, but a record has it: {', '.join(common)}."


CHECKS: tuple[Check, ...] = (
    records_match_their_schema,
    primary_keys_are_there_and_unique,
    cursors_are_declared_and_there,
    every_checkpoint_is_a_restart_point,
    two_reads_are_equal,
    the_future_is_empty,
    declared_fields_are_seen,
)
"""Every check; its name and docstring say what it wants."""


class _Keeping(FolderState):
    """A state that keeps a copy of the whole folder at every checkpoint."""

    def __init__(self, folder: Path, kept: Path, stream: str) -> None:
        super().__init__(folder / ".state", stream)
        self._whole = folder
        self._kept = kept

    def save(self, state: SyncState) -> None:
        """Save, and copy what a crash at this moment would leave."""
        super().save(state)
        if state.run is not None:
            shutil.copytree(self._whole, self._kept / f"{state.sequence:05}")


async def _pulled(bench: Bench, folder: Path, state: FolderState) -> Counter[str]:
    """Pull with a checkpoint after every page; return how often each record's content stands in the file."""
    file = folder / f"{bench.stream.name}.jsonl"
    async with bench.connect() as connection:
        cadence = Cadence(records=1)
        await Sync(connection, bench.stream.name, sink=JsonLinesSink(file), state=state, cadence=cadence).run()
    return Counter(file.read_text("utf-8").splitlines())
