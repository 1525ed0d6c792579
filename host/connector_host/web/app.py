"""The web face as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from connector_host.contract.clock import Clock
from connector_host.contract.errors import ConnectorHostError
from connector_host.runs import RetentionStore, Runner
from connector_host.runs.scheduler import Scheduler
from connector_host.runs.schedules import ScheduleStore

from . import (
    calls,
    connectors,
    editing,
    environments,
    error_pages,
    host_settings,
    imports,
    instances,
    runs,
    sign_in,
    streams,
    wizard,
)
from .answers import Trial
from .api import ApiHost, api_mount
from .drafts import Draft
from .error_pages import Told, error_page, unexpected_page
from .guard import Guard
from .host import WebHost
from .host_settings import NewToken
from .instances import Outcome
from .options import WebOptions
from .pages import go, page
from .refused import Refused
from .sheets import Sheet
from .shelves import Limits, Shelves
from .sign_in import SignInLimits, TurnedAway

__all__ = ["create_app"]

_KEPT: dict[type, Limits] = {
    Draft: Limits(200, 3600.0),
    NewToken: Limits(50, 600.0),
    Outcome: Limits(50, 1800.0),
    Refused: Limits(200, 1800.0),
    Sheet: Limits(200, 1800.0),
    Told: Limits(200, 1800.0),
    Trial: Limits(50, 1800.0, longest=3600.0),
    TurnedAway: Limits(200, 600.0),
}
"""What is kept in memory for browsers. A vendor's answer goes within the shortest retention of payloads: an hour."""
_SWEEP_SECONDS = 60.0


def create_app(options: WebOptions) -> Starlette:
    """Return the application; it opens the store now and closes it when its lifespan ends.

    While it is served, schedules begin their runs and old logs are swept away.

    Raises ConfigurationError when the home or its database cannot be used.
    """
    host = WebHost(options)
    runner = Runner(host.home, options.folders)
    database = host.store.database
    shelves = Shelves(options.clock, _KEPT)
    api = ApiHost(
        host.home,
        host.store,
        runner,
        options.folders,
        find=host.find,
        load=host.connector,
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        try:
            async with runner, Scheduler(runner, ScheduleStore(database), RetentionStore(database, host.home)):
                sweeping = asyncio.create_task(_sweep(shelves, options.clock))
                try:
                    yield
                finally:
                    sweeping.cancel()
        finally:
            host.close()

    app = Starlette(
        routes=[*_routes(), api_mount(api)],
        middleware=[Middleware(Guard, options=options, sessions=host.sessions, on_error=_error)],
        exception_handlers={HTTPException: error_page, ConnectorHostError: error_page},
        lifespan=lifespan,
    )
    app.state.host = host
    app.state.runner = runner
    app.state.sign_in_limits = SignInLimits(options.clock)
    app.state.shelves = shelves
    return app


async def _sweep(shelves: Shelves, clock: Clock) -> None:
    """Forget in time what was kept, whether somebody looks at a page or not."""
    while True:
        await clock.sleep(_SWEEP_SECONDS)
        shelves.sweep()


def _routes() -> list[BaseRoute]:
    return [
        page("/", _start),
        page("/health", _health),
        *error_pages.routes(),
        *sign_in.routes(),
        *wizard.routes(),
        *connectors.routes(),
        *imports.routes(),
        *instances.routes(),
        *editing.routes(),
        *environments.routes(),
        *calls.routes(),
        *streams.routes(),
        *runs.routes(),
        *host_settings.routes(),
        Mount("/static", _Static(packages=[("connector_host.web", "static")])),
    ]


async def _error(request: Request, error: Exception) -> Response:
    """Return the page of an error that no page has answered: one that was meant, or a fault of the host."""
    return await (error_page if isinstance(error, HTTPException) else unexpected_page)(request, error)


def _start(request: Request) -> Response:
    """Go where a person has something to do: the instances, or the connectors while there are none."""
    return go("/instances" if request.app.state.host.store.count() else "/connectors")


def _health(request: Request) -> Response:
    """Tell a supervisor that the application answers."""
    del request
    return PlainTextResponse("ok\n")


class _Static(StaticFiles):
    """Files of the package; a browser asks whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or that it has not changed."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer
