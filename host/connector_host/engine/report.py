"""What a run tells: counts that add up, how it ended, and how far it is."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connector_host.contract.errors import ConnectorHostError

__all__ = ["Counts", "Estimate", "OperationEstimate", "Progress", "RunEnd", "SyncReport"]


class RunEnd(StrEnum):
    """How a run ended."""

    SUCCESS = "success"
    PARTIAL_SUCCESS = "partial success"
    FAILURE = "failure"
    STOPPED = "stopped"


@dataclass(slots=True)
class Counts:
    """Records of one run: `read` is always the sum of written, dead, duplicates, filtered and unchanged.

    `removed` records were not read: they are no longer there. `gone` ids were listed, and had vanished when asked for.
    """

    read: int = 0
    written: int = 0
    dead: int = 0
    duplicates: int = 0
    filtered: int = 0
    unchanged: int = 0
    removed: int = 0
    gone: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, values: Mapping[str, int]) -> "Counts":
        """Return counts that were saved; what is not known is left out."""
        return cls(**{name: value for name, value in values.items() if name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How a run ended. `requests` and `seconds` are of this process; `counts` are of the whole run.

    `checkpoint` is the number of the last one. `failures` are windows, lists and details that could not be read, each
    in one sentence; `error` is what stopped the run, None where nothing did. The run is `finished` when nothing of it
    is left for the next command to go on with, and `resumed` when it was itself gone on with. `since` and `until` are
    the times that it is limited to, both in UTC, None where it is not.
    """

    stream: str
    mode: str
    state: RunEnd
    counts: Counts
    requests: int
    seconds: float
    checkpoint: int
    place: str = ""
    finished: bool = True
    resumed: bool = False
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    error: ConnectorHostError | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None

    @property
    def read(self) -> int:
        """Records that were read."""
        return self.counts.read

    @property
    def written(self) -> int:
        """Records that were written."""
        return self.counts.written

    @property
    def dead(self) -> int:
        """Records that went to the dead letters."""
        return self.counts.dead

    @property
    def duplicates(self) -> int:
        """Records that came twice."""
        return self.counts.duplicates

    @property
    def filtered(self) -> int:
        """Records that the filters left out."""
        return self.counts.filtered


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `rate` is in records a second, `remaining` in seconds (None where it cannot be told).

    `quota` is the share of the busiest operation's quota that is in use, from 0 to 1, None where there is no quota.
    """

    stream: str
    read: int
    written: int
    requests: int
    seconds: float
    rate: float
    share: float | None = None
    remaining: float | None = None
    quota: float | None = None
    page: int = 0
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class OperationEstimate:
    """Requests of one operation, the vendor's limit for it, and the seconds that the limit alone makes of them."""

    operation: str
    requests: int
    calls: int | None
    per_seconds: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take.

    `exact` is False where the vendor does not tell how long a list is: then it is the least, or where it is `likely`
    about what it takes. `asked` counts the requests that were made to find out. `by_code` are the operations that the
    connector's own code may call: how often is not known beforehand, and not counted in. `per_minute` is how many
    records the vendor's limits let through, where it does not tell how many there are.
    """

    stream: str
    mode: str
    operations: tuple[OperationEstimate, ...]
    records: int | None
    seconds: float
    exact: bool
    asked: int
    by_code: tuple[OperationEstimate, ...] = ()
    per_minute: int | None = None
    likely: bool = False

    @property
    def requests(self) -> int:
        """Requests of all operations."""
        return sum(each.requests for each in self.operations)
