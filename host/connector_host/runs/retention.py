"""How long runs are remembered: their logs, the samples of what they read, and their files."""

import datetime
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import InputInvalid
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.instances import Database, Home
from connector_host.instances.tables import instances, options, run_events, runs

from .run import DELIVERED, EventKind, RunState
from .states import StreamStates
from .store import RunStore

__all__ = ["RETENTION_SCHEMA", "Retention", "RetentionStore", "Swept"]

_OPTION = "retention"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long what is kept; the platform's figures by default. Files of runs go with their logs."""

    log_days: int = 30
    sample_hours: int = 72


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has taken away."""

    events: int
    samples: int
    folders: int


RETENTION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "log_days": {
            "description": "Days that logs and files of runs are kept.",
            "type": "integer",
            "minimum": 1,
            "maximum": 3660,
        },
        "sample_hours": {
            "description": "Hours that samples of records are kept; 0 keeps none.",
            "type": "integer",
            "minimum": 0,
            "maximum": 87_840,
        },
    },
    "additionalProperties": False,
}


class RetentionStore:
    """The retention of one database, and the sweeping that it asks for in the folders of a home."""

    def __init__(self, database: Database, home: Home, *, clock: Clock | None = None) -> None:
        self._database = database
        self._folder = home.runs
        self._states = StreamStates(home.states, home.runs, RunStore(database, clock=clock))
        self._clock = clock or SystemClock()

    def get(self) -> Retention:
        """Return what is set, or the defaults."""
        with self._database.read() as connection:
            kept = connection.execute(select(options.c.value).where(options.c.name == _OPTION)).scalar_one_or_none()
        return Retention(**(kept or {}))

    def set(self, changes: Mapping[str, Any]) -> Retention:
        """Change what is given. Raises InputInvalid."""
        if problems := problems_of(validator_for(RETENTION_SCHEMA), dict(changes), at="retention"):
            raise InputInvalid("The retention cannot be set so.", problems=problems)
        with self._database.exclusive() as connection:
            row = connection.execute(select(options.c.value).where(options.c.name == _OPTION)).scalar_one_or_none()
            value = asdict(Retention(**{**(row or {}), **changes}))
            if row is None:
                connection.execute(insert(options).values(name=_OPTION, value=value))
            else:
                connection.execute(update(options).where(options.c.name == _OPTION).values(value=value))
        return Retention(**value)

    def sweep(self) -> Swept:
        """Take away what is older than the retention; runs under way keep everything but old samples.

        The runs themselves stay, with their counts and how they ended. What a run that was broken off has read stays
        until the next run has taken it over. States of instances that are no more go too.
        """
        retention = self.get()
        now = datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC)
        log_end = now - datetime.timedelta(days=retention.log_days)
        sample_end = now - datetime.timedelta(hours=retention.sample_hours)
        ended = select(runs.c.id, runs.c.state).where(
            runs.c.state != RunState.STARTED.value, runs.c.finished_at < log_end
        )
        needed = self._states.owners()
        with self._database.write() as connection:
            samples = connection.execute(
                delete(run_events).where(run_events.c.kind == EventKind.SAMPLE.value, run_events.c.at <= sample_end)
            ).rowcount
            old = [row.id for row in connection.execute(ended) if row.state in DELIVERED or row.id not in needed]
            events = 0
            for start in range(0, len(old), _AT_ONCE):
                some = old[start : start + _AT_ONCE]
                events += connection.execute(delete(run_events).where(run_events.c.run_id.in_(some))).rowcount
                connection.execute(update(runs).where(runs.c.id.in_(some)).values(files=[]))
        self._forget_states()
        return Swept(events, samples, sum(self._remove(run_id) for run_id in old))

    def _forget_states(self) -> None:
        """Remove states of instances that another machine has removed."""
        found = self._states.instance_ids()
        with self._database.read() as connection:
            known = set(connection.execute(select(instances.c.id)).scalars()) if found else set()
        for instance_id in found - known:
            self._states.forget(instance_id)

    def _remove(self, run_id: str) -> bool:
        folder = self._folder / run_id
        if not folder.is_dir():
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True
