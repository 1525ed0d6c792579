"""Runs: work on instances that is watched, stopped, resumed and remembered, and schedules that begin it."""

from .parameters import OPERATION_PARAMETERS, STREAM_PARAMETERS, check_work
from .retention import RETENTION_SCHEMA, Retention, RetentionStore
from .run import EventKind, Run, RunEvent, RunFile, RunKind, RunState, StartedBy
from .runner import Runner
from .scheduler import Scheduler
from .schedules import SCHEDULE_TIMES, Schedule, ScheduleStore
from .store import RunStore

__all__ = [
    "OPERATION_PARAMETERS",
    "RETENTION_SCHEMA",
    "SCHEDULE_TIMES",
    "STREAM_PARAMETERS",
    "EventKind",
    "Retention",
    "RetentionStore",
    "Run",
    "RunEvent",
    "RunFile",
    "RunKind",
    "RunState",
    "RunStore",
    "Runner",
    "Schedule",
    "ScheduleStore",
    "Scheduler",
    "StartedBy",
    "check_work",
]
