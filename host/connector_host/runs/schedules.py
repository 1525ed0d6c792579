"""Schedules: work that begins by itself, every so many minutes or by a cron expression."""

import datetime
import uuid
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Row, delete, insert, select, update

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import InputInvalid, Problem, UnknownName
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.instances import Database, Instance
from connector_host.instances.tables import instances, schedules

from .run import RunKind

__all__ = ["SCHEDULE_TIMES", "Schedule", "ScheduleStore", "check_times"]

_CRON_WORDS = "Write five fields: minute, hour, day of the month, month, day of the week, such as 30 6 * * mon-fri."

SCHEDULE_TIMES: dict[str, Any] = {
    "every_minutes": {
        "description": "Minutes between the beginnings of two runs.",
        "type": "integer",
        "minimum": 1,
        "maximum": 527_040,
    },
    "cron": {
        "description": "Minute, hour, day of the month, month and day of the week, such as 30 6 * * mon-fri.",
        "type": "string",
        "minLength": 9,
        "maxLength": 128,
        "x-message": _CRON_WORDS,
    },
    "time_zone": {"description": "Zone of the cron expression.", "type": "string", "format": "time-zone"},
}
"""JSON Schemas of when a schedule begins its runs: either `every_minutes` or `cron`."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When work begins by itself. Exactly one of `every_minutes` and `cron` is set; `due_at` is the next time."""

    id: str
    instance_id: str
    instance: str
    kind: RunKind
    what: str
    parameters: Mapping[str, Any]
    every_minutes: int | None
    cron: str | None
    time_zone: str
    enabled: bool
    due_at: datetime.datetime | None
    created_at: datetime.datetime

    def next_after(self, moment: datetime.datetime) -> datetime.datetime | None:
        """Return the first time after a moment; None when there is none."""
        trigger = trigger_of(self.every_minutes, self.cron, self.time_zone, start=self.created_at)
        found = trigger.get_next_fire_time(None, moment + datetime.timedelta(microseconds=1))
        return None if found is None else found.astimezone(datetime.UTC)


class ScheduleStore:
    """The schedules of one database. Methods raise UnknownName for ids that are not there."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def add(
        self,
        instance: Instance,
        kind: RunKind,
        what: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        every_minutes: int | None = None,
        cron: str | None = None,
        time_zone: str | None = None,
    ) -> Schedule:
        """Keep a schedule; a cron expression is in the instance's zone unless another is named. Raises InputInvalid."""
        zone = time_zone or str(instance.settings.get("time_zone", "UTC"))
        given = {"every_minutes": every_minutes, "cron": cron, "time_zone": zone}
        check_times({key: value for key, value in given.items() if value is not None})
        made = Schedule(
            str(uuid.uuid4()),
            instance.id,
            instance.name,
            kind,
            what,
            dict(parameters or {}),
            every_minutes,
            cron,
            zone,
            True,
            None,
            self._now(),
        )
        row = {
            "id": made.id,
            "instance_id": instance.id,
            "kind": kind.value,
            "what": what,
            "parameters": made.parameters,
            "every_minutes": every_minutes,
            "cron": cron,
            "time_zone": zone,
            "enabled": True,
            "due_at": made.next_after(made.created_at),
            "created_at": made.created_at,
        }
        with self._database.write() as connection:
            connection.execute(insert(schedules).values(row))
        return self.get(made.id)

    def get(self, schedule_id: str) -> Schedule:
        """Return the schedule of that id."""
        with self._database.read() as connection:
            row = connection.execute(_schedules().where(schedules.c.id == schedule_id)).one_or_none()
        if row is None:
            raise UnknownName(
                f'There is no schedule "{schedule_id}".', next_step="List the schedules to see their ids."
            )
        return _schedule_of(row)

    def list(self, *, instance_id: str | None = None) -> tuple[Schedule, ...]:
        """Return the schedules, in the order in which they were made."""
        query = _schedules().order_by(schedules.c.created_at, schedules.c.id)
        if instance_id is not None:
            query = query.where(schedules.c.instance_id == instance_id)
        with self._database.read() as connection:
            return tuple(_schedule_of(row) for row in connection.execute(query))

    def set_enabled(self, schedule_id: str, enabled: bool) -> Schedule:
        """Let a schedule rest, or begin runs again from now on."""
        schedule = self.get(schedule_id)
        due_at = schedule.next_after(self._now()) if enabled else None
        with self._database.write() as connection:
            connection.execute(
                update(schedules).where(schedules.c.id == schedule_id).values(enabled=enabled, due_at=due_at)
            )
        return self.get(schedule_id)

    def remove(self, schedule_id: str) -> Schedule:
        """Remove a schedule and return what it was; its runs stay."""
        schedule = self.get(schedule_id)
        with self._database.write() as connection:
            connection.execute(delete(schedules).where(schedules.c.id == schedule_id))
        return schedule

    def claim(self, schedule_id: str) -> Schedule | None:
        """Take the run that is due now, for one of all hosts that share the database; None when there is none to take.

        However many times were missed, one run is taken, and the next is the first time after now.
        """
        try:
            schedule = self.get(schedule_id)
        except UnknownName:
            return None
        now = self._now()
        if not schedule.enabled or schedule.due_at is None or schedule.due_at > now:
            return None
        with self._database.write() as connection:
            taken = connection.execute(
                update(schedules)
                .where(schedules.c.id == schedule_id, schedules.c.due_at == schedule.due_at)
                .values(due_at=schedule.next_after(now))
            )
        return schedule if taken.rowcount == 1 else None

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC)


def trigger_of(
    every_minutes: int | None, cron: str | None, time_zone: str, *, start: datetime.datetime | None = None
) -> BaseTrigger:
    """Return APScheduler's trigger. Raises ValueError for a cron expression that is none."""
    zone = zoneinfo.ZoneInfo(time_zone)
    if cron is not None:
        return CronTrigger.from_crontab(cron, timezone=zone)
    return IntervalTrigger(minutes=every_minutes or 1, start_date=start, timezone=datetime.UTC)


def check_times(given: Mapping[str, Any]) -> None:
    """Raise InputInvalid, with every problem, for times of SCHEDULE_TIMES that a schedule cannot have."""
    schema = {"type": "object", "properties": SCHEDULE_TIMES, "additionalProperties": False}
    problems = problems_of(validator_for(schema), dict(given), at="schedule")
    if ("every_minutes" in given) == ("cron" in given):
        sentence = "A schedule has either every_minutes or cron."
        problems.append(Problem("schedule", "one-of", sentence, "Give one of the two."))
    if not problems and "cron" in given:
        try:
            trigger = trigger_of(None, given["cron"], given["time_zone"])
            never = trigger.get_next_fire_time(None, datetime.datetime.now(datetime.UTC)) is None
        except (ValueError, KeyError):
            never = False
            problems.append(Problem("schedule.cron", "cron", "This is no cron expression.", _CRON_WORDS))
        if never:
            problems.append(Problem("schedule.cron", "cron", "It never comes round.", "Correct day and month."))
    if problems:
        raise InputInvalid("The schedule is not valid.", problems=problems)


def _schedules() -> Any:
    return select(schedules, instances.c.name.label("instance")).join_from(schedules, instances)


def _schedule_of(row: Row[Any]) -> Schedule:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's documented way to a row as a mapping
    return Schedule(**{**values, "kind": RunKind(values["kind"])})
