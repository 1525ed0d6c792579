"""The pages that let a person in and out."""

import math
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connector_host.contract.clock import Clock
from connector_host.contract.durations import duration
from connector_host.engine.lanes import lane_of
from connector_host.engine.quota import MemoryLedger

from .guard import SESSION_COOKIE
from .host import host_of
from .pages import Filled, action, filled_of, go, page, render

__all__ = ["SignInLimits", "routes"]

_FORM_COOKIE = "connector_host_sign_in"
_TRIES, _TRIES_OF_ALL, _SECONDS = 10, 50, 60


class SignInLimits:
    """At most 10 tries a minute from one address and 50 from all, right ones included (decided)."""

    def __init__(self, clock: Clock) -> None:
        self._ledger = MemoryLedger(clock)

    def seconds_until_free(self, address: str) -> float:
        """Count a try and return 0, or count nothing and return how long to wait."""
        lanes = [lane_of(f"address {address}", _TRIES, _SECONDS), lane_of("all", _TRIES_OF_ALL, _SECONDS)]
        shortfall = self._ledger.take(lanes)
        return 0.0 if shortfall is None else shortfall.seconds


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [page("/sign-in", show), Route("/sign-in", sign_in, methods=["POST"]), action("/sign-out", sign_out)]


def show(request: Request) -> Response:
    """Show the form; whoever is signed in already goes on."""
    target = _inside(request.query_params.get("next", ""))
    return go(target) if request.state.session else _form(request, target)


async def sign_in(request: Request) -> Response:
    """Check what was given and begin a session."""
    host = host_of(request)
    filled = filled_of(await request.form(max_fields=10, max_files=0))
    user, secret, given, target = ((filled.get(name) or ("",))[-1] for name in ("user", "secret", "_csrf", "next"))
    target = _inside(target)
    expected = request.cookies.get(_FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        return _form(request, target, "This form was out of date; please try again.", status=403)
    limits: SignInLimits = request.app.state.sign_in_limits
    wait = limits.seconds_until_free(request.client.host if request.client else "")
    if wait > 0:
        words = f"There were too many tries. Wait {duration(math.ceil(wait))}, then try again."
        answer = _form(request, target, words, status=429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    if not await run_in_threadpool(host.options.access.admits, user, secret):
        what = "user or password" if host.options.access.asks_for_user else "token"
        return _form(request, target, f"That {what} is not right.", user=user, status=401)
    session_id, _ = host.sessions.begin(user)
    answer = go(target)
    answer.delete_cookie(_FORM_COOKIE, path="/sign-in", httponly=True, samesite="strict")
    answer.set_cookie(SESSION_COOKIE, session_id, httponly=True, samesite="lax", secure=host.options.secure, path="/")
    return answer


async def sign_out(request: Request, filled: Filled) -> Response:
    """End the session, and let the browser forget what it has shown."""
    del filled
    host_of(request).sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    answer = go("/sign-in")
    answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _form(request: Request, target: str, error: str = "", *, user: str = "", status: int = 200) -> Response:
    options = host_of(request).options
    token = request.cookies.get(_FORM_COOKIE, "") or secrets.token_urlsafe(24)
    answer = render(
        request,
        "sign_in.html",
        status=status,
        form_token=token,
        target=target,
        error=error,
        user=user,
        asks_for_user=options.access.asks_for_user,
    )
    answer.set_cookie(
        _FORM_COOKIE, token, httponly=True, samesite="strict", secure=options.secure, path="/sign-in", max_age=3600
    )
    return answer


def _inside(target: str) -> str:
    """Return the target if it is an address of these pages, else the first page."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and "\\" not in target else "/"
