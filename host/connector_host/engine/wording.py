"""The words of errors of a call: what happened, and one next step. Nothing here has seen a secret."""

from dataclasses import dataclass

from connector_host.contract.durations import duration
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

__all__ = ["Words", "error_of", "next_step_of"]

_FIRST_REDIRECT = 300


@dataclass(frozen=True, slots=True)
class Words:
    """What an error is told about a call: `vendor` is the connector's label, `said` the vendor's words or the cause."""

    vendor: str
    operation: str
    said: str = ""
    status: int | None = None
    permissions: tuple[str, ...] = ()
    write: bool = False


_SENTENCES: dict[type[ConnectorHostError], tuple[str, str]] = {
    SessionLost: (
        "{vendor} refused {operation} with a session that had just been opened{said}",
        "Check that the credentials still have access, then try again.",
    ),
    CredentialsRejected: ("{vendor} refuses the credentials{said}", "Correct the credentials of this instance."),
    PermissionMissing: (
        "{vendor} refuses {operation} for want of a permission{said}",
        "Grant {permissions} to the application at {vendor}, and add it to the instance's scope.",
    ),
    VendorRefused: (
        "{vendor} refused {operation}{said}",
        "Correct the input; the operation's page and connector-host operation tell what it takes.",
    ),
    AnswerUnreadable: (
        "The answer to {operation} is not what the operation promises{said}",
        "Report it to the connector's author with the request id.",
    ),
    QuotaExhausted: (
        "{vendor} admits no more calls of {operation} within the time allowed{said}",
        "Try again {when}.",
    ),
    VendorFault: ("{vendor} failed while answering {operation}{said}", "Try again later."),
    VendorUnreachable: (
        "No answer from {vendor} to {operation}{said}",
        "Check the network and the address in the instance's settings, then try again.",
    ),
    OutcomeUnknown: (
        "{operation} was sent and no clear answer came, so it may have happened{said}",
        "Look at {vendor} whether it happened before sending it again.",
    ),
}


def error_of(error: type[ConnectorHostError], words: Words, retry_after: float | None = None) -> ConnectorHostError:
    """Return the error with its sentence and next step."""
    sentence, _ = _SENTENCES[error]
    message = sentence.format(vendor=words.vendor, operation=words.operation, said=_said(words))
    next_step = next_step_of(error, words, retry_after)
    if issubclass(error, QuotaExhausted):
        return error(message, retry_after=retry_after, next_step=next_step)
    if issubclass(error, PermissionMissing):
        return error(message, missing=words.permissions, next_step=next_step)
    return error(message, next_step=next_step)


def next_step_of(error: type[ConnectorHostError], words: Words, retry_after: float | None = None) -> str:
    """Return what to do about an error, for one that a connector raised without saying so too."""
    _, sentence = _SENTENCES.get(error, ("", "See the connector's documentation."))
    if error is AnswerUnreadable and words.write and words.status is not None and words.status < _FIRST_REDIRECT:
        return f"The status was {words.status}, so it has happened: look at {words.vendor}, do not send it again."
    return sentence.format(
        vendor=words.vendor,
        permissions=", ".join(words.permissions) or "it",
        when=f"in {duration(retry_after)}" if retry_after is not None else "later",
    )


def _said(words: Words) -> str:
    if words.said:
        return f": {words.said}" if words.said.endswith((".", "!", "?", "…")) else f": {words.said}."
    return f" (status {words.status})." if words.status is not None else "."
