"""One door to the vendor: a prepared request goes in, an answer comes out, or an error that says what to do.

Each attempt ends in an `Ending`; the pure functions of `retry` say what follows from it.
"""

import logging
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import anyio
import httpx

from connector_host.contract.answers import Meaning, MeaningKind, RawAnswer, meaning_of_status, retry_after_seconds
from connector_host.contract.catalogue import Operation
from connector_host.contract.clock import Clock
from connector_host.contract.durations import duration
from connector_host.contract.errors import (
    Attempt,
    CallFacts,
    ConnectorHostError,
    CredentialsRejected,
    OutcomeUnknown,
    QuotaExhausted,
    VendorUnreachable,
)
from connector_host.contract.inputs import PreparedRequest
from connector_host.contract.manifest import HttpMethod
from connector_host.contract.secrets import Redactor, hide_secrets

from .answer import Answer
from .endings import Ending, Endings, outcome_of
from .flaws import flaw_of, is_cut_off
from .journal import Journal, keeping
from .retry import Done, Raise, Retry, RetryLimits, decide
from .stats import ConnectionStats
from .wording import Words, error_of

__all__ = ["Door", "Look", "ReadsAnswers", "Timeouts"]

_log = logging.getLogger("connector_host.engine")
Look = Callable[[bytes], Any]
"""Takes something out of a body, and raises ValueError where it is not what it looks for."""
_NOTHING = httpx.ByteStream(b"")
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FIRST_REDIRECT = 300


class ReadsAnswers(Protocol):
    """Says what an answer of the vendor means; None lets its HTTP status speak."""

    async def read_answer(self, operation: Operation, answer: RawAnswer, now: float) -> Meaning | None:
        """Return the meaning of one answer."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that each part of one request may take (decided; 30 s was seen to be too short for large batches)."""

    connect: float = 10.0
    read: float = 120.0
    write: float = 30.0


