"""One endpoint of the API: what it takes and gives is data, so that what is checked is what the document says."""

import inspect
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from connector_host.contract.errors import ConnectorHostError, InputInvalid, Problem
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.contract.secrets import Redactor

from .host import ApiHost
from .problems import problem, problem_of_error

__all__ = ["LARGEST_BODY", "Call", "Endpoint", "Handler", "answer"]

LARGEST_BODY = 1024 * 1024
"""Bytes of a request's body (decided)."""

_log = logging.getLogger("connector_host.api")
_SEE_DOCUMENT = "What it takes stands in /api/v1/openapi.json."
_SECRET_PARTS = ("credentials", "secrets")
_BOOLEANS = {"true": True, "false": False}


class _Refusal(Exception):
    """A request that is answered before anything is done."""

    def __init__(self, status: int, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.next_step = next_step


_NO_TOKEN = _Refusal(
    401,
    "The request has no valid token.",
    "Send the header Authorization: Bearer TOKEN; make one with: connector-host token add NAME",
)
_TOO_LARGE = _Refusal(413, f"A body has at most {LARGEST_BODY:,} bytes.", "Send less.")
_BROKEN_OFF = _Refusal(400, "The request was broken off.")
_NO_JSON_TYPE = _Refusal(415, "The body is not JSON.", "Send Content-Type: application/json.")
_NO_JSON = _Refusal(400, "The body is not JSON.", "Send one JSON object.")


@dataclass(frozen=True)
class Call:
    """One request, checked. `path` has the parts of the address, `query` typed values with defaults filled in."""

    host: ApiHost
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    request_id: str


Handler = Callable[[Call], Any]
"""Returns a value for JSON, a Response, or None; may be async. Sync ones run in a thread."""


@dataclass(frozen=True)
class Endpoint:
    """A method of a path. `query` has a JSON Schema for each parameter, `body` and `gives` are schemas.

    `errors` are the statuses, beside those that every endpoint has, that it may answer with.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    gives: Mapping[str, Any] | None = None
    status: int = 200
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    errors: Sequence[int] = ()
    media_type: str = "application/json"
    is_open: bool = False

    @property
    def operation_id(self) -> str:
        """Name of the endpoint in the document."""
        return self.handler.__name__


async def answer(endpoint: Endpoint, host: ApiHost, request: Request) -> Response:
    """Check a request, let the endpoint handle it, and answer with its value or with a problem document."""
    request_id = uuid.uuid4().hex
    response = await _answer(endpoint, host, request, request_id)
    response.headers["X-Request-Id"] = request_id
    response.headers["Cache-Control"] = "no-store"
    return response


async def _answer(endpoint: Endpoint, host: ApiHost, request: Request, request_id: str) -> Response:
    hide = Redactor()
    try:
        if not endpoint.is_open:
            await run_in_threadpool(_let_in, host, request)
        query = _query_of(endpoint, request)
        body = {} if endpoint.body is None else await _body_of(request)
        _learn(hide, body)
        _check(endpoint, body)
        value = await _handled(endpoint, Call(host, dict(request.path_params), query, body, request_id))
    except _Refusal as refusal:
        return problem(
            refusal.status,
            refusal.message,
            next_step=refusal.next_step,
            request_id=request_id,
            headers={"WWW-Authenticate": 'Bearer realm="connector-host"'} if refusal is _NO_TOKEN else {},
        )
    except ConnectorHostError as error:
        return problem_of_error(error, request_id=request_id, hide=hide)
    except Exception as error:  # noqa: BLE001 -- whatever it is, a program gets a problem document and no traceback
        _log.error("%s failed with %s (request %s).", endpoint.operation_id, type(error).__name__, request_id)
        return problem(500, "Something went wrong inside the host.", request_id=request_id)
    return _response(endpoint, value)


def _response(endpoint: Endpoint, value: Any) -> Response:
    if isinstance(value, Response):
        return value
    if endpoint.status == 204:  # noqa: PLR2004 -- no content
        return Response(status_code=204)
    return Response(msgspec.json.encode(value), endpoint.status, media_type="application/json")


def _check(endpoint: Endpoint, body: Any) -> None:
    if endpoint.body is not None and (wrong := problems_of(validator_for(dict(endpoint.body)), body, at="body")):
        raise InputInvalid("The request's body is not valid.", problems=wrong, next_step=_SEE_DOCUMENT)


async def _handled(endpoint: Endpoint, call: Call) -> Any:
    if inspect.iscoroutinefunction(endpoint.handler):
        return await endpoint.handler(call)
    return await run_in_threadpool(endpoint.handler, call)


def _let_in(host: ApiHost, request: Request) -> None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret or host.tokens.find(secret.strip()) is None:
        raise _NO_TOKEN


def _query_of(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    """Return the parameters as their schemas want them. Raises InputInvalid, for unknown ones too."""
    values: dict[str, Any] = {}
    problems = []
    for name in request.query_params:
        schema = endpoint.query.get(name)
        if schema is None:
            known = ", ".join(endpoint.query) or "none"
            problems.append(
                Problem(f"query.{name}", "unknown-field", "There is no such parameter.", f"Known: {known}.")
            )
            continue
        given = request.query_params.getlist(name)
        value = _typed(given[-1], schema) if len(given) == 1 else given
        values[name] = value
        problems += problems_of(validator_for(dict(schema)), value, at=f"query.{name}")
    if problems:
        raise InputInvalid("The request's parameters are not valid.", problems=problems, next_step=_SEE_DOCUMENT)
    defaults = {name: schema["default"] for name, schema in endpoint.query.items() if "default" in schema}
    return {**defaults, **values}


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer" and text.isascii() and text.removeprefix("-").isdecimal() and len(text) < len("1" * 20):
        return int(text)
    return _BOOLEANS.get(text, text) if kind == "boolean" else text


async def _body_of(request: Request) -> Any:
    """Return the body's JSON, an empty object without one. Raises _Refusal for one that cannot be taken."""
    data = bytearray()
    try:
        async for part in request.stream():
            data += part
            if len(data) > LARGEST_BODY:
                raise _TOO_LARGE
    except ClientDisconnect:
        raise _BROKEN_OFF from None
    if not data.strip():
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _NO_JSON_TYPE
    try:
        return msgspec.json.decode(bytes(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _NO_JSON from None


def _learn(hide: Redactor, body: Any) -> None:
    """Keep what may be a secret out of every answer."""
    for part in _SECRET_PARTS:
        values = body.get(part) if isinstance(body, Mapping) else None
        if isinstance(values, Mapping):
            hide.add(*(str(value).strip() for value in values.values()))
