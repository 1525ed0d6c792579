"""Counts of one connection, for progress, run logs and pages."""

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["ConnectionStats"]


@dataclass(slots=True)
class ConnectionStats:
    """What a connection has done so far. Times are in seconds, sizes in bytes after decompression."""

    requests: int = 0
    """Requests that left, repeats and sign-ins included."""
    sign_ins: int = 0
    retries: int = 0
    """Requests that were made again after a failure."""
    waited_for_quota: float = 0.0
    received: int = 0
    by_operation: Counter[str] = field(default_factory=Counter)
    """Requests by operation."""
    by_status: Counter[int] = field(default_factory=Counter)
    """Answers by HTTP status, sign-ins not included."""
    mismatches: Counter[str] = field(default_factory=Counter)
    """Differences between answers and the catalogue's schemas by operation, where somebody looked."""

    def count_request(self, operation: str, *, signing_in: bool) -> None:
        """Count a request that is about to leave."""
        self.requests += 1
        self.sign_ins += signing_in
        self.by_operation[operation] += 1

    def count_answer(self, status: int, size: int) -> None:
        """Count an answer whose body has been read."""
        self.by_status[status] += 1
        self.received += size
