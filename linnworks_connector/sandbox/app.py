"""The two web applications: the API address (sign-in, gateways, control) and the session server."""

import asyncio
import re
import socket
import struct
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from linnworks_connector.sandbox.answers import Answer
from linnworks_connector.sandbox.control_api import PREFIX, control_answer
from linnworks_connector.sandbox.engine import Asked, Engine, Side
from linnworks_connector.sandbox.faults import Fault

_SLASHES: Final = re.compile("/+")
"""Clients join addresses and paths carelessly; the vendor does not mind."""
TRANSPORT: Final = "sandbox_transport"
"""Key of the connection in the ASGI scope's state, for the faults that cut it."""


class SandboxApp:
    """An ASGI application for one of the two addresses."""

    def __init__(self, engine: Engine, side: Side) -> None:
        self.engine = engine
        self._side = side

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        asked = Asked(
            method=request.method,
            path=_SLASHES.sub("/", request.url.path),
            query=request.url.query,
            content_type=request.headers.get("content-type", ""),
            authorization=request.headers.get("authorization", ""),
            request_id=request.headers.get("x-request-id", ""),
            body=await request.body(),
        )
        if self._side == "api" and asked.path.startswith(PREFIX):
            await _send(control_answer(self.engine.control, asked), scope, receive, send)
            return
        told = self.engine.handle(self._side, asked)
        pause = self.engine.options.latency + (told.fault.seconds if told.fault and told.fault.kind == "slow" else 0)
        if pause:
            await asyncio.sleep(pause)
        if told.fault is not None and told.fault.kind in ("reset", "truncated"):
            await _cut(told.fault, told.answer, scope, receive, send)
            return
        await _send(told.answer, scope, receive, send)


async def _send(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    headers = dict(answer.headers)
    if answer.content:
        headers["Content-Type"] = answer.content_type
    await Response(answer.content, answer.status, headers)(scope, receive, send)


async def _cut(fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """End the connection before the answer is complete. Without a real connection, raise what a client would see."""
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError(f"sandbox fault: {fault.kind}")
    if fault.kind == "truncated":
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.content) + 1).encode()),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        half = answer.content[: len(answer.content) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport.close()
    else:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
