"""Begins runs when they are due, and keeps house, while the embedded host is up."""

import datetime
import logging
from collections.abc import Callable
from typing import Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connector_host.contract.errors import ConnectorHostError

from .retention import RetentionStore
from .run import StartedBy
from .runner import Runner
from .schedules import Schedule, ScheduleStore
from .threads import in_thread

__all__ = ["Scheduler"]

_log = logging.getLogger("connector_host.runs")

_LOOK_SECONDS = 15
_SWEEP_MINUTES = 60
_LATEST_SECONDS = 3600
_PREFIX = "schedule:"


class Scheduler:
    """The schedules of a runner's database, for `async with` inside the runner's own.

    What other processes add, change and remove is seen within seconds. A run that is still under way when the next is
    due is not overtaken: that time is left out. Times that were missed are not made up for one by one: one run follows.
    """

    def __init__(self, runner: Runner, schedules: ScheduleStore, retention: RetentionStore) -> None:
        self._runner = runner
        self._schedules = schedules
        self._retention = retention
        self._jobs = AsyncIOScheduler(
            timezone=datetime.UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": _LATEST_SECONDS},
        )

    async def __aenter__(self) -> Self:
        await self.look()
        self._jobs.add_job(self.look, IntervalTrigger(seconds=_LOOK_SECONDS), id="look")
        self._jobs.add_job(self.keep_house, IntervalTrigger(minutes=_SWEEP_MINUTES), id="keep house")
        self._jobs.add_job(self.mark, IntervalTrigger(seconds=_LOOK_SECONDS), id="mark")
        self._jobs.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._jobs.shutdown(wait=False)

    @property
    def planned(self) -> dict[str, datetime.datetime]:
        """When the next run of each schedule begins, by the schedule's id."""
        return {
            job.id.removeprefix(_PREFIX): job.trigger.run_date
            for job in self._jobs.get_jobs()
            if job.id.startswith(_PREFIX)
        }

    async def look(self) -> None:
        """Plan what the database says now."""
        try:
            found = await in_thread(self._schedules.list)
        except ConnectorHostError as error:
            _log.warning("The schedules could not be read: %s", error.message)
            return
        due = {_PREFIX + each.id: each for each in found if each.enabled and each.due_at is not None}
        for job in self._jobs.get_jobs():
            if job.id.startswith(_PREFIX) and job.id not in due:
                self._jobs.remove_job(job.id)
        for job_id, schedule in due.items():
            self._plan(job_id, schedule)

    async def fire(self, schedule_id: str) -> None:
        """Begin the run of a schedule if it is due and no other host has begun it."""
        schedule = await in_thread(self._schedules.claim, schedule_id)
        if schedule is not None:
            await self._begin(schedule)
        await self.look()

    async def keep_house(self) -> None:
        """Take away what is older than the retention."""
        await self._quietly(self._retention.sweep)

    async def mark(self) -> None:
        """Mark the runs of hosts that have died since."""
        await self._quietly(self._runner.mark_interrupted)

    def _plan(self, job_id: str, schedule: Schedule) -> None:
        known = self._jobs.get_job(job_id)
        if known is None or known.trigger.run_date != schedule.due_at:
            trigger = DateTrigger(schedule.due_at, timezone=datetime.UTC)
            self._jobs.add_job(
                self.fire, trigger, args=(schedule.id,), id=job_id, replace_existing=True, misfire_grace_time=None
            )

    async def _begin(self, schedule: Schedule) -> None:
        try:
            await self._runner.start(
                schedule.instance,
                schedule.kind,
                schedule.what,
                schedule.parameters,
                started_by=StartedBy.SCHEDULE,
                schedule_id=schedule.id,
            )
        except ConnectorHostError as error:
            _log.warning('The schedule of %s on "%s" was left out: %s', schedule.what, schedule.instance, error.message)

    async def _quietly(self, work: Callable[[], object]) -> None:
        try:
            await in_thread(work)
        except ConnectorHostError as error:
            _log.warning("Keeping house failed: %s", error.message)
