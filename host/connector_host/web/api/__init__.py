"""The API for programs, `/api/v1`: the abilities of the pages, with tokens, JSON and problem documents."""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from . import connectors, environments, instances, runs, upkeep
from .endpoint import Call, Endpoint, answer
from .host import ApiHost
from .openapi import document_of
from .problems import problem

__all__ = ["ENDPOINTS", "ApiHost", "api_mount", "api_routes"]


def show_document(call: Call) -> Any:
    """Give the OpenAPI document."""
    del call
    return document_of(ENDPOINTS)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/openapi.json",
        show_document,
        "Give this document",
        "document",
        gives={"type": "object"},
        is_open=True,
    ),
    *connectors.ENDPOINTS,
    *instances.ENDPOINTS,
    *runs.ENDPOINTS,
    *environments.ENDPOINTS,
    *upkeep.ENDPOINTS,
)
"""Every endpoint, in the order of the document."""


def api_routes(host: ApiHost) -> list[Route]:
    """Return the routes of the API, one for each path, so that 405 can name the methods.

    Paths that are none are answered with a problem document too. `api_mount` puts them where they belong.
    """
    paths: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        *(_AnyText(path, _App(host, methods)) for path, methods in paths.items()),
        _AnyText("/{path:path}", _App(host, {})),
    ]


def api_mount(host: ApiHost) -> Mount:
    """Return the API at /api/v1, for the routes of an application."""
    return _AnyTextMount("/api/v1", routes=api_routes(host))


class _AnyText(Route):
    """A route whose parts may have line breaks in them, as any name in an address may."""

    def __init__(self, path: str, app: Any) -> None:
        super().__init__(path, app, include_in_schema=False)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


class _AnyTextMount(Mount):
    def __init__(self, path: str, routes: list[Route]) -> None:
        super().__init__(path, routes=routes)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


class _App:
    """ASGI application of one path: chooses the endpoint by the method."""

    def __init__(self, host: ApiHost, methods: dict[str, Endpoint]) -> None:
        self._host = host
        self._methods = methods

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        endpoint = self._methods.get(request.method)
        if endpoint is not None:
            return await answer(endpoint, self._host, request)
        request_id = uuid.uuid4().hex
        if not self._methods:
            return problem(404, "There is nothing at this address.", request_id=request_id)
        allowed = ", ".join(sorted(self._methods))
        return problem(405, f"This address takes {allowed}.", request_id=request_id, headers={"Allow": allowed})
