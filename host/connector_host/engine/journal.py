"""What is known of the call that is under way, for every request that is made on its behalf."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from connector_host.contract.errors import Attempt, CallFacts

__all__ = ["Journal", "current_journal", "keeping"]

_current: ContextVar["Journal | None"] = ContextVar("connector_host_call", default=None)


@dataclass(slots=True)
class Journal:
    """One call, from its first request to its end. `started` and `deadline` are in the clock's monotonic seconds.

    `in_doubt` is set while a request of the operation itself has left and is not known to have had no effect.
    """

    operation: str
    instance: str
    request_id: str
    started: float
    deadline: float
    in_doubt: bool = False
    waiting_for_quota: bool = False
    waited: float = 0.0
    status: int | None = None
    attempts: list[Attempt] = field(default_factory=list)

    def facts(self) -> CallFacts:
        """Return what an error of this call says about it."""
        return CallFacts(self.operation, self.instance, self.request_id, self.status, tuple(self.attempts))


def current_journal() -> Journal | None:
    """Return the journal of the call that this task is making; sign-ins on its behalf are part of it."""
    return _current.get()


@contextmanager
def keeping(journal: Journal) -> Iterator[None]:
    """Make it the current journal of this task."""
    token = _current.set(journal)
    try:
        yield
    finally:
        _current.reset(token)
