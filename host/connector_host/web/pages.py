"""How pages are made: templates, what they say, and forms with their CSRF token."""

import datetime
import json
import math
import re
import secrets
import zoneinfo
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import jinja2
from markupsafe import Markup
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from connector_host.contract.durations import duration

from .host import host_of
from .sessions import Note, Session
from .shelves import kept
from .standing import standing_of

__all__ = [
    "action",
    "asked",
    "breakable",
    "filled_of",
    "fragment",
    "go",
    "inside",
    "page",
    "page_number",
    "query_of",
    "render",
    "sent_from",
    "session_of",
    "tell",
    "when",
    "zones",
]

Filled = Mapping[str, Sequence[str]]
Kept = TypeVar("Kept")
_MOST_FIELDS = 5_000
_BREAKS = re.compile(r"(?<=[_.@:/-])(?=.)|(?<=[a-z])(?=[A-Z])")
_NOTHING = Markup("&ndash;")
_MOODS = {
    "good": ("ok", "success", "passed"),
    "fair": ("untested", "incomplete", "partial success", "interrupted"),
    "bad": ("rejected", "failure", "broken", "refused", "failed"),
    "busy": ("started",),
}
_STATES = {state: mood for mood, states in _MOODS.items() for state in states}
"""How each state is coloured; one that is not here is grey."""


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page. Templates see the session, its notes, the address asked for, and what is in `context`."""
    session: Session | None = request.state.session
    fixed = {
        "session": session,
        "csrf": session.csrf if session else "",
        "notes": [*_told(request), *session.take_notes()] if session and template[0] != "_" else _told(request),
        "path": request.url.path,
        "query": dict(request.query_params),
        "standing_of": partial(standing_of, host_of(request).store),
    }
    return HTMLResponse(_templates().get_template(template).render({**fixed, **context}), status_code=status)


def fragment(request: Request, template: str, **context: Any) -> str:
    """Return a piece of a page as text."""
    session: Session | None = request.state.session
    return _templates().get_template(template).render({"csrf": session.csrf if session else "", **context})


def go(target: str) -> RedirectResponse:
    """Send the browser to another page, which it asks for with GET: a reload repeats nothing."""
    return RedirectResponse(target, status_code=303)


def inside(target: str) -> str:
    """Return the target if it is an address of these pages, else the first page."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and "\\" not in target else "/"


def sent_from(headers: Headers) -> str:
    """Return the page that a form or a part of a page was sent from, an empty text where the browser does not tell."""
    referrer = urlsplit(headers.get("referer", ""))
    if referrer.netloc != headers.get("host", ""):
        return ""
    return inside(inside(referrer.path) + (f"?{referrer.query}" if referrer.query else ""))


def tell(request: Request, words: str) -> None:
    """Say something on the page that answers this very request."""
    request.state.told = [*_told(request), Note(words, "warning")]


def _told(request: Request) -> list[Note]:
    return getattr(request.state, "told", [])


def asked(
    request: Request, kind: type[Kept], parameter: str, *, gone: str, fits: Callable[[Kept], bool] = lambda _: True
) -> Kept | None:
    """Return what the session has kept under the name in a parameter of the address; where it is gone, say so."""
    name = request.query_params.get(parameter, "")
    found = kept(request, kind, name) if name else None
    if found is not None and fits(found):
        return found
    if name:
        tell(request, gone)
    return None


def session_of(request: Request) -> Session:
    """Return the session of a request that the guard has let in."""
    session: Session = request.state.session
    return session


def page_number(request: Request) -> int:
    """Return the page of a list that was asked for, 1 for anything that is no page."""
    text = request.query_params.get("page", "1")
    return min(max(int(text), 1), 1_000_000) if re.fullmatch("[0-9]{1,7}", text) else 1


def page(path: str, handler: Callable[[Request], Response | Awaitable[Response]], *, name: str | None = None) -> Route:
    """Return the route of a page that is only looked at; a handler that is no coroutine runs in a thread."""
    return Route(path, handler, methods=["GET"], name=name)


def action(path: str, handler: Callable[[Request, Filled], Awaitable[Response]], *, files: int = 0) -> Route:
    """Return the route of a form that does something; a form without the session's CSRF token does nothing.

    `files` is how many may be uploaded with it; the handler finds them in the request's form.
    """

    async def checked(request: Request) -> Response:
        async with request.form(max_fields=_MOST_FIELDS, max_files=files) as form:
            filled = filled_of(form)
            given = (filled.get("_csrf") or ("",))[-1]
            if not secrets.compare_digest(given.encode(), session_of(request).csrf.encode()):
                raise HTTPException(403, "This form is out of date. Go back, reload the page, and send it again.")
            return await handler(request, filled)

    return Route(path, checked, methods=["POST"])


def filled_of(form: FormData) -> Filled:
    """Return the texts of a submitted form by name; files are left out, and line ends are those of this system."""
    filled: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            filled.setdefault(name, []).append(value.replace("\r\n", "\n").encode("utf-8", "replace").decode())
    return filled


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("connector_host.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "when": when,
        "number": lambda value: f"{value:,}",
        "pretty": pretty,
        "breakable": breakable,
        "mood": lambda state: _STATES.get(str(state), "off"),
        "seconds": _seconds,
        "span": lambda seconds: duration(math.ceil(seconds)),
        "bytes": _bytes,
    }
    environment.filters.update(filters)
    environment.globals.update(query_of=query_of)
    return environment


def when(moment: datetime.datetime | None, zone: str = "UTC", *, seconds: bool = False) -> Markup:
    """Return a time in a zone, with UTC on hover, to the minute or to the second; a dash when there is none."""
    if moment is None:
        return _NOTHING
    utc = moment.astimezone(datetime.UTC)
    try:
        local = utc.astimezone(zoneinfo.ZoneInfo(zone))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        local, zone = utc, "UTC"
    return Markup('<time datetime="{0}" title="{0}">{1} <span class="zone">{2}</span></time>').format(
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{local.day} {local.strftime('%b %Y, %H:%M:%S' if seconds else '%b %Y, %H:%M')}",
        "UTC" if zone == "UTC" else local.tzname(),
    )


def breakable(text: str) -> Markup:
    """Return a name or an address that may be broken after its punctuation or between its words, and nowhere else."""
    return Markup("<wbr>").join(_BREAKS.split(str(text)))


def pretty(value: Any) -> str:
    """Return a value as JSON with line breaks."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all time zones, for suggestions."""
    return tuple(sorted(zoneinfo.available_timezones()))


def query_of(query: Mapping[str, str], **changes: Any) -> str:
    """Return a query string with some values changed; empty ones are left out."""
    merged = {**query, **{key: str(value) for key, value in changes.items() if value is not None}}
    return urlencode({key: value for key, value in merged.items() if value != ""})


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 60 else duration(value)  # noqa: PLR2004 -- hundredths matter below a minute


def _bytes(value: int) -> str:
    for size, unit in ((1_000_000, "MB"), (1_000, "kB")):
        if value >= 10 * size:
            return f"{value / size:,.0f} {unit}"
    return f"{value:,} bytes"