class Door:
    """Sends the requests of one connection. `vendor` is how messages call the other side."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        auth: httpx.Auth,
        reader: ReadsAnswers,
        *,
        vendor: str,
        instance: str,
        has_session: bool,
        clock: Clock,
        redactor: Redactor,
        stats: ConnectionStats,
        timeouts: Timeouts,
        jitter: Callable[[], float] = random.random,
        observer: Callable[[CallFacts], None] | None = None,
    ) -> None:
        self._client = client
        self._auth = auth
        self._reader = reader
        self._vendor = vendor
        self._endings = Endings(vendor, redactor)
        self._instance = instance
        self._has_session = has_session
        self._clock = clock
        self._redactor = redactor
        self._stats = stats
        self._timeouts = timeouts
        self._jitter = jitter
        self._observer = observer

    async def call(self, prepared: PreparedRequest, limits: RetryLimits, look: Look | None = None) -> Answer:
        """Send the request of an operation until it is answered, or raise what stands in the way.

        `look` takes what is wanted out of the body of a success; where it can, nobody else looks at the bytes.
        """
        operation = prepared.operation
        journal = self._journal(operation.id, limits)
        ending = await self._persist(
            lambda: self._attempt(prepared, journal, look), operation.kind, journal, limits, operation=operation
        )
        raw, meaning = ending.answer, ending.meaning
        if raw is None or meaning is None:  # pragma: no cover -- an ending that is done has both
            raise AssertionError("done without an answer")
        return Answer(
            operation,
            raw.status,
            raw.headers,
            raw.body,
            journal.request_id,
            len(journal.attempts),
            self._clock.monotonic() - journal.started,
            meaning,
            self._stats,
            ending.seen,
        )

    async def sign_in(self, work: Callable[[], Awaitable[None]], limits: RetryLimits) -> None:
        """Run the sending of a sign-in with the same patience and errors as a call."""
        journal = self._journal("sign-in", limits)

        async def once() -> Ending:
            return await self._guarded(work, journal) or Ending(MeaningKind.SUCCESS)

        await self._persist(once, "read", journal, limits)

    def _journal(self, operation: str, limits: RetryLimits) -> Journal:
        now = self._clock.monotonic()
        return Journal(operation, self._instance, uuid.uuid4().hex, now, now + limits.total)

    async def _persist(
        self,
        once: Callable[[], Awaitable[Ending]],
        kind: Literal["read", "write"],
        journal: Journal,
        limits: RetryLimits,
        *,
        operation: Operation | None = None,
    ) -> Ending:
        """Try until an attempt ends well. The clock decides; the cancel scope only ends what hangs."""
        failure: ConnectorHostError | None = None
        with keeping(journal), anyio.move_on_after(limits.total) as patience:
            while failure is None:
                began, waited = self._clock.monotonic() - journal.started, journal.waited
                ending = await once()
                number = len(journal.attempts) + 1
                journal.attempts.append(Attempt(number, began, outcome_of(ending, journal), journal.waited - waited))
                self._stats.waited_for_quota += journal.waited - waited
                decision = decide(
                    kind,
                    ending.happened,
                    attempt=number,
                    elapsed=self._clock.monotonic() - journal.started,
                    limits=limits,
                    jitter=self._jitter(),
                    retry_after=ending.retry_after,
                    quota_window=operation.rate.seconds if operation and operation.rate else None,
                )
                _log.debug(
                    "%s %s attempt %d: %s", journal.operation, journal.request_id, number, outcome_of(ending, journal)
                )
                if self._observer is not None:
                    self._observer(journal.facts())
                match decision:
                    case Done():
                        return ending
                    case Retry(after):
                        self._stats.retries += 1
                        await self._clock.sleep(after)
                    case Raise():
                        failure = self._failure(decision, ending, journal, operation)
        if failure is None or patience.cancelled_caught:
            failure = self._out_of_time(journal, kind, limits, operation)
        raise failure.with_call(journal.facts())

    async def _attempt(self, prepared: PreparedRequest, journal: Journal, look: Look | None) -> Ending:
        """Send the request once, and the redirects it is answered with; read the answer and what it means."""
        journal.in_doubt = False
        journal.status = None
        operation = prepared.operation
        found: list[RawAnswer] = []

        async def exchange() -> None:
            request, auth = self._request(prepared, journal), self._auth
            for _ in range(_MOST_REDIRECTS):
                response, body = await self._exchange(request, auth, journal)
                if not _may_follow(operation, response):
                    break
                target = response.url.join(response.headers["location"])
                # The credential goes only where the manifest's address or the session led it.
                auth = self._auth if _origin(target) == _origin(response.url) else httpx.Auth()
                request = httpx.Request("GET", target, extensions=_without_base(request.extensions))
            found.append(RawAnswer(response.status_code, dict(response.headers.items()), body))
            if is_cut_off(response, body):
                raise httpx.RemoteProtocolError("the body is shorter than its Content-Length")

        trouble = await self._guarded(exchange, journal)
        if trouble is not None:
            return trouble
        journal.in_doubt = False
        raw = found[0]
        self._stats.count_answer(raw.status, len(raw.body))
        return await self._understood(operation, raw, look)

    async def _exchange(
        self, request: httpx.Request, auth: httpx.Auth, journal: Journal
    ) -> tuple[httpx.Response, bytes]:
        response = await self._client.send(request, auth=auth, stream=True, follow_redirects=False)
        journal.status = response.status_code
        try:
            return response, await response.aread()
        finally:
            await response.aclose()
            # httpx ties the two to each other, and megabytes would wait for the collector of such rings.
            response.stream = _NOTHING

    def _request(self, prepared: PreparedRequest, journal: Journal) -> httpx.Request:
        headers = dict(prepared.headers)
        if prepared.content_type:
            headers["Content-Type"] = prepared.content_type
        left = max(0.001, journal.deadline - self._clock.monotonic())
        read = min(self._timeouts.read, left)
        operation = prepared.operation
        return httpx.Request(
            operation.method.value,
            f"https://{operation.base.replace('_', '-')}.invalid{prepared.target}",
            content=prepared.content,
            headers=headers,
            extensions={
                "base": operation.base,
                "base_target": prepared.target,  # httpx's own "target" would replace the path with its base
                "operation": operation.id,
                "timeout": {
                    "connect": min(self._timeouts.connect, left),
                    "read": read,
                    "write": min(self._timeouts.write, left),
                    "pool": left,
                },
            },
        )

    async def _guarded(self, work: Callable[[], Awaitable[None]], journal: Journal) -> Ending | None:
        """Run a piece that sends; return what went wrong, in words without secrets, or None."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- the auth handler is a connector's code and may raise anything
            return self._endings.of_error(error, journal)
        return None

    async def _understood(self, operation: Operation, raw: RawAnswer, look: Look | None) -> Ending:
        """Ask what the answer means; the words of a refusal lose their secrets before anyone reads them."""
        if raw.status >= _FIRST_REDIRECT:
            body = self._redactor(raw.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
            raw = RawAnswer(raw.status, raw.headers, body)
        now = self._clock.time()
        try:
            meaning = await self._reader.read_answer(operation, raw, now) or meaning_of_status(raw, now)
        except ConnectorHostError as error:
            hide_secrets(error, self._redactor)
            return Ending(MeaningKind.UNREADABLE, error.message, raw, error=error)
        seen = None
        if meaning.kind is MeaningKind.SUCCESS:
            seen = _seen(look, raw.body)
            if seen is None and (flaw := flaw_of(operation, raw)) is not None:
                return Ending(flaw, "it is no JSON", raw)
        said = self._redactor(meaning.message)
        wish = meaning.retry_after
        if wish is None and meaning.kind not in (MeaningKind.SUCCESS, MeaningKind.END_OF_LIST):
            wish = retry_after_seconds(raw.headers.get("retry-after"), now)
        return Ending(meaning.kind, said, raw, Meaning(meaning.kind, said, wish), wish, seen=seen)

    def _failure(
        self, decision: Raise, ending: Ending, journal: Journal, operation: Operation | None
    ) -> ConnectorHostError:
        if ending.error is not None:
            return ending.error
        kind = decision.error
        if ending.happened is MeaningKind.SESSION_DEAD and not self._has_session:
            kind = CredentialsRejected
        words = Words(
            self._vendor,
            journal.operation,
            ending.said,
            journal.status,
            operation.permissions if operation else (),
            write=operation is not None and operation.kind == "write",
        )
        return error_of(kind, words, decision.retry_after)

    def _out_of_time(
        self, journal: Journal, kind: Literal["read", "write"], limits: RetryLimits, operation: Operation | None
    ) -> ConnectorHostError:
        within = duration(limits.total) if limits.total >= 1 else f"{limits.total:g} s"
        said = f"nothing came within {within}"
        words = Words(self._vendor, journal.operation, said, journal.status, operation.permissions if operation else ())
        if journal.waiting_for_quota:
            return error_of(QuotaExhausted, words)
        return error_of(OutcomeUnknown if kind == "write" and journal.in_doubt else VendorUnreachable, words)


def _seen(look: Look | None, body: bytes) -> Any:
    if look is None or not body:
        return None
    with suppress(ValueError):
        return look(body)
    return None


def _may_follow(operation: Operation, response: httpx.Response) -> bool:
    return (
        operation.kind == "read"
        and operation.method is HttpMethod.GET
        and response.status_code in _REDIRECTS
        and bool(response.headers.get("location"))
    )


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _without_base(extensions: Mapping[str, object]) -> dict[str, object]:
    """Return the extensions for a request whose address is given: no base is to be put before it."""
    return {key: value for key, value in extensions.items() if key not in ("base", "base_target")}
