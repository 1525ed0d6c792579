"""HTTP/1.1 over connections that stay open, for answers of megabytes.

Heads, and bodies without a known length, are read by h11, as httpcore does. A body with a Content-Length is taken from
the socket as it comes and put together once: through httpcore it is copied six times in pieces of 64 KB, which costs
more than everything else that a pull does with it. Errors are those of httpx.
"""

import select
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import h11
import httpx
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSStream

__all__ = ["Http1Transport"]

_MOST_READ = 2**18
_MOST_OF_A_HEAD = 100 * 1024
_END = h11.EndOfMessage()
_Origin = tuple[str, str, int]


class Http1Transport(httpx.AsyncBaseTransport):
    """Sends requests straight to their hosts. It does not bound how many connections there are.

    A connection that has been idle for `keep_alive` seconds is not used again. `trust` makes the TLS context, when the
    first https address is met; by default that of httpx.
    """

    def __init__(self, *, keep_alive: float, trust: Callable[[], ssl.SSLContext] = httpx.create_ssl_context) -> None:
        self._keep_alive = keep_alive
        self._trust = trust
        self._context: ssl.SSLContext | None = None
        self._idle: dict[_Origin, list[_Connection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer when the head has come."""
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        url = request.url
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"There is no way to send to {url.scheme}://.", request=request)
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
        connection = await self._reused(origin) or await self._connected(origin, timeouts.get("connect"), request)
        exchange = _Exchange(connection, request, timeouts, partial(self._keep, origin, connection))
        try:
            head = await exchange.begin()
        except BaseException:
            await connection.close()
            raise
        return httpx.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            stream=_Body(exchange),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

    async def aclose(self) -> None:
        """Close what is idle."""
        idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                await connection.close()

    async def _reused(self, origin: _Origin) -> "_Connection | None":
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if time.monotonic() - connection.idle_since < self._keep_alive and not connection.has_been_told():
                return connection
            await connection.close()
        return None

    async def _connected(self, origin: _Origin, seconds: float | None, request: httpx.Request) -> "_Connection":
        scheme, host, port = origin
        if scheme == "https" and self._context is None:
            self._context = await anyio.to_thread.run_sync(self._trust)
        with _as_httpx(httpx.ConnectTimeout, httpx.ConnectError, request), anyio.fail_after(seconds):
            stream: ByteStream = await anyio.connect_tcp(host, port)
            raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 -- a socket, no query of a database
            if scheme == "https":
                try:
                    stream = await TLSStream.wrap(
                        stream, hostname=host, ssl_context=self._context, standard_compatible=False
                    )
                except BaseException:
                    await anyio.aclose_forcefully(stream)
                    raise
        return _Connection(stream, raw)

    def _keep(self, origin: _Origin, connection: "_Connection") -> None:
        connection.idle_since = time.monotonic()
        self._idle.setdefault(origin, []).append(connection)


class _Connection:
    """One connection; `idle_since` says when its last exchange ended."""

    def __init__(self, stream: ByteStream, raw: socket.socket) -> None:
        self._stream = stream
        self._raw = raw
        self.idle_since = 0.0

    def has_been_told(self) -> bool:
        """Tell whether something has come while nothing was asked: its end, as a rule."""
        watch = select.poll()
        watch.register(self._raw, select.POLLIN)
        return bool(watch.poll(0))

    async def send(self, data: bytes) -> None:
        await self._stream.send(data)

    async def receive(self) -> bytes:
        """Return what comes next, nothing at its end."""
        try:
            return await self._stream.receive(_MOST_READ)
        except anyio.EndOfStream:
            return b""

    async def close(self) -> None:
        """Close it at once, even in a task that is being cancelled."""
        await anyio.aclose_forcefully(self._stream)


@dataclass(slots=True)
class _Exchange:
    """One request and its answer on a connection; `keep` takes the connection back when it can be used again."""

    connection: _Connection
    request: httpx.Request
    timeouts: Mapping[str, float | None]
    keep: Callable[[], None]
    protocol: h11.Connection = None  # type: ignore[assignment]  # made by `begin`
    head: h11.Response = None  # type: ignore[assignment]  # as above

    async def begin(self) -> h11.Response:
        """Send the request and return the answer's head."""
        self.protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_OF_A_HEAD)
        with _protocol_errors(self.request):
            await self._send()
            while True:
                event = await self._next_event()
                if isinstance(event, h11.Response):
                    self.head = event
                    return event

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body, and give the connection back when all of it has come."""
        with _protocol_errors(self.request):
            if (length := self._known_length()) is not None:
                yield await self._whole(length)
                return
            while not isinstance(event := await self._next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
            if self.protocol.our_state is h11.DONE and self.protocol.their_state is h11.DONE:
                self._done(rest=self.protocol.trailing_data[0])

    async def _send(self) -> None:
        request = self.request
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        parts = [self.protocol.send(head) or b""]
        if not isinstance(request.stream, httpx.AsyncByteStream):  # pragma: no cover -- httpx promises it
            raise TypeError("an asynchronous transport was given a synchronous body")
        parts += [self.protocol.send(h11.Data(data=part)) or b"" async for part in request.stream]
        parts.append(self.protocol.send(_END) or b"")
        try:
            with (
                _as_httpx(httpx.WriteTimeout, httpx.WriteError, request),
                anyio.fail_after(self.timeouts.get("write")),
            ):
                await self.connection.send(b"".join(parts))
        except httpx.WriteError:
            # A server that refuses early closes while it is sent to; its answer may have come all the same.
            return

    async def _next_event(self) -> Any:
        while (event := self.protocol.next_event()) is h11.NEED_DATA:
            data = await self._receive()
            if not data and self.protocol.their_state is h11.SEND_RESPONSE and not self.protocol.trailing_data[0]:
                raise httpx.RemoteProtocolError("The server closed without an answer.", request=self.request)
            self.protocol.receive_data(data)
        return event

    async def _receive(self) -> bytes:
        with _as_httpx(httpx.ReadTimeout, httpx.ReadError, self.request), anyio.fail_after(self.timeouts.get("read")):
            return await self.connection.receive()

    def _known_length(self) -> int | None:
        headers = dict(self.head.headers)
        bodiless = self.request.method == "HEAD" or self.head.status_code in (204, 304)
        if bodiless or b"transfer-encoding" in headers or b"content-length" not in headers:
            return None
        return int(headers[b"content-length"])

    async def _whole(self, length: int) -> bytes:
        first = bytes(self.protocol.trailing_data[0])
        del self.protocol  # with what it has received, a quarter of a megabyte
        parts, missing = [first[:length]], length - len(first)
        while missing > 0:
            data = await self._receive()
            if not data:
                raise httpx.RemoteProtocolError(
                    f"The server closed {missing} bytes before the end of its answer.", request=self.request
                )
            parts.append(data if len(data) <= missing else data[:missing])
            missing -= len(data)
        if missing == 0:
            self._done()
        return b"".join(parts)

    def _done(self, rest: bytes = b"") -> None:
        """Keep the connection unless either side wants it closed, or something unasked has come."""
        options = [value for name, value in self.head.headers if name == b"connection"]
        asked = self.request.headers.get("connection", "").lower()
        stays = self.head.http_version == b"1.1" and b"close" not in b",".join(options).lower() and "close" not in asked
        if stays and not rest:
            self.keep()
            self.keep = _given_back


def _given_back() -> None:
    """Do nothing: the connection is with somebody else."""


class _Body(httpx.AsyncByteStream):
    """The body of an answer. Closing it early closes the connection."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._exchange.body():
            yield part

    async def aclose(self) -> None:
        if self._exchange.keep is not _given_back:
            self._exchange.keep = _given_back
            await self._exchange.connection.close()


@contextmanager
def _as_httpx(
    late: type[httpx.TimeoutException], broken: type[httpx.NetworkError], request: httpx.Request
) -> Iterator[None]:
    """Turn what sockets raise into the errors of httpx."""
    try:
        yield
    except TimeoutError as error:
        raise late("", request=request) from error
    except (OSError, ssl.SSLError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
        raise broken(str(error.__cause__ or error), request=request) from error
    except anyio.EndOfStream as error:
        raise broken("The server closed the connection.", request=request) from error


@contextmanager
def _protocol_errors(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error), request=request) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
