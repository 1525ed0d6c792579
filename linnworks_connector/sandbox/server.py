"""Starts a sandbox on loopback sockets: the API address and the session server, in a background thread.

with start_sandbox(SandboxOptions(orders=50, items=50)) as sandbox:
    sandbox.address, sandbox.credentials, sandbox.settings
"""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from linnworks_connector.sandbox.app import TRANSPORT, SandboxApp
from linnworks_connector.sandbox.clock import ManualClock, SystemClock
from linnworks_connector.sandbox.control import Control
from linnworks_connector.sandbox.engine import Engine
from linnworks_connector.sandbox.options import OPTIONS_SCHEMA, SandboxOptions
from linnworks_connector.sandbox.shop import Shop

__all__ = [
    "OPTIONS_SCHEMA",
    "ManualClock",
    "RunningSandbox",
    "SandboxOptions",
    "SystemClock",
    "create_apps",
    "start_sandbox",
]

_START_SECONDS: Final = 30.0
_BACKLOG: Final = 512
_LEAVE_TURNS: Final = 10
IN_PROCESS_SERVER: Final = "http://session.sandbox.localhost"
"""What sign-ins name as `Server` when the applications run without sockets."""


def create_apps(
    options: SandboxOptions | None = None, *, server_address: str = IN_PROCESS_SERVER
) -> tuple[SandboxApp, SandboxApp]:
    """Return the ASGI applications of the API address and of the session server, which share one shop."""
    engine = Engine(options or SandboxOptions(), server_address)
    return SandboxApp(engine, "api"), SandboxApp(engine, "server")


class _Protocol(H11Protocol):
    """uvicorn's protocol, with the connection within reach of the faults that cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        self.app_state = {**self.app_state, TRANSPORT: transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """uvicorn without its polling: it stops at once when it is told to."""

    def __init__(self, app: SandboxApp) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=_Protocol, ws="none", lifespan="off", log_config=None, access_log=False,
                server_header=False, timeout_keep_alive=60, backlog=_BACKLOG,
            )
        )  # fmt: skip
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let `serve` return. Must be called in the server's own loop."""
        self._stopping.set()

    async def main_loop(self) -> None:
        """Wait for `stop`."""
        await self.on_tick(0)
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listening sockets, then every connection, whatever goes on in it."""
        for listener in self.servers:
            listener.close()
        for opened in sockets or []:
            opened.close()
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in list(self.server_state.connections):
            transport: asyncio.Transport = connection.transport
            transport.abort()
        # aborted connections and cancelled tasks take leave in the loop's next turns
        for _ in range(_LEAVE_TURNS):
            await asyncio.sleep(0)


class RunningSandbox:
    """A sandbox that answers on loopback sockets until `close`. A context manager."""

    def __init__(self, options: SandboxOptions, host: str, port: int) -> None:
        api, server = _listen(host, port), _listen(host, 0)
        self.options = options
        self.address: str = _address(api)
        """Sign-in, `/v1`, `/v2` and `/_sandbox/` are here."""
        self.server_address: str = _address(server)
        """The session server: every `/api/...` call but sign-in."""
        try:
            self.engine = Engine(options, self.server_address)
        except BaseException:
            api.close()
            server.close()
            raise
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[_Server] = []
        self._thread = threading.Thread(target=self._run, args=(api, server), name="linnworks-sandbox", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or self._failure is not None:
            raise RuntimeError("the sandbox did not start") from self._failure

    @property
    def shop(self) -> Shop:
        """The state behind the answers. Hold `shop.lock` to look at several things that must agree."""
        return self.engine.shop

    @property
    def control(self) -> Control:
        """Faults, clock, counters and proofs."""
        return self.engine.control

    @property
    def credentials(self) -> dict[str, str]:
        """The six credentials that this sandbox accepts."""
        granted = self.options.permissions
        return {
            "scope": "all" if granted == "all" else " ".join(granted),
            "token": self.options.token,
            "application_id": self.options.application_id,
            "application_secret": self.options.application_secret,
            "grant_type": "client_credentials",
            "response_authentication_token_key": "token",
        }

    @property
    def settings(self) -> dict[str, Any]:
        """The instance settings that point a connector here."""
        return {"api_address": self.address}

    def close(self) -> None:
        """Stop answering and free the sockets. May be called more than once."""
        loop = self._loop
        if loop is None or not self._thread.is_alive():
            return
        for server in self._servers:
            loop.call_soon_threadsafe(server.stop)
        self._thread.join()

    def wait(self) -> None:
        """Wait until the sandbox is closed, or interrupted from the keyboard."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, api: socket.socket, server: socket.socket) -> None:
        try:
            asyncio.run(self._serve(api, server))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that started this one
            self._failure = error
        finally:
            api.close()
            server.close()
            self._ready.set()

    async def _serve(self, api: socket.socket, server: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._servers = [_Server(SandboxApp(self.engine, "api")), _Server(SandboxApp(self.engine, "server"))]
        self._loop.call_soon(self._ready.set)
        first, second = self._servers
        await asyncio.gather(first.serve(sockets=[api]), second.serve(sockets=[server]))


def start_sandbox(options: SandboxOptions | None = None, host: str = "127.0.0.1", port: int = 0) -> RunningSandbox:
    """Start a sandbox and return once it answers.

    `port` 0 takes a free one; the session server always takes a free one. Raises OSError when the port is taken.
    """
    return RunningSandbox(options or SandboxOptions(), host, port)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, so that asyncio turns Nagle's delay off: 40 ms an answer otherwise
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(_BACKLOG)
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


def _address(opened: socket.socket) -> str:
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
