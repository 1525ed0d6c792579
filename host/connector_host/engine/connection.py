"""An instance that is connected: calls, pages and records, over one door."""

import dataclasses
import datetime
import hashlib
import importlib.metadata
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio.to_thread
import httpx

from connector_host.contract.auth import AuthContext, SessionAuth
from connector_host.contract.catalogue import Operation, OperationRate
from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import CallFacts, PermissionMissing, UnknownName
from connector_host.contract.hosts import AllowedHosts
from connector_host.contract.inputs import check_input, prepare_request, wrapped
from connector_host.contract.manifest import AuthenticationMethod, BodyFormat, Manifest, RateLimit
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.secrets import Credentials, Redactor
from connector_host.contract.sessions import MemorySessionStore, Session, SessionStore
from connector_host.contract.stream_models import Stream
from connector_host.contract.variables import render, variables_in

from .answer import Answer
from .arguments import check_arguments
from .blocks import Reading
from .coded import pages_by_code
from .connects import Connects
from .door import Door, Look, Timeouts
from .gate import Gate
from .lanes import QuotaInUse
from .logs import hide_in_logs
from .plan import window_of
from .preparation import limited_by
from .pull import Asked, Bound, Page, pages_of
from .pushes import Pushes
from .quota import QuotaLedger, open_ledger
from .retry import RetryLimits
from .source import Source
from .stats import ConnectionStats
from .surroundings import Surroundings
from .transport import network
from .turnstile import Turnstile
from .ways import choose_way

