"""How one attempt ended: with an answer and its meaning, or with an error, sorted by what is known of its effect."""

from dataclasses import dataclass
from typing import Any

import httpx

from connector_host.contract.answers import Meaning, MeaningKind, RawAnswer
from connector_host.contract.errors import (
    ConnectorBroken,
    ConnectorHostError,
    InputInvalid,
    QuotaExhausted,
    TemporaryError,
)
from connector_host.contract.secrets import Redactor, hide_secrets

from .gate import NOTHING_SENT
from .journal import Journal
from .retry import Happened, Transport
from .wording import Words, next_step_of

__all__ = ["Ending", "Endings", "outcome_of"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended: an answer, what it means, or what came instead."""

    happened: Happened
    said: str = ""
    answer: RawAnswer | None = None
    meaning: Meaning | None = None
    retry_after: float | None = None
    error: ConnectorHostError | None = None
    seen: Any = None


class Endings:
    """Sorts the errors that stop attempts. `vendor` is how messages call the other side."""

    def __init__(self, vendor: str, redactor: Redactor) -> None:
        self._vendor = vendor
        self._redactor = redactor

    def of_error(self, error: Exception, journal: Journal) -> Ending:
        """Return how an attempt ended that an error stopped, in words without secrets."""
        match error:
            case ConnectorHostError():
                ending = self._refusal(error)
            case httpx.LocalProtocolError() | httpx.InvalidURL() | UnicodeEncodeError():
                ending = Ending(MeaningKind.UNREADABLE, error=_unsendable(error))
            case httpx.DecodingError():
                ending = self._trouble(Transport.CUT_OFF, error)
            case httpx.TransportError() if isinstance(error, NOTHING_SENT) or not journal.in_doubt:
                ending = self._trouble(Transport.NOT_SENT, error)
            case httpx.TimeoutException():
                ending = self._trouble(Transport.TIMED_OUT, error)
            case httpx.TransportError():
                ending = self._trouble(Transport.RESET if journal.status is None else Transport.CUT_OFF, error)
            case _:
                broken = ConnectorBroken(
                    f"Signing the request failed inside the connector with {type(error).__name__}.",
                    next_step="Report it to the connector's author.",
                    detail=self._redactor(str(error)),
                )
                ending = Ending(MeaningKind.UNREADABLE, error=broken)
        return ending

    def _trouble(self, happened: Transport, error: httpx.HTTPError) -> Ending:
        cause = self._redactor(" ".join(str(error).split()))
        return Ending(happened, f"{type(error).__name__}{f' ({cause})' if cause else ''}")

    def _refusal(self, error: ConnectorHostError) -> Ending:
        """Sort an error that the gate or the auth handler raised: nothing of the operation has had an effect."""
        hide_secrets(error, self._redactor)
        wish = error.retry_after if isinstance(error, QuotaExhausted) else None
        error.next_step = error.next_step or next_step_of(type(error), Words(self._vendor, ""), wish)
        if isinstance(error, QuotaExhausted):
            return Ending(MeaningKind.QUOTA, error.message, retry_after=error.retry_after, error=error)
        if isinstance(error, TemporaryError):
            return Ending(Transport.SIGN_IN_FAILED, error.message, error=error)
        return Ending(MeaningKind.UNREADABLE, error.message, error=error)


def outcome_of(ending: Ending, journal: Journal) -> str:
    """Return the sentence about an attempt in the facts of its call."""
    status = f" ({journal.status})" if journal.status is not None else ""
    said = f": {ending.said}" if ending.said else ""
    return f"{ending.happened.value}{status}{said}"


def _unsendable(error: Exception) -> InputInvalid:
    return InputInvalid(
        "The request cannot be written as HTTP: its address or a header has characters that are not allowed there.",
        next_step="Check the credentials and the header parameters for line breaks and foreign letters.",
        detail=type(error).__name__,
    )
