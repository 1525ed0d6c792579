"""The one seam that every request passes, sign-ins and redirects included."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from connector_host.contract.answers import retry_after_seconds
from connector_host.contract.catalogue import OperationRate
from connector_host.contract.clock import Clock
from connector_host.contract.hosts import AllowedHosts

from .journal import current_journal
from .stats import ConnectionStats
from .turnstile import Turnstile

__all__ = ["NOTHING_SENT", "Gate"]

NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Errors of httpx after which it is certain that no byte of the request reached the vendor."""

_SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class _Once:
    """Runs something at most once."""

    action: list[Callable[[], None]]

    def __call__(self) -> None:
        if self.action:
            self.action.pop()()


class _Body(httpx.AsyncByteStream):
    """An answer's body that gives its connection's place back when it is closed."""

    def __init__(self, stream: object, release: _Once) -> None:
        if not isinstance(stream, httpx.AsyncByteStream):  # pragma: no cover -- httpx promises it of async transports
            raise TypeError("an asynchronous transport answered with a synchronous body")
        self._stream = stream
        self._release = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._release()


class Gate(httpx.AsyncBaseTransport):
    """Checks the address, waits for the quota, sends, and counts.

    `rate_of` gives the vendor's limit of an operation by its id. Raises AddressNotAllowed and QuotaExhausted before a
    byte leaves. An answer with Retry-After closes its operation for everybody until then, whatever its status says.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        hosts: AllowedHosts,
        turnstile: Turnstile,
        rate_of: Callable[[str], OperationRate | None],
        clock: Clock,
        stats: ConnectionStats,
        user_agent: str,
    ) -> None:
        self._inner = inner
        self._hosts = hosts
        self._turnstile = turnstile
        self._rate_of = rate_of
        self._clock = clock
        self._stats = stats
        self._user_agent = user_agent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let one request through."""
        journal = current_journal()
        signing_in = bool(request.extensions.get("sign_in"))
        if signing_in and journal:
            # A sign-in in the middle of a call means that the vendor has answered, and refused, what left before.
            journal.in_doubt = False
        self._hosts.check(request.url)
        headers = request.headers
        headers["User-Agent"] = self._user_agent
        headers["Accept-Encoding"] = "gzip"
        headers.setdefault("Accept", "application/json")
        if journal:
            headers["X-Request-Id"] = journal.request_id
        operation = request.extensions.get("operation") or _SIGN_IN
        rate = self._rate_of(operation) if operation != _SIGN_IN else None
        release = _Once([await self._turnstile.admit(operation, rate, journal)])
        try:
            if journal and not signing_in:
                journal.in_doubt = True
            self._stats.count_request(operation, signing_in=signing_in)
            response = await self._inner.handle_async_request(request)
        except NOTHING_SENT:
            release()
            if journal:
                journal.in_doubt = False
            raise
        except BaseException:
            release()
            raise
        if response.is_closed:
            # A transport may answer with a body that has been read, which nobody will close again.
            release()
        else:
            response.stream = _Body(response.stream, release)
        try:
            await self._obey(response, operation, rate)
        except BaseException:
            await response.aclose()
            raise
        return response

    async def _obey(self, response: httpx.Response, operation: str, rate: OperationRate | None) -> None:
        if response.status_code < httpx.codes.BAD_REQUEST:
            return
        seconds = retry_after_seconds(response.headers.get("retry-after"), self._clock.time())
        if seconds:
            await self._turnstile.close_lane(operation, rate, seconds)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
