"""What a push tells: one result for each record, counts that add up, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector_host.contract.errors import ConnectorHostError, Problem

from .report import RunEnd

__all__ = ["PushCounts", "PushReport", "RecordOutcome", "RecordResult"]


class RecordOutcome(StrEnum):
    """What became of one record."""

    WRITTEN = "written"
    """The vendor has it."""
    REJECTED = "rejected"
    """A schema or the vendor refuses it, and nothing was changed."""
    UNKNOWN = "unknown"
    """It was sent, and whether it was done is not known: look before you send it again."""
    SKIPPED = "skipped"
    """It was not sent, because something stopped the push before."""
    CHECKED = "checked"
    """It is valid, and a dry run sends nothing."""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of one record. `record` is its number in what was given, from 1.

    `answer` is the decoded answer where it is short, or what the connector's code returned; `request_id` is that of the
    last request. `problems` are those of a record that a schema refuses.
    """

    record: int
    outcome: RecordOutcome
    message: str = ""
    next_step: str = ""
    request_id: str = ""
    answer: Any = None
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, without what is empty."""
        told = [
            {
                "where": each.where,
                "rule": each.rule,
                "sentence": each.sentence,
                **({"fix": each.fix} if each.fix else {}),
            }
            for each in self.problems
        ]
        facts = {
            "message": self.message,
            "problems": told,
            "next_step": self.next_step,
            "request_id": self.request_id,
            "answer": self.answer,
        }
        shown = {name: value for name, value in facts.items() if value not in ("", None, [])}
        return {"record": self.record, "outcome": self.outcome.value, **shown}


@dataclass(slots=True)
class PushCounts:
    """Records of one push: `read` is always the sum of all others.

    `earlier` ones have their result from the push that this one goes on with.
    """

    read: int = 0
    written: int = 0
    rejected: int = 0
    unknown: int = 0
    skipped: int = 0
    checked: int = 0
    earlier: int = 0

    def add(self, outcome: RecordOutcome) -> None:
        """Count one record."""
        self.read += 1
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class PushReport:
    """How a push ended. `error` is what stopped it, None where nothing did; `results` are kept by `push` alone.

    `invalid` counts those of the rejected records that were refused before anything was sent. `requests` and `seconds`
    are of this process.
    """

    action: str
    state: RunEnd
    counts: PushCounts
    requests: int
    seconds: float
    invalid: int = 0
    dry_run: bool = False
    error: ConnectorHostError | None = None
    results: Sequence[RecordResult] = ()

    @property
    def written(self) -> int:
        """Records that the vendor has."""
        return self.counts.written

    @property
    def rejected(self) -> int:
        """Records that a schema or the vendor refuses."""
        return self.counts.rejected

    @property
    def unknown(self) -> int:
        """Records that were sent, and may have been written."""
        return self.counts.unknown

    @property
    def skipped(self) -> int:
        """Records that were not sent."""
        return self.counts.skipped
