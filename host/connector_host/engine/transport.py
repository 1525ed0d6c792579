"""The real connections: kept open, and through the proxy that the machine's environment names."""

import asyncio
import ssl
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import httpcore
import httpx

from .sockets import AsyncioBackend

__all__ = ["Network", "network"]

_KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the 5 s after which common servers close: a write must not meet a connection that is just closing."""


_MOST_ROOM = 2**24
"""Bytes that are set aside for a body on the word of its header alone."""


def network(concurrency: int) -> httpx.AsyncBaseTransport:
    """Return a transport for so many connections at once."""
    direct = Network(concurrency)
    proxies = urllib.request.getproxies()
    address = proxies.get("https") or proxies.get("all")
    if not address:
        return direct
    return _ByHost(direct, Network(concurrency, proxy=httpx.Proxy(address)))


class Network(httpx.AsyncBaseTransport):
    """Sends requests over httpcore, as httpx's own transport does, and reads the body of an answer in one piece.

    Raises the errors of httpx.
    """

    def __init__(self, connections: int, *, proxy: httpx.Proxy | None = None) -> None:
        self._connections = connections
        self._proxy = proxy
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; the answer's body is read when it is asked for."""
        url = request.url
        pool = self._pools.get(url.scheme) or self._pool(url.scheme)
        with _errors_of_httpx():
            answer = await pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close the connections."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()
        await asyncio.sleep(0)  # asyncio closes the sockets in its next round

    def _pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        """Return the connections of a scheme. The authorities that are trusted are read only where they are needed."""
        trusted: ssl.SSLContext | None = httpx.create_ssl_context() if scheme == "https" else None
        pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            proxy=None if self._proxy is None else _as_of_httpcore(self._proxy),
            max_connections=self._connections,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=AsyncioBackend(),
        )
        self._pools[scheme] = pool
        return pool


def _as_of_httpcore(proxy: httpx.Proxy) -> httpcore.Proxy:
    return httpcore.Proxy(str(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)


class _Body(httpx.AsyncByteStream):
    """The body of an answer, in one piece: whoever reads it here wants all of it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        whole = _room_for(self._answer.headers)
        with _errors_of_httpx():
            async for part in self._answer.aiter_stream():
                whole.write(part)
        whole.truncate()
        yield whole.getvalue()

    async def aclose(self) -> None:
        # A task that is cancelled here would leave the connection taken for ever in httpcore's books.
        await asyncio.shield(asyncio.ensure_future(self._answer.aclose()))


def _room_for(headers: Sequence[tuple[bytes, bytes]]) -> BytesIO:
    """Return a place for a body that has room for all of it at once, so that it is never moved or copied."""
    whole = BytesIO()
    told = next((value for name, value in headers if name.lower() == b"content-length"), b"")
    if told.isdigit() and 0 < int(told) <= _MOST_ROOM:
        whole.seek(int(told) - 1)
        whole.write(b"\0")
        whole.seek(0)
    return whole


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Raise the errors of httpcore as those of the same name that httpx has."""
    try:
        yield
    except tuple(_ERRORS) as error:
        kind = next(_ERRORS[each] for each in type(error).__mro__ if each in _ERRORS)
        raise kind(str(error)) from error


_ERRORS: dict[type[BaseException], type[httpx.TransportError]] = {
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ProtocolError: httpx.ProtocolError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.WriteError: httpx.WriteError,
    httpcore.WriteTimeout: httpx.WriteTimeout,
}


class _ByHost(httpx.AsyncBaseTransport):
    """Sends https through the proxy, unless the environment excepts the host, and everything else directly."""

    def __init__(self, direct: httpx.AsyncBaseTransport, proxied: httpx.AsyncBaseTransport) -> None:
        self._direct = direct
        self._proxied = proxied

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        direct = request.url.scheme != "https" or bool(urllib.request.proxy_bypass(host))
        return await (self._direct if direct else self._proxied).handle_async_request(request)

    async def aclose(self) -> None:
        await self._direct.aclose()
        await self._proxied.aclose()
