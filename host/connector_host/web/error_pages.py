"""What is shown when something goes wrong: in words, and under an address of its own where a form was sent."""

import datetime
import logging
import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.contract.errors import (
    ConfigurationError,
    ConnectorHostError,
    InputInvalid,
    NameTaken,
    QuotaExhausted,
    TemporaryError,
    UnknownName,
)

from .host import WebHost, host_of
from .pages import go, page, render, sent_from, session_of
from .shelves import keep, kept

__all__ = ["Told", "error_page", "routes", "unexpected_page"]

_log = logging.getLogger("connector_host.web")
_STATUS_OF_ERROR: tuple[tuple[type[ConnectorHostError], int], ...] = (
    (UnknownName, 404),
    (InputInvalid, 422),
    (NameTaken, 409),
    (ConfigurationError, 409),
    (QuotaExhausted, 503),
    (TemporaryError, 503),
    (ConnectorHostError, 502),
)
"""The first class that fits decides."""
_TITLES = {403: "Not allowed", 404: "Not found", 405: "Not possible"}
_WORDS_OF_STATUS = {404: "There is no such page.", 405: "This address does not take that kind of request."}


@dataclass(frozen=True)
class Told:
    """What went wrong, for a page: an error, or words about it. `back` is the page that the form was sent from."""

    status: int
    title: str
    message: str = ""
    error: ConnectorHostError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    back: str = ""


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [page("/problems/{name}", show)]


def show(request: Request) -> Response:
    """Show what went wrong with a form; a reload sends nothing again."""
    told = kept(request, Told, request.path_params["name"])
    if told is None:
        session_of(request).note("What went wrong there is not kept any longer.", "warning")
        return go("/")
    return _draw(request, told)


async def error_page(request: Request, error: Exception) -> Response:
    """Return the page of an error that was raised on purpose."""
    if isinstance(error, HTTPException):
        words = _WORDS_OF_STATUS.get(error.status_code, error.detail)
        title = _TITLES.get(error.status_code, "Not possible")
        return _answer(request, Told(error.status_code, title, words, headers=error.headers or {}))
    if not isinstance(error, ConnectorHostError):
        raise error
    status = next(code for kind, code in _STATUS_OF_ERROR if isinstance(error, kind))
    if error.detail:
        _log.info("%s: %s", type(error).__name__, host_of(request).redactor(error.detail))
    title = "Not found" if isinstance(error, UnknownName) else "That did not work"
    return _answer(request, Told(status, title, error=error))


async def unexpected_page(request: Request, error: Exception) -> Response:
    """Return the page of a fault in the host: nothing of it is shown but a number that stands in the log, too."""
    reference = secrets.token_hex(4)
    await run_in_threadpool(_write_down, host_of(request), reference, error)
    message = f"Something went wrong inside connector-host. The details are in its log under {reference}."
    return _answer(request, Told(500, "Something went wrong", message))


def _answer(request: Request, told: Told) -> Response:
    """Draw the page, or lead to it where drawing it here would let a reload send the form again."""
    if request.method != "POST" or request.state.session is None:
        return _draw(request, told)
    return go(f"/problems/{keep(request, replace(told, back=sent_from(request.headers)))}")


def _draw(request: Request, told: Told) -> Response:
    answer = render(request, "error.html", status=told.status, told=told, hide=host_of(request).redactor)
    answer.headers.update(told.headers)
    return answer


def _write_down(host: WebHost, reference: str, error: Exception) -> None:
    story = host.log_redactor(host.redactor("".join(traceback.format_exception(error))))
    _log.error("%s in reference %s", type(error).__name__, reference)
    path = host.home.path / "connector-host.log"
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    try:
        path.touch(mode=0o600)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{when} {reference}\n{story}\n")
    except OSError:
        _log.exception("The log cannot be written.")
