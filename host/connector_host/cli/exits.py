"""Exit codes: one table from what went wrong to the number that a program may test."""

from enum import IntEnum

from connector_host.contract.errors import (
    ConfigurationError,
    ConnectorHostError,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    RecordRejected,
    SecretsUnreadable,
    SignInError,
    StopError,
    TemporaryError,
    VendorFault,
)

__all__ = ["EXIT_OF_ERROR", "MEANINGS", "ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    UNEXPECTED = 1
    INPUT = 2
    CREDENTIALS = 3
    UNAVAILABLE = 4
    VENDOR = 5
    PARTIAL = 6


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "a fault of this program; the log has the details",
    ExitCode.INPUT: "input or configuration: correct it and try again",
    ExitCode.CREDENTIALS: "credentials or permission: change them",
    ExitCode.UNAVAILABLE: "quota, network or a busy store: try later",
    ExitCode.VENDOR: "the vendor refused, failed, or answered something unreadable",
    ExitCode.PARTIAL: "partial: interrupted, some records failed, or the outcome of a write is not known",
}
"""What each code tells, for the help and the documentation."""

EXIT_OF_ERROR: dict[type[ConnectorHostError], ExitCode] = {
    ConfigurationError: ExitCode.INPUT,
    PermissionMissing: ExitCode.CREDENTIALS,
    SecretsUnreadable: ExitCode.CREDENTIALS,
    SignInError: ExitCode.CREDENTIALS,
    QuotaExhausted: ExitCode.UNAVAILABLE,
    TemporaryError: ExitCode.UNAVAILABLE,
    VendorFault: ExitCode.VENDOR,
    RecordRejected: ExitCode.VENDOR,
    StopError: ExitCode.VENDOR,
    OutcomeUnknown: ExitCode.PARTIAL,
    ConnectorHostError: ExitCode.VENDOR,
}
"""The nearest class of an error decides."""


def exit_code_of(error: ConnectorHostError) -> ExitCode:
    """Return the code that a command ends with when this error stops it."""
    for kind in type(error).__mro__:
        if kind in EXIT_OF_ERROR:
            return EXIT_OF_ERROR[kind]
    return ExitCode.UNEXPECTED
