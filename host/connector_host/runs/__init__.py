"""Runs: work on instances that is watched, stopped, resumed and remembered, and schedules that begin it."""

from .parameters import OPERATION_PARAMETERS, STREAM_PARAMETERS, check_work, modes_of
from .retention import RETENTION_SCHEMA, Retention, RetentionStore
from .run import EventKind, Run, RunEvent, RunFile, RunKind, RunState, StartedBy
from .runner import Runner
from .scheduler import Scheduler
from .schedules import SCHEDULE_TIMES, Schedule, ScheduleStore, check_times
from .states import StreamState, StreamStates
from .store import RunStore
from .wording import MODE_WORDS, parameters_in_words, reach_in_words

__all__ = [
    "MODE_WORDS",
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
    "StreamState",
    "StreamStates",
    "check_times",
    "check_work",
    "modes_of",
    "parameters_in_words",
    "reach_in_words",
]
