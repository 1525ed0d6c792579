"""The real connections: kept open, and through the proxy that the machine's environment names."""

import urllib.request

import httpx

__all__ = ["network"]

_KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the 5 s after which common servers close: a write must not meet a connection that is just closing."""


def network(concurrency: int) -> httpx.AsyncBaseTransport:
    """Return a transport for so many connections at once."""
    limits = httpx.Limits(
        max_connections=concurrency, max_keepalive_connections=concurrency, keepalive_expiry=_KEEP_ALIVE_SECONDS
    )
    direct = httpx.AsyncHTTPTransport(limits=limits)
    proxies = urllib.request.getproxies()
    address = proxies.get("https") or proxies.get("all")
    if not address:
        return direct
    return _ByHost(direct, httpx.AsyncHTTPTransport(limits=limits, proxy=httpx.Proxy(address)))


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
