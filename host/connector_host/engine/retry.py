"""What to do after a request: take the answer, try again after a pause, or give up with an error. Pure functions.

Reads may be tried again. Writes only where it is known that nothing was done: nothing was sent, or the vendor refused
for its quota. Everything else about a write whose answer is missing is OutcomeUnknown.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import (
    AnswerUnreadable,
    ConnectorHostError,
    CredentialsRejected,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    SessionLost,
    VendorFault,
    VendorRefused,
    VendorUnreachable,
)

__all__ = ["Decision", "Done", "Happened", "Raise", "Retry", "RetryLimits", "Transport", "decide"]


class Transport(StrEnum):
    """What happened where no complete answer came."""

    NOT_SENT = "not sent"
    SIGN_IN_FAILED = "sign-in failed"
    TIMED_OUT = "timed out"
    RESET = "connection lost"
    CUT_OFF = "answer cut off"


Happened = MeaningKind | Transport


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How often and how long a call is tried; times in seconds (decided)."""

    attempts: int = 4
    total: float = 300.0
    """From the call to its end, waiting for the quota included."""
    first_pause: float = 1.0
    longest_pause: float = 30.0


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is to be given to the caller."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The same request is made again after so many seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class Raise:
    """The call ends with this error; `retry_after` is when another try may work, None when unknown."""

    error: type[ConnectorHostError]
    retry_after: float | None = None


Decision = Done | Retry | Raise

_DONE = frozenset({MeaningKind.SUCCESS, MeaningKind.END_OF_LIST})
_FINAL: dict[Happened, type[ConnectorHostError]] = {
    MeaningKind.SESSION_DEAD: SessionLost,
    MeaningKind.CREDENTIALS_REJECTED: CredentialsRejected,
    MeaningKind.PERMISSION_MISSING: PermissionMissing,
    MeaningKind.NOT_FOUND: VendorRefused,
    MeaningKind.REFUSED: VendorRefused,
    MeaningKind.UNREADABLE: AnswerUnreadable,
}
_AFTER_LAST_TRY: dict[Happened, type[ConnectorHostError]] = {
    MeaningKind.QUOTA: QuotaExhausted,
    MeaningKind.VENDOR_FAULT: VendorFault,
    Transport.NOT_SENT: VendorUnreachable,
    Transport.SIGN_IN_FAILED: VendorFault,
    Transport.TIMED_OUT: VendorUnreachable,
    Transport.RESET: VendorUnreachable,
    Transport.CUT_OFF: VendorFault,
}
_NOTHING_DONE = frozenset({MeaningKind.QUOTA, Transport.NOT_SENT, Transport.SIGN_IN_FAILED})
_USUAL_WINDOW = 60.0


def decide(
    kind: Literal["read", "write"],
    happened: Happened,
    *,
    attempt: int,
    elapsed: float,
    limits: RetryLimits,
    jitter: float,
    retry_after: float | None = None,
    quota_window: float | None = None,
) -> Decision:
    """Return what to do after attempt number `attempt` (the first is 1).

    `elapsed` are the seconds since the call began, `jitter` a number from 0 to 1, `retry_after` the vendor's wish in
    seconds, which is never cut short, and `quota_window` the window of the operation's quota, waited for after a
    quota answer that says no time.
    """
    if happened in _DONE:
        return Done()
    if (final := _FINAL.get(happened)) is not None:
        return Raise(final)
    if kind == "write" and happened not in _NOTHING_DONE:
        return Raise(OutcomeUnknown, retry_after)
    wish = retry_after
    if wish is None and happened is MeaningKind.QUOTA:
        wish = quota_window or _USUAL_WINDOW
    giving_up = _AFTER_LAST_TRY[happened]
    if attempt >= limits.attempts:
        return Raise(giving_up, wish)
    pause = max(wish or 0.0, jitter * min(limits.longest_pause, limits.first_pause * 2 ** (attempt - 1)))
    if elapsed + pause > limits.total:
        return Raise(QuotaExhausted if wish is not None else giving_up, wish)
    return Retry(pause)
