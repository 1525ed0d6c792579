"""Errors as problem documents (RFC 9457), with what the errors of this project carry."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from connector_host.contract.errors import (
    AnswerUnreadable,
    ConfigurationError,
    ConnectorBroken,
    ConnectorHostError,
    InputInvalid,
    InUse,
    NameTaken,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    RecordRejected,
    SecretsUnreadable,
    SignInError,
    StopError,
    TemporaryError,
    UnknownName,
    VendorFault,
)

__all__ = ["STATUS_OF_ERROR", "problem", "problem_of_error", "status_of"]

STATUS_OF_ERROR: dict[type[ConnectorHostError], int] = {
    UnknownName: 404,
    NameTaken: 409,
    InUse: 409,
    InputInvalid: 422,
    PermissionMissing: 422,
    SignInError: 422,
    RecordRejected: 422,
    ConnectorBroken: 500,
    SecretsUnreadable: 409,
    ConfigurationError: 409,
    QuotaExhausted: 503,
    VendorFault: 502,
    TemporaryError: 503,
    AnswerUnreadable: 502,
    OutcomeUnknown: 502,
    StopError: 502,
    ConnectorHostError: 500,
}
"""The nearest class of an error decides."""

_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    500: "Fault of the host",
    502: "The vendor refused or failed",
    503: "Try later",
}


def status_of(error: ConnectorHostError) -> int:
    """Return the HTTP status that an error is answered with."""
    return next(STATUS_OF_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_OF_ERROR)


def problem(
    status: int,
    message: str,
    *,
    next_step: str = "",
    request_id: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem document."""
    document = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Problem"),
        "status": status,
        "detail": message,
        "next_step": next_step,
        "problems": [],
        "request_id": request_id,
        **more,
    }
    sent = {"X-Request-Id": request_id, **(headers or {})}
    return Response(msgspec.json.encode(document), status, sent, media_type="application/problem+json")


def problem_of_error(error: ConnectorHostError, *, request_id: str, hide: Callable[[str], str]) -> Response:
    """Return what an error of this project is answered with; `hide` takes secrets out of a text."""
    status = status_of(error)
    headers = {}
    if isinstance(error, QuotaExhausted) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return problem(
        status,
        hide(error.message),
        next_step=hide(error.next_step),
        request_id=request_id,
        headers=headers,
        error=type(error).__name__,
        remedy=error.remedy.value,
        vendor_request_id=error.call.request_id,
        problems=[
            {"where": hide(each.where), "rule": each.rule, "sentence": hide(each.sentence), "fix": hide(each.fix)}
            for each in error.problems
        ],
    )
