"""What a run is: one piece of work on one instance, and what is known of it."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["DELIVERED", "EventKind", "Run", "RunEvent", "RunFile", "RunKind", "RunState", "StartedBy"]


class RunState(StrEnum):
    """The platform's states, and `interrupted` for the runs of a host that was killed."""

    STARTED = "started"
    SUCCESS = "success"
    FAILURE = "failure"
    STOPPED = "stopped"
    PARTIAL_SUCCESS = "partial success"
    INTERRUPTED = "interrupted"

    @property
    def can_resume(self) -> bool:
        """Whether the same run can go on."""
        return self not in (RunState.STARTED, RunState.SUCCESS)


DELIVERED = (RunState.SUCCESS, RunState.PARTIAL_SUCCESS)
"""The states of runs whose files count as handed over."""


class RunKind(StrEnum):
    """What a run does."""

    STREAM = "stream"
    OPERATION = "operation"


class StartedBy(StrEnum):
    """Who began a run."""

    PERSON = "person"
    PROGRAM = "program"
    SCHEDULE = "schedule"


class EventKind(StrEnum):
    """What an event of a run tells."""

    STATE = "state"
    PROGRESS = "progress"
    LOG = "log"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that a run has left in its folder. `records` is None where it has none."""

    name: str
    size: int
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times are aware and in UTC.

    `what` is the name of a stream or the id of an operation. `counts` has whole numbers such as read, written, dead,
    duplicate and requests. `message` and `next_step` tell how it ended, without secrets; `request_id` is that of the
    request that failed. `checkpoint` is where the work can go on, empty when it cannot.

    `reach` tells what a stream's run reads: `mode`; `after`, the id of the run that it goes on from; `since` and
    `until`, the times that it is limited to; `read_up_to`, from where the next run goes on; `complete`, whether it has
    come to its end. Times are RFC 3339 or null; what is not known yet is absent.
    """

    id: str
    instance_id: str
    instance: str
    connector: str
    kind: RunKind
    what: str
    parameters: Mapping[str, Any]
    started_by: StartedBy
    schedule_id: str | None
    state: RunState
    attempt: int
    counts: Mapping[str, int]
    message: str
    next_step: str
    request_id: str
    checkpoint: str
    files: Sequence[RunFile]
    stop_requested: bool
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    reach: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run; numbers count from 1 without gaps, and retention may take the oldest away.

    `data` is, by kind: `state` {state, message}, `progress` counts with page and pages, `log` {level, message,
    operation, request_id, attempt}, `sample` {name, text}.
    """

    run_id: str
    number: int
    at: datetime.datetime
    kind: EventKind
    data: Mapping[str, Any] = field(repr=False)
