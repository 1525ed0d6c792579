"""The pages that let a person in and out."""

import logging
import math
import secrets
from dataclasses import dataclass, replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connector_host.contract.clock import Clock
from connector_host.contract.durations import duration
from connector_host.engine.lanes import lane_of
from connector_host.engine.quota import MemoryLedger

from .guard import NOT_TAKEN, SESSION_COOKIE
from .host import host_of
from .options import WebOptions
from .pages import Filled, action, filled_of, go, inside, page, query_of, render, session_of, tell
from .refused import REFUSED
from .shelves import shelves_of

__all__ = ["SignInLimits", "TurnedAway", "routes"]

_log = logging.getLogger("connector_host.web")
_FORM_COOKIE = "connector_host_sign_in"
_TRIES, _TRIES_OF_ALL, _SECONDS = 10, 50, 60
_LONGEST_USER = 200


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


@dataclass(frozen=True)
class TurnedAway:
    """Somebody who was not let in: as whom, and why; `free_at` is when the next try is possible, on the clock."""

    user: str = ""
    why: str = ""
    free_at: float | None = None

    def words(self, now: float) -> str:
        """Return what is said of it."""
        if self.free_at is None:
            return self.why
        wait = math.ceil(self.free_at - now)
        return f"{self.why} {f'Wait {duration(wait)}, then try again.' if wait > 0 else 'You can try again now.'}"


def show(request: Request) -> Response:
    """Show the form, and why the last try has failed; whoever is signed in already goes on."""
    target = inside(request.query_params.get("next", ""))
    if request.state.session:
        return go(target)
    options = host_of(request).options
    token = request.cookies.get(_FORM_COOKIE, "") or secrets.token_urlsafe(24)
    turned_away = _turned_away(request, token)
    if NOT_TAKEN in request.query_params and not turned_away.why:
        tell(request, "Your session had ended, so what you sent was not taken. Sign in, and send it again.")
    answer = render(
        request,
        "sign_in.html",
        form_token=token,
        target=target,
        error=turned_away.words(options.clock.monotonic()),
        user=turned_away.user,
        asks_for_user=options.access.asks_for_user,
    )
    _set_form_cookie(answer, token, options)
    return answer


def _turned_away(request: Request, token: str) -> TurnedAway:
    """Return what the address names, if it is of this browser's form."""
    name = request.query_params.get(REFUSED, "")
    found = shelves_of(request)[TurnedAway].get(name, owner=token)
    if name and found is None:
        tell(request, "What was typed here is not kept any longer. Please sign in again.")
    return found or TurnedAway()


async def sign_in(request: Request) -> Response:
    """Check what was given and begin a session."""
    host = host_of(request)
    filled = filled_of(await request.form(max_fields=10, max_files=0))
    user, secret, given, target = ((filled.get(name) or ("",))[-1] for name in ("user", "secret", "_csrf", "next"))
    target = inside(target)
    expected = request.cookies.get(_FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        return _turn_away(request, target, TurnedAway(why="This form was out of date; please try again."))
    limits: SignInLimits = request.app.state.sign_in_limits
    address = request.client.host if request.client else ""
    wait = limits.seconds_until_free(address)
    if wait > 0:
        _log.warning("A sign-in from %s was refused: too many tries.", address)
        free_at = host.options.clock.monotonic() + wait
        return _turn_away(request, target, TurnedAway(user, "There were too many tries.", free_at))
    if not await run_in_threadpool(host.options.access.admits, user, secret):
        what = "user or password" if host.options.access.asks_for_user else "token"
        _log.warning("A sign-in from %s was refused: wrong %s.", address, what)
        return _turn_away(request, target, TurnedAway(user, f"That {what} is not right."))
    session_id, _ = host.sessions.begin(user)
    answer = go(target)
    answer.delete_cookie(_FORM_COOKIE, path="/sign-in", httponly=True, samesite="strict")
    answer.set_cookie(SESSION_COOKIE, session_id, httponly=True, samesite="lax", secure=host.options.secure, path="/")
    return answer


def _turn_away(request: Request, target: str, turned_away: TurnedAway) -> Response:
    """Lead back to the form, which says why; the browser's form is told from others by its cookie."""
    token = request.cookies.get(_FORM_COOKIE, "") or secrets.token_urlsafe(24)
    short = replace(turned_away, user=turned_away.user[:_LONGEST_USER])
    name = shelves_of(request)[TurnedAway].put(short, owner=token)
    answer = go(f"/sign-in?{query_of({'next': target if target != '/' else '', REFUSED: name})}")
    _set_form_cookie(answer, token, host_of(request).options)
    return answer


def _set_form_cookie(answer: Response, token: str, options: WebOptions) -> None:
    answer.set_cookie(
        _FORM_COOKIE, token, httponly=True, samesite="strict", secure=options.secure, path="/sign-in", max_age=3600
    )


async def sign_out(request: Request, filled: Filled) -> Response:
    """End the session with all that was kept for it, and let the browser forget what it has shown."""
    del filled
    shelves_of(request).forget(session_of(request))
    host_of(request).sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    answer = go("/sign-in")
    answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer
