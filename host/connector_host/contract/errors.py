"""Every error of the host and of connectors, ordered by what can be done about it.

::

    ConnectorHostError
    ├── ConfigurationError       fix the configuration, then try again
    │   ├── ManifestInvalid      a connector.yaml breaks a rule; carries every problem with file:line:column
    │   ├── ConnectorBroken      an installed connector cannot be used, or its code misbehaved
    │   ├── UnknownName          no such connector, instance, operation, stream or field; names the nearest
    │   ├── InputInvalid         values do not satisfy their schema; carries every problem with its path
    │   ├── NameTaken            something with that name is there already
    │   ├── InUse                something that others rely on cannot be removed or started twice
    │   ├── PermissionMissing    the scope does not cover an operation; names the node to add
    │   ├── AddressNotAllowed    a request or redirect would leave for a host that the manifest does not allow
    │   ├── Unwritable           a disk, a file or a pipe takes no more
    │   └── SecretsUnreadable    stored secrets cannot be opened with the key at hand
    ├── SignInError              sign in again
    │   ├── CredentialsRejected  the vendor refuses these credentials: change them
    │   └── SessionLost          a fresh session was refused as well
    ├── QuotaExhausted           wait: the vendor's quota leaves no room within the time allowed
    ├── TemporaryError           retry later: nothing is wrong on this side
    │   ├── VendorUnreachable    no connection, or no answer in time
    │   └── VendorFault          the vendor failed (5xx) or its answer was cut off
    ├── RecordRejected           skip the record: the vendor or a schema refuses this one, others may pass
    └── StopError                stop: going on would do harm or cannot help
        ├── VendorRefused        the vendor refuses the request for a reason that waiting does not change
        ├── AnswerUnreadable     the answer is not what the operation's contract says
        └── OutcomeUnknown       a write was sent and its answer lost: look before sending it again

Each carries a message for the user (no secret, one next step) and a detail for the log. Errors of a call also carry the
operation, the instance, the request id that was sent, and the attempts that were made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "AddressNotAllowed",
    "AnswerUnreadable",
    "Attempt",
    "CallFacts",
    "ConfigurationError",
    "ConnectorBroken",
    "ConnectorHostError",
    "CredentialsRejected",
    "InUse",
    "InputInvalid",
    "ManifestInvalid",
    "NameTaken",
    "OutcomeUnknown",
    "PermissionMissing",
    "Problem",
    "QuotaExhausted",
    "RecordRejected",
    "Remedy",
    "SecretsUnreadable",
    "SessionLost",
    "SignInError",
    "StopError",
    "TemporaryError",
    "UnknownName",
    "Unwritable",
    "VendorFault",
    "VendorRefused",
    "VendorUnreachable",
]


class Remedy(StrEnum):
    """What can be done about an error."""

    FIX_CONFIGURATION = "fix the configuration"
    SIGN_IN_AGAIN = "sign in again"
    WAIT = "wait"
    RETRY = "retry"
    SKIP_RECORD = "skip the record"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and one fix.

    `where` is `file:line:column` for files and a dotted path (`credentials.token`) for values; `rule` is a stable
    kebab-case name that a program may test.
    """

    where: str
    rule: str
    sentence: str
    fix: str = ""

    def __str__(self) -> str:
        """Return one line: where, what, fix and rule."""
        text = f"{self.where}: {self.sentence}" if self.where else self.sentence
        return f"{text} {self.fix}".rstrip() + f" [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that was made for a call: when (seconds since the call began), and how it ended."""

    number: int
    at: float
    outcome: str
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class CallFacts:
    """Where an error of a call happened; `status` is the last HTTP status, None when no answer came."""

    operation: str = ""
    instance: str = ""
    request_id: str = ""
    status: int | None = None
    attempts: Sequence[Attempt] = field(default_factory=tuple)


class ConnectorHostError(Exception):
    """Root of the tree; catch it to catch everything this project raises on purpose."""

    remedy: Remedy = Remedy.STOP

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        detail: str = "",
        call: CallFacts | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.detail = detail
        self.call = call or CallFacts()
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return the text for a user: the message, each problem on a line, and the next step."""
        lines = [self.message, *(f"  {problem}" for problem in self.problems)]
        if self.next_step:
            lines.append(self.next_step)
        return "\n".join(lines)

    def with_call(self, call: CallFacts) -> "ConnectorHostError":
        """Add where it happened and return the same error, for `raise error.with_call(...)`."""
        self.call = call
        return self


class ConfigurationError(ConnectorHostError):
    """Something that a person has set is wrong; the same attempt fails again until it is changed."""

    remedy = Remedy.FIX_CONFIGURATION


class ManifestInvalid(ConfigurationError):
    """A manifest breaks one or more rules; `problems` has them all."""


class ConnectorBroken(ConfigurationError):
    """An installed connector cannot be loaded, or one of its hooks hung, raised or returned rubbish."""


class UnknownName(ConfigurationError):
    """Nothing has that name; the message names the nearest."""


class InputInvalid(ConfigurationError):
    """Values do not satisfy their schema; `problems` has them all, each with its path."""


class NameTaken(ConfigurationError):
    """Something else has that name already."""


class InUse(ConfigurationError):
    """Something relies on it, or works on it at this moment; the message names what."""


class PermissionMissing(ConfigurationError):
    """The scope does not cover the operation; `missing` lists the permission nodes to add."""

    def __init__(self, message: str, *, missing: Sequence[str] = (), next_step: str = "", detail: str = "") -> None:
        super().__init__(message, next_step=next_step, detail=detail)
        self.missing = tuple(missing)


class AddressNotAllowed(ConfigurationError):
    """A request would leave for a host that the manifest's allowed hosts do not cover; nothing was sent."""


class Unwritable(ConfigurationError):
    """A disk, a file or a pipe takes no more. What was being written may stand there in part."""


class SecretsUnreadable(ConfigurationError):
    """Stored secrets cannot be opened: the key is missing, or is not the one they were written with."""


class SignInError(ConnectorHostError):
    """The vendor does not let us in."""

    remedy = Remedy.SIGN_IN_AGAIN


class CredentialsRejected(SignInError):
    """The vendor refuses these credentials; they are not tried again until they change."""


class SessionLost(SignInError):
    """The vendor refused a call, and again with a session signed in just before."""


class QuotaExhausted(ConnectorHostError):
    """No room in the quota within the time allowed; `retry_after` is in seconds, None when unknown.

    A call with a longer `total_timeout` waits for it.
    """

    remedy = Remedy.WAIT

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        next_step: str = "",
        detail: str = "",
        call: CallFacts | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, detail=detail, call=call)
        self.retry_after = retry_after


class TemporaryError(ConnectorHostError):
    """Passes by itself; trying later may work."""

    remedy = Remedy.RETRY


class VendorUnreachable(TemporaryError):
    """No connection to the vendor, or no answer within the time-out."""


class VendorFault(TemporaryError):
    """The vendor failed inside (5xx), or its answer broke off."""


class RecordRejected(ConnectorHostError):
    """One record is refused; the others of its batch may pass."""

    remedy = Remedy.SKIP_RECORD


class StopError(ConnectorHostError):
    """Going on would do harm, or cannot help."""


class VendorRefused(StopError):
    """The vendor refuses the request, with its reason in the message; waiting does not change it."""


class AnswerUnreadable(StopError):
    """The answer is not JSON where JSON was agreed, or lacks what the operation promises."""


class OutcomeUnknown(StopError):
    """A write left, and its answer was lost: it may have happened. Look before sending it again."""
