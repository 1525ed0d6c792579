"""Stands before every page: right host name, bounded bodies, somebody signed in, and the headers of the answer."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import WebOptions
from .pages import query_of, sent_from
from .sessions import Sessions

__all__ = ["NOT_TAKEN", "SESSION_COOKIE", "Guard"]

SESSION_COOKIE = "connector_host_session"
NOT_TAKEN = "not-taken"
"""Parameter of the sign-in page after a form was sent by somebody whose session had ended."""
_OPEN_PATHS = ("/static/", "/sign-in", "/health", "/api/")
"""Without a session: what the sign-in page needs, and the API, which has tokens of its own."""
_BY_ITSELF = re.compile("/instances/[^/]+/quota")
"""What a page asks for while nobody does anything: it does not keep a session from ending."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Set unless the page has set them itself."""


class Guard:
    """ASGI middleware. Puts the session, or None, into the scope's state."""

    def __init__(
        self,
        app: ASGIApp,
        options: WebOptions,
        sessions: Sessions,
        on_error: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._on_error = on_error
        self._options = options
        self._sessions = sessions
        self._names = {name.lower() for name in options.host_names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            answer = self._refusal(scope) or self._app
            await answer(scope, _Bounded(receive, self._options.largest_body), send_with_headers)
        except _TooLarge:
            answer = await self._too_large(scope)
            await answer(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 -- whatever it is, neither page nor server log may show it
            if started:
                return
            answer = await self._on_error(Request(scope), error)
            await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _without_port(headers.get("host", "")) not in self._names:
            return PlainTextResponse("This host name is not served here.\n", status_code=421)
        path = scope["path"]
        cookie = HTTPConnection(scope).cookies.get(SESSION_COOKIE, "")
        session = self._sessions.get(cookie, use=_BY_ITSELF.fullmatch(path) is None)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["session"] = session
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._options.largest_body:
            raise _TooLarge
        if session is None and not path.startswith(_OPEN_PATHS):
            return _to_sign_in(scope, headers)
        return None

    async def _too_large(self, scope: Scope) -> Response:
        words = f"The request has more than {self._options.largest_body:,} bytes."
        if scope["path"].startswith("/api/"):
            return PlainTextResponse(f"{words}\n", status_code=413)
        return await self._on_error(Request(scope), HTTPException(413, f"{words} Choose a smaller file, or send less."))


def _to_sign_in(scope: Scope, headers: Headers) -> Response:
    """Send a person to the sign-in page and back afterwards; a part of a page makes the whole page go."""
    if scope["method"] == "GET" and "hx-request" not in headers:
        back = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    else:
        back = sent_from(headers)
    lost = scope["method"] != "GET" and scope["path"] != "/sign-out"
    query = query_of({"next": back if back != "/" else "", NOT_TAKEN: "1" if lost else ""})
    target = f"/sign-in?{query}" if query else "/sign-in"
    if "hx-request" in headers:
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


class _TooLarge(Exception):
    """The body has more bytes than are read."""


class _Bounded:
    """Receives a body until it is too large, whatever its length was said to be."""

    def __init__(self, receive: Receive, largest: int) -> None:
        self._receive = receive
        self._left = largest

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _TooLarge
        return message


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
