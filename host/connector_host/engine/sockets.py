"""TCP and TLS connections for httpcore, straight from asyncio: what has come is handed on as it came.

httpcore's own go through anyio in pieces of 64 KB; a page of a megabyte takes six tenths of their CPU time (measured).
"""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpcore

__all__ = ["AsyncioBackend"]

_MOST_WAITING = 2**19
"""Bytes that may wait to be read before the connection pauses."""
_HAPPY_EYEBALLS_SECONDS = 0.25
"""How long an address is tried before the next one is tried beside it (RFC 8305)."""


class _Buffered(asyncio.Protocol):
    """The asyncio side of one connection: keeps what came until it is read."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.ended = False
        self.error: Exception | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._paused = False
        self._came = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size >= _MOST_WAITING and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        self._came.set()

    def eof_received(self) -> None:
        self.ended = True
        self._came.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.error = True, exc
        self._came.set()
        self._may_write.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    @property
    def readable(self) -> bool:
        """Whether a read would return at once, also with nothing because the other side has closed."""
        return self.ended or bool(self._parts)

    async def take(self) -> bytes:
        """Return what has come, once something has; nothing after the end. Raises what broke the connection."""
        if not self.readable:
            self._came.clear()
            await self._came.wait()
        parts, self._parts, self._size = self._parts, [], 0
        if self._paused and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()
        if not parts and self.error is not None:
            raise self.error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def put(self, data: bytes) -> None:
        """Write, and wait while more is under way than the other side takes."""
        if self.transport is None or self.ended:
            raise self.error or ConnectionResetError("the connection is closed")
        self.transport.write(data)
        await self._may_write.wait()

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        """Speak TLS from here on."""
        if self.transport is None or self.ended:
            raise self.error or ConnectionResetError("the connection is closed")
        loop = asyncio.get_running_loop()
        self.transport = await loop.start_tls(self.transport, self, context, server_hostname=server_hostname)


class _Stream(httpcore.AsyncNetworkStream):
    """One connection as httpcore uses it."""

    def __init__(self, protocol: _Buffered) -> None:
        self._protocol = protocol

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's signature
        """Return what has come, however much: httpcore's parser takes any amount, and pieces would cost copies."""
        del max_bytes
        async with _errors(timeout, httpcore.ReadTimeout, httpcore.ReadError):
            return await self._protocol.take()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- httpcore's signature
        if buffer:
            async with _errors(timeout, httpcore.WriteTimeout, httpcore.WriteError):
                await self._protocol.put(buffer)

    async def aclose(self) -> None:
        """Close at once, without a step at which a cancelled task could leave httpcore's books half done."""
        if self._protocol.transport is not None:
            self._protocol.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with _errors(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
                await self._protocol.start_tls(ssl_context, server_hostname)
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._protocol.readable
        transport = self._protocol.transport
        return None if transport is None else transport.get_extra_info(_EXTRA.get(info, info))


_EXTRA = {"client_addr": "sockname", "server_addr": "peername"}
"""httpcore's names of what asyncio calls otherwise."""


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections in the running asyncio loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first of the host's addresses that answers. Raises what httpcore's own raise."""
        async with _errors(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
            transport, protocol = await asyncio.get_running_loop().create_connection(
                _Buffered,
                host,
                port,
                local_addr=(local_address, 0) if local_address else None,
                # asyncio forgets the socket of a race that is won in the moment in which it is cancelled.
                happy_eyeballs_delay=None if _is_address(host) else _HAPPY_EYEBALLS_SECONDS,
            )
            for option in socket_options or ():
                transport.get_extra_info("socket").setsockopt(*option)
        return _Stream(protocol)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@asynccontextmanager
async def _errors(
    seconds: float | None, too_late: type[httpcore.TimeoutException], broken: type[httpcore.NetworkError]
) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise too_late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error