__all__ = ["Connection", "SignedIn"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in told: the account as the vendor calls it, and the address of each base of the catalogue.

    `verified` is False where the authentication method opens no session, so that nothing was asked of the vendor.
    """

    verified: bool
    account: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime.datetime | None = None


class Connection(Pushes):
    """One instance's way to its vendor; use it as `async with`, or call `open` and `aclose`.

    `quota` is shared by connections that are given the same ledger, `sessions` by those with the same credentials.
    `encodings` overrides how the bodies of single operations are written. `transport` replaces the network. `observer`
    is told of every attempt as it ends, the newest last in the facts; it must be quick and not raise.
    """

    def __init__(
        self,
        connector: Connects,
        credentials: Credentials,
        settings: Mapping[str, Any],
        *,
        method: AuthenticationMethod,
        instance: str = "",
        sessions: SessionStore | None = None,
        quota: QuotaLedger | None = None,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        rate_limit: RateLimit | None = None,
        concurrency: int = 4,
        limits: RetryLimits | None = None,
        timeouts: Timeouts | None = None,
        encodings: Mapping[str, BodyFormat] | None = None,
        observer: Callable[[CallFacts], None] | None = None,
    ) -> None:
        check_arguments(
            "No connection can be made like this.",
            transport=transport,
            limits=limits,
            timeouts=timeouts,
            encodings=encodings,
            observer=observer,
        )
        self.connector = connector
        self.instance = instance
        self.stats = ConnectionStats()
        self.redactor = redactor or Redactor()
        self.redactor.add(*credentials.secret_values)
        self.hosts = AllowedHosts.for_instance(connector.manifest.allowed_hosts, settings)
        self._scope = connector.scope(credentials)
        self._credentials = credentials
        self._settings = dict(settings)
        self._method = method
        self._sessions = sessions or MemorySessionStore()
        self._clock = clock or SystemClock()
        ledger = quota if quota is not None else open_ledger(clock=self._clock)
        self._transport = transport
        self._concurrency = concurrency
        self._limits = limits or RetryLimits()
        self._timeouts = timeouts or Timeouts()
        self._encodings = dict(encodings or {})
        self._observer = observer
        owner = _owner(connector.manifest, method, credentials, settings)
        self._turnstile = Turnstile(ledger, owner, self._clock, rate_limit=rate_limit, concurrency=concurrency)
        self._client: httpx.AsyncClient | None = None
        self._auth: httpx.Auth | None = None
        self._door_: Door | None = None

    async def open(self) -> Self:
        """Make the auth handler and the client; nothing is sent yet."""
        if self._client is not None:
            return self
        manifest = self.connector.manifest
        hide_in_logs(self.redactor)
        context = AuthContext(
            manifest, self._method, self._credentials, self._settings, self.redactor, self._sessions, self._clock
        )
        self._auth = await anyio.to_thread.run_sync(self.connector.auth_handler, context)
        transport = self._transport
        if transport is None:
            transport = await anyio.to_thread.run_sync(network, self._concurrency)
        gate = Gate(
            transport,
            hosts=self.hosts,
            turnstile=self._turnstile,
            rate_of=self._rate_of,
            clock=self._clock,
            stats=self.stats,
            user_agent=f"connector-host/{_version()} {manifest.name}/{manifest.version_name}",
        )
        self._client = httpx.AsyncClient(transport=gate, trust_env=False)
        self._door_ = Door(
            self._client,
            self._auth,
            self.connector,
            vendor=manifest.label,
            instance=self.instance,
            has_session=isinstance(self._auth, SessionAuth) or self._method.sign_in is not None,
            clock=self._clock,
            redactor=self.redactor,
            stats=self.stats,
            timeouts=self._timeouts,
            observer=self._observer,
        )
        return self

    async def aclose(self) -> None:
        """Close every connection to the vendor."""
        client, self._client, self._door_ = self._client, None, None
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def call(
        self,
        operation_id: str,
        given: Mapping[str, Any] | None = None,
        *,
        allow_unknown: bool = False,
        total_timeout: float | None = None,
    ) -> Answer:
        """Call any operation of the catalogue with its input, checked before anything is sent.

        `allow_unknown` lets fields pass that the catalogue does not know; `total_timeout` bounds the call in seconds,
        waiting for its quota included. An answer that says that a list has ended is an answer, not an error.

        Raises UnknownName, InputInvalid and PermissionMissing before anything is sent, and the errors of sign-in,
        quota, network and vendor as `contract.errors` describes them; each carries the call's facts.
        """
        check_arguments(
            "The operation cannot be called like this.",
            operation_id=operation_id,
            given=given,
            allow_unknown=allow_unknown,
            total_timeout=total_timeout,
        )
        operation = self.connector.catalogue.get(operation_id)
        self._check_scope(operation)
        name = self.connector.manifest.name
        value = check_input(operation, given or {}, allow_unknown=allow_unknown, connector=name)
        prepared = prepare_request(operation, value, encoding=self._encodings.get(operation.id))
        limits = self._limits if total_timeout is None else dataclasses.replace(self._limits, total=total_timeout)
        return await self._door.call(prepared, limits)

    async def ask(self, operation_id: str, given: Mapping[str, Any], look: Look | None = None) -> Answer:
        """Call an operation as the reading of a stream does: often, and always with an input of the same form.

        Its form was checked with the connector, and is trusted. `look` takes what is wanted out of the body. Raises
        what `call` raises.
        """
        operation = self.connector.catalogue.get(operation_id)
        self._check_scope(operation)
        prepared = prepare_request(operation, wrapped(operation, given), encoding=self._encodings.get(operation.id))
        return await self._door.call(prepared, self._limits, look)

    async def pages(
        self,
        stream: str | Stream,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Page]:
        """Yield the stream's records page by page, as bytes. Times have a zone and are inclusive.

        What stands on the edge of two of the windows of time that a long pull is made of comes once, as it was first
        read, and an id that two lists give is looked up once. No store of keys is kept beyond that. So what comes twice
        is a record that moves while it is read, to a later time or another page, one that two lists give without
        details, and one that the stream's code gives twice. The command and `Sync` keep keys, and write a record again
        only where it has changed.

        Raises UnknownName and InputInvalid, and what `call` raises.
        """
        check_arguments("The stream cannot be pulled like this.", stream=stream, since=since, until=until, limit=limit)
        stream = self.stream(stream) if isinstance(stream, str) else stream
        bound = Bound(limit)
        streams = self.surroundings.streams
        window = window_of(limited_by(stream, {**streams, stream.name: stream}), since, until, self._clock.time())
        way = await choose_way(stream, self.surroundings, Reading(window, most=bound))
        asked = Asked(way)
        source = Source(stream, way, self.surroundings, reading=Reading(window, most=bound, known_ids=asked))
        async with aclosing(pages_of(source, bound, asked)) as pages:
            async for page in pages:
                yield page

    async def pull(
        self,
        stream: str | Stream,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Any]:
        """Yield the stream's records one by one, decoded; an object is a dict."""
        async for page in self.pages(stream, since=since, until=until, limit=limit):
            for record in page.decoded():
                yield record

    async def sign_in_check(self) -> SignedIn:
        """Sign in now, whatever session is at hand, and tell the account and the addresses it led to.

        Raises CredentialsRejected, and what `call` raises on the way to the vendor.
        """
        door, auth, client = self._door, self._auth, self._client
        if not isinstance(auth, SessionAuth) or client is None:
            return SignedIn(verified=False, account="", addresses=self._addresses({}))
        opened: list[Session] = []

        async def work() -> None:
            opened.append(await auth.sign_in(client.send))

        await door.sign_in(work, self._limits)
        session = opened[-1]
        ends = session.expires_at
        return SignedIn(
            verified=True,
            account=session.account,
            addresses=self._addresses(session.variables),
            expires_at=None if ends is None else datetime.datetime.fromtimestamp(ends, datetime.UTC),
        )

    def quota_in_use(self) -> QuotaInUse:
        """Return how much of the quota is in use now.

        Every operation is there that has called within its window or is closed by the vendor, whoever has called it:
        this connection, or any other with the same credentials and ledger, in whatever process. An operation without a
        limit of its own is there while its calls count in the instance's.
        """
        return self._turnstile.in_use()

    def quota_share(self) -> float | None:
        """Return how much is in use of the fullest quota that this connection's calls count in, from 0 to 1."""
        used = [self._turnstile.usage(each, self._rate_of(each)) for each in self.stats.by_operation]
        shares = [each.used / each.limit for each in (*used, self._turnstile.instance_usage()) if each and each.limit]
        return max(shares, default=None)

    @property
    def _door(self) -> Door:
        if self._door_ is None:
            raise RuntimeError("the connection is not open: use it as `async with`, or await its open()")
        return self._door_

    def _rate_of(self, operation_id: str) -> OperationRate | None:
        catalogue = self.connector.catalogue
        return catalogue.get(operation_id).rate if operation_id in catalogue else None

    @property
    def clock(self) -> Clock:
        """The clock that it waits by."""
        return self._clock

    @property
    def surroundings(self) -> Surroundings:
        """What reading a stream needs of it."""
        manifest = self.connector.manifest
        return Surroundings(
            call=self.ask,
            streams={each.name: each for each in manifest.streams},
            catalogue=self.connector.catalogue,
            settings=self._settings,
            date_format=self._settings.get("date_format") or manifest.date_format,
            width=self._concurrency,
            coded=partial(
                pages_by_code,
                self.connector,
                call=self.call,
                settings=self._settings,
                clock=self._clock,
                redactor=self.redactor,
            ),
        )

    def stream(self, name: str) -> Stream:
        """Return the stream of that name. Raises UnknownName with the nearest."""
        streams = {stream.name: stream for stream in self.connector.manifest.streams}
        if name not in streams:
            raise UnknownName(
                f'There is no stream "{name}".',
                next_step=did_you_mean(name, streams) or f"There are: {', '.join(streams) or 'none'}.",
            )
        return streams[name]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The instance's settings, by key."""
        return self._settings

    def check_scope(self, operations: Iterable[str]) -> None:
        """Raise PermissionMissing where the scope does not cover one of the operations."""
        for operation_id in operations:
            self._check_scope(self.connector.catalogue.get(operation_id))

    def _check_scope(self, operation: Operation) -> None:
        missing = self._scope.missing(operation.permissions) if self._scope else []
        section = self.connector.manifest.permissions
        if missing:
            key = section.credential if section else "scope"
            label = next((each.label for each in self._method.credentials if each.key == key), key)
            raise PermissionMissing(
                f"{operation.id} needs the permission {', '.join(missing)}, which the scope does not cover.",
                missing=missing,
                next_step=f"Add {' '.join(missing)} to the credential {label}, and grant it at the vendor.",
            )

    def _addresses(self, session: Mapping[str, str]) -> dict[str, str]:
        values = {**self._settings, **{f"session.{key}": value for key, value in session.items()}}
        found = {}
        for base, template in self.connector.manifest.operations.addresses.items():
            try:
                found[base] = self.redactor(str(render(template, values)))
            except KeyError:
                continue
        return found


def _owner(
    manifest: Manifest, method: AuthenticationMethod, credentials: Credentials, settings: Mapping[str, Any]
) -> str:
    """Return whose quota it is: the same for the same credentials at the same place, and telling nothing of them."""
    place = {*variables_in(manifest.operations.addresses), *variables_in(method.sign_in.url if method.sign_in else "")}
    facts = (manifest.name, method.name, sorted(credentials.items()), [str(settings.get(key)) for key in sorted(place)])
    return hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()


def _version() -> str:
    try:
        return importlib.metadata.version("connector-host")
    except importlib.metadata.PackageNotFoundError:  # pragma: no cover -- run from a folder that is not installed
        return "0"
