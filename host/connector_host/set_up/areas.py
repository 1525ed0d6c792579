"""What an instance may do, area by area: the reads that its connector declares are made, and told by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector_host.contract.errors import (
    ConnectorHostError,
    CredentialsRejected,
    PermissionMissing,
    TemporaryError,
)
from connector_host.contract.manifest import AccessCheck
from connector_host.contract.permissions import Scope
from connector_host.engine import Connection

__all__ = ["AreaCheck", "AreaOutcome", "check_areas", "lacking"]

_SECONDS = 20.0
"""How long a person waits for one read (decided)."""


class AreaOutcome(StrEnum):
    """How the read of an area ended."""

    PASSED = "passed"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AreaCheck:
    """One area: what the read would show, how it ended, and the permissions that it needs.

    `skipped` means that the scope leaves the area out, `refused` that the vendor does not permit what the scope says.
    """

    area: str
    operation: str
    outcome: AreaOutcome
    message: str
    permissions: Sequence[str] = ()
    request_id: str = ""


async def check_areas(connection: Connection, scope: Scope | None) -> tuple[AreaCheck, ...]:
    """Make the reads that the connector declares, one after the other, and tell how each ended.

    Raises CredentialsRejected, and TemporaryError when the vendor answered none of them.
    """
    found: list[AreaCheck] = []
    trouble: TemporaryError | None = None
    for check in connection.connector.manifest.checks:
        operation = connection.connector.catalogue.get(check.operation)
        permissions = tuple(operation.permissions)
        if scope is not None and (missing := scope.missing(permissions)):
            message = f"The scope leaves it out; it would need {', '.join(missing)}."
            found.append(AreaCheck(check.area, operation.id, AreaOutcome.SKIPPED, message, tuple(missing)))
            continue
        try:
            answer = await connection.call(operation.id, check.input, total_timeout=_SECONDS)
        except CredentialsRejected:
            raise
        except ConnectorHostError as error:
            trouble = error if isinstance(error, TemporaryError) else trouble
            found.append(_failed(connection, check, error, permissions))
        else:
            found.append(
                AreaCheck(
                    check.area, operation.id, AreaOutcome.PASSED, check.shows, permissions, request_id=answer.request_id
                )
            )
    if trouble is not None and not any(each.outcome is AreaOutcome.PASSED for each in found):
        raise trouble
    return tuple(found)


def lacking(checks: Sequence[AreaCheck]) -> str:
    """Return the sentence that tells which areas the vendor does not permit; empty when it permits all."""
    refused = [
        f"{each.area} ({', '.join(each.permissions)})" if each.permissions else each.area
        for each in checks
        if each.outcome is AreaOutcome.REFUSED
    ]
    return f"The vendor does not permit: {', '.join(refused)}." if refused else ""


def _failed(
    connection: Connection, check: AccessCheck, error: ConnectorHostError, permissions: Sequence[str]
) -> AreaCheck:
    refused = isinstance(error, PermissionMissing)
    return AreaCheck(
        check.area,
        check.operation,
        AreaOutcome.REFUSED if refused else AreaOutcome.FAILED,
        connection.redactor(error.message),
        tuple(error.missing) if isinstance(error, PermissionMissing) and error.missing else tuple(permissions),
        error.call.request_id,
    )
