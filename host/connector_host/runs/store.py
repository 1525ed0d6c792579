"""Runs and their events in the database: every process of every host sees the same."""

import datetime
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import ConfigurationError, UnknownName
from connector_host.contract.instance_names import name_key
from connector_host.instances import Database, Instance
from connector_host.instances.searching import stands_in
from connector_host.instances.tables import instances, run_events, runs

from .run import EventKind, Run, RunEvent, RunFile, RunKind, RunState, StartedBy
from .threads import in_thread

__all__ = ["NewEvent", "RunStore"]

NewEvent = tuple[EventKind, Mapping[str, Any]]
"""An event that is to be kept: its kind and its data."""

_POLL_SECONDS = 0.5
_PAGE = 500


class RunStore:
    """The runs of one database. Safe to use from any thread and from several processes at once."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def add(
        self,
        instance: Instance,
        kind: RunKind,
        what: str,
        parameters: Mapping[str, Any],
        *,
        run_id: str | None = None,
        started_by: StartedBy = StartedBy.PERSON,
        schedule_id: str | None = None,
    ) -> Run:
        """Keep a run that begins now. Raises UnknownName when the instance has just been removed."""
        new_id = run_id or str(uuid.uuid4())
        row: dict[str, Any] = {
            "id": new_id,
            "instance_id": instance.id,
            "kind": kind.value,
            "what": what,
            "parameters": dict(parameters),
            "started_by": started_by.value,
            "schedule_id": schedule_id,
            "state": RunState.STARTED.value,
            "attempt": 1,
            "counts": {},
            "message": "",
            "next_step": "",
            "request_id": "",
            "checkpoint": "",
            "files": [],
            "stop_requested": False,
            "started_at": self._now(),
            "finished_at": None,
            "reach": {},
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(runs).values(row))
                self._insert(connection, new_id, [(EventKind.STATE, {"state": "started", "message": ""})])
        except IntegrityError:
            raise UnknownName(f'There is no instance "{instance.name}".', next_step="It has been removed.") from None
        return self.get(new_id)

    def restart(self, run_id: str) -> Run:
        """Let a run that ended early go on. Raises UnknownName, and ConfigurationError when it cannot."""
        with self._database.write() as connection:
            run = self._one(connection, run_id, changing=True)
            if not run.state.can_resume:
                raise ConfigurationError(
                    f"The run is in the state {run.state.value}; there is nothing to resume.",
                    next_step="Run it again." if run.state is RunState.SUCCESS else "Wait for it, or stop it.",
                )
            changes = {"state": "started", "attempt": run.attempt + 1, "message": "", "next_step": ""}
            changes |= {"request_id": "", "stop_requested": False, "finished_at": None}
            connection.execute(update(runs).where(runs.c.id == run_id).values(changes))
            self._insert(connection, run_id, [(EventKind.STATE, {"state": "started", "message": "Resumed."})])
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """Return the run of that id. Raises UnknownName."""
        with self._database.read() as connection:
            return self._one(connection, run_id)

    def list(
        self,
        *,
        instance_id: str | None = None,
        state: RunState | None = None,
        what: str | None = None,
        search: str = "",
        offset: int = 0,
        limit: int | None = None,
    ) -> tuple[Run, ...]:
        """Return runs, the newest first.

        Each word of `search` stands in the name of the stream, the id of the operation or the instance's name,
        whatever the case.
        """
        query = _runs().where(_matching(instance_id, state, what, search))
        query = query.order_by(runs.c.started_at.desc(), runs.c.id)
        with self._database.read() as connection:
            return tuple(_run_of(row) for row in connection.execute(query.offset(offset).limit(limit)))

    def count(
        self,
        *,
        instance_id: str | None = None,
        state: RunState | None = None,
        what: str | None = None,
        search: str = "",
    ) -> int:
        """Return how many runs there are of those that `list` would give without offset and limit."""
        looked_at = runs.join(instances) if search else runs
        query = select(func.count()).select_from(looked_at).where(_matching(instance_id, state, what, search))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def latest(self, instance_ids: Sequence[str]) -> dict[str, Run]:
        """Return the newest run of each of these instances that has one."""
        newest = (
            select(runs.c.instance_id, func.max(runs.c.started_at).label("at"))
            .where(runs.c.instance_id.in_(instance_ids))
            .group_by(runs.c.instance_id)
            .subquery()
        )
        query = _runs().join(newest, and_(newest.c.instance_id == runs.c.instance_id, newest.c.at == runs.c.started_at))
        with self._database.read() as connection:
            return {row.instance_id: _run_of(row) for row in connection.execute(query)}

    def record(
        self,
        run_id: str,
        events: Sequence[NewEvent],
        counts: Mapping[str, int] | None = None,
        reach: Mapping[str, Any] | None = None,
    ) -> bool:
        """Keep what has happened since the last time, and tell whether the run is asked to stop."""
        changes = {name: dict(value) for name, value in (("counts", counts), ("reach", reach)) if value is not None}
        with self._database.write() as connection:
            self._insert(connection, run_id, events)
            if changes:
                connection.execute(update(runs).where(runs.c.id == run_id).values(changes))
            found = connection.execute(select(runs.c.stop_requested).where(runs.c.id == run_id)).scalar_one_or_none()
        return bool(found)

    def finish(
        self,
        run_id: str,
        state: RunState,
        *,
        message: str = "",
        next_step: str = "",
        request_id: str = "",
        counts: Mapping[str, int] | None = None,
        checkpoint: str | None = None,
        files: Sequence[RunFile] | None = None,
        reach: Mapping[str, Any] | None = None,
        events: Sequence[NewEvent] = (),
    ) -> Run:
        """Keep how a run ended; what is not given stays as it was."""
        changes: dict[str, Any] = {
            "state": state.value,
            "message": message,
            "next_step": next_step,
            "request_id": request_id,
            "finished_at": self._now(),
        }
        optional = {
            "counts": None if counts is None else dict(counts),
            "checkpoint": checkpoint,
            "files": None if files is None else [asdict(file) for file in files],
            "reach": None if reach is None else dict(reach),
        }
        changes |= {key: value for key, value in optional.items() if value is not None}
        ended: NewEvent = (EventKind.STATE, {"state": state.value, "message": message, "request_id": request_id})
        with self._database.write() as connection:
            self._one(connection, run_id, changing=True)
            connection.execute(update(runs).where(runs.c.id == run_id).values(changes))
            self._insert(connection, run_id, [*events, ended])
        return self.get(run_id)

    def mark_interrupted(
        self, run_id: str, *, message: str, next_step: str, files: Sequence[RunFile] | None = None
    ) -> bool:
        """Mark a run whose process has died; False when it has ended by itself meanwhile."""
        changes: dict[str, Any] = {
            "state": RunState.INTERRUPTED.value,
            "message": message,
            "next_step": next_step,
            **({} if files is None else {"files": [asdict(file) for file in files]}),
        }
        with self._database.write() as connection:
            marked = connection.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.state == RunState.STARTED.value)
                .values(**changes, finished_at=self._now())
            )
            if marked.rowcount == 0:
                return False
            event: NewEvent = (EventKind.STATE, {"state": RunState.INTERRUPTED.value, "message": message})
            self._insert(connection, run_id, [event])
        return True

    def request_stop(self, run_id: str) -> Run:
        """Ask the process that works on a run to stop it; nothing happens to one that has ended. Raises UnknownName."""
        with self._database.write() as connection:
            run = self._one(connection, run_id, changing=True)
            if run.state is RunState.STARTED:
                connection.execute(update(runs).where(runs.c.id == run_id).values(stop_requested=True))
        return self.get(run_id)

    def events(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = _PAGE,
        kinds: Sequence[EventKind] = (),
    ) -> tuple[RunEvent, ...]:
        """Return the events of a run with a number above `after`, in order. Raises UnknownName."""
        query = select(run_events).where(run_events.c.run_id == run_id, run_events.c.number > after)
        if kinds:
            query = query.where(run_events.c.kind.in_([kind.value for kind in kinds]))
        with self._database.read() as connection:
            self._one(connection, run_id)
            rows = connection.execute(query.order_by(run_events.c.number).limit(limit)).all()
        return tuple(RunEvent(row.run_id, row.number, row.at, EventKind(row.kind), row.data) for row in rows)

    async def follow(self, run_id: str, *, after: int = 0, kinds: Sequence[EventKind] = ()) -> AsyncIterator[RunEvent]:
        """Yield the events of a run as they happen, in whichever process, until it has ended. Raises UnknownName."""
        while True:
            state = (await in_thread(self.get, run_id)).state
            found = await in_thread(self.events, run_id, after=after, kinds=kinds)
            for event in found:
                after = event.number
                yield event
            if len(found) == _PAGE:
                continue
            if state is not RunState.STARTED:
                return
            await self._clock.sleep(_POLL_SECONDS)

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC)

    def _one(self, connection: Connection, run_id: str, *, changing: bool = False) -> Run:
        query = _runs().where(runs.c.id == run_id)
        row = connection.execute(query.with_for_update(of=runs) if changing else query).one_or_none()
        if row is None:
            raise UnknownName(f'There is no run "{run_id}".', next_step="List the runs to see their ids.")
        return _run_of(row)

    def _insert(self, connection: Connection, run_id: str, events: Sequence[NewEvent]) -> None:
        """Number the events on; a run has one writer at a time."""
        if not events:
            return
        last = connection.execute(
            select(func.coalesce(func.max(run_events.c.number), 0)).where(run_events.c.run_id == run_id)
        ).scalar_one()
        now = self._now()
        connection.execute(
            insert(run_events),
            [
                {"run_id": run_id, "number": last + offset, "at": now, "kind": kind.value, "data": dict(data)}
                for offset, (kind, data) in enumerate(events, 1)
            ],
        )


def _runs() -> Any:
    return select(runs, instances.c.name.label("instance"), instances.c.connector.label("connector")).join_from(
        runs, instances
    )


def _matching(instance_id: str | None, state: RunState | None, what: str | None, search: str) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if instance_id is not None:
        conditions.append(runs.c.instance_id == instance_id)
    if state is not None:
        conditions.append(runs.c.state == state.value)
    if what is not None:
        conditions.append(runs.c.what == what)
    conditions += [stands_in(word, func.lower(runs.c.what), instances.c.name_key) for word in name_key(search).split()]
    return and_(*conditions)


def _run_of(row: Row[Any]) -> Run:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's documented way to a row as a mapping
    values["kind"] = RunKind(values["kind"])
    values["state"] = RunState(values["state"])
    values["started_by"] = StartedBy(values["started_by"])
    values["files"] = tuple(RunFile(**file) for file in values["files"])
    values["reach"] = values["reach"] or {}
    return Run(**values)
