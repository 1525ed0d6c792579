"""Authentication as `httpx.Auth`: headers and addresses from the manifest, and sessions that are shared and renewed.

A request carries the name of its base and its path in `request.extensions` (`base`, `target`). The auth handler puts
the address and the headers on it, because both may come from the session.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
import httpx

from .clock import Clock
from .errors import AddressNotAllowed, ConfigurationError, CredentialsRejected
from .hosts import AllowedHosts
from .manifest import AuthenticationMethod, BodyFormat, Manifest
from .secrets import Credentials, Redactor
from .sessions import Rejection, Session, SessionStore
from .variables import render

__all__ = ["AuthContext", "ManifestAuth", "SessionAuth"]


@dataclass(frozen=True)
class AuthContext:
    """What an auth handler works with: one instance's credentials and settings, and where its sessions are kept.

    `redactor` is to be taught every secret that the handler comes by.
    """

    manifest: Manifest
    method: AuthenticationMethod
    credentials: Credentials
    settings: Mapping[str, Any]
    redactor: Redactor
    sessions: SessionStore
    clock: Clock


class ManifestAuth(httpx.Auth):
    """Sends the headers of the authentication method with every call: tokens, keys, basic.

    The default where a connector's hook gives no handler of its own.
    """

    def __init__(self, context: AuthContext) -> None:
        self.context = context
        context.redactor.add(*context.credentials.secret_values)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Address and sign the request."""
        self.sign(request, {})
        yield request

    def sign(self, request: httpx.Request, session: Mapping[str, str]) -> None:
        """Put address and headers on a request, from credentials, settings and the session's variables."""
        values = self.variables(session)
        base = request.extensions.get("base")
        if base is not None:
            address = str(render(self.context.manifest.operations.addresses[base], values)).rstrip("/")
            request.url = httpx.URL(address + request.extensions["base_target"])
            request.headers["Host"] = request.url.netloc.decode("ascii")
        for name, template in self.context.method.headers.items():
            request.headers[name] = str(render(template, values))

    def variables(self, session: Mapping[str, str]) -> dict[str, Any]:
        """Return everything that a template of the manifest may name."""
        return {
            **self.context.settings,
            **self.context.credentials,
            **{f"session.{key}": value for key, value in session.items()},
        }


class SessionAuth(ManifestAuth, ABC):
    """Opens a session with the manifest's `sign_in` request, shares it, renews it, and survives its death.

    One sign-in serves however many calls wait for it, in all threads, tasks and processes that share the store. A
    call that is refused with 401 is repeated once with a new session. Credentials that the vendor rejects raise
    CredentialsRejected and are not sent again until they change.

    A connector's handler says how an answer becomes a session: `read_session`.
    """

    requires_request_body = True
    renew_before_seconds = 60.0
    """How long before its end a session is renewed, at most a tenth of its life (decided)."""

    def __init__(self, context: AuthContext) -> None:
        super().__init__(context)
        self._session: Session | None = None
        self._last_used = 0.0
        self._task_lock = anyio.Lock()
        self._lock_thread = anyio.CapacityLimiter(1)

    @abstractmethod
    def read_session(self, response: httpx.Response) -> Session:
        """Return the session that a sign-in's answer opened; its body has been read.

        Raises CredentialsRejected when the vendor refuses the credentials, QuotaExhausted, VendorFault or
        AnswerUnreadable otherwise. Messages carry no secret.
        """

    def session_died(self, response: httpx.Response) -> bool:
        """Tell whether an answer means that the session is over; 401 by default."""
        return response.status_code == httpx.codes.UNAUTHORIZED

    def sign_in_request(self) -> httpx.Request:
        """Build the manifest's sign-in request. It takes the quota of its operation in the catalogue."""
        sign_in = self.context.method.sign_in
        if sign_in is None:
            raise TypeError(f"{self.context.method.name} declares no sign_in")
        values = self.variables({})
        body = {key: str(render(template, values)) for key, template in sign_in.body.items()}
        return httpx.Request(
            sign_in.method.value,
            str(render(sign_in.url, values)),
            headers={"Accept": "application/json", **{k: str(render(v, values)) for k, v in sign_in.headers.items()}},
            json=body if sign_in.body_format is BodyFormat.JSON else None,
            data=body if sign_in.body_format is BodyFormat.FORM else None,
            extensions={
                "operation": sign_in.operation,
                "timeout": httpx.Timeout(sign_in.timeout).as_dict(),
                "sign_in": True,
            },
        )

    def usable(self, session: Session | None) -> bool:
        """Tell whether a session is worth trying: neither about to end nor idle for too long."""
        if session is None:
            return False
        now = self.context.clock.time()
        if session.expires_at is not None:
            margin = self._margin(session.expires_at - session.signed_in_at)
            if now >= session.expires_at - margin:
                return False
        if session.idle_seconds is not None:
            last_used = max(self._last_used, session.signed_in_at)
            return now - last_used < session.idle_seconds - self._margin(session.idle_seconds)
        return True

    def _margin(self, life: float) -> float:
        return min(self.renew_before_seconds, life / 10)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request with a shared session; on 401 sign in once more and repeat it once."""
        await request.aread()
        dead: Session | None = None
        for _ in range(2):
            session = self._at_hand(dead)
            if session is None:
                async with self._task_lock, _in_thread(self.context.sessions.signing_in(), self._lock_thread):
                    session = await anyio.to_thread.run_sync(self._recheck, dead)
                    if session is None:
                        answer = yield self.sign_in_request()
                        await answer.aread()
                        session = await anyio.to_thread.run_sync(self._take, answer)
            self.sign(request, session.variables)
            response = yield request
            if not self.session_died(response):
                self._last_used = self.context.clock.time()
                return
            await response.aread()
            dead = session

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Do the same for `httpx.Client`."""
        request.read()
        dead: Session | None = None
        for _ in range(2):
            session = self._at_hand(dead)
            if session is None:
                with self.context.sessions.signing_in():
                    session = self._recheck(dead)
                    if session is None:
                        answer = yield self.sign_in_request()
                        answer.read()
                        session = self._take(answer)
            self.sign(request, session.variables)
            response = yield request
            if not self.session_died(response):
                self._last_used = self.context.clock.time()
                return
            response.read()
            dead = session

    async def sign_in(self, send: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> Session:
        """Open a new session now, whatever is at hand, and share it; `send` sends a request as it is.

        Raises what `read_session` raises, and CredentialsRejected for credentials that are known to be wrong.
        """
        async with self._task_lock, _in_thread(self.context.sessions.signing_in(), self._lock_thread):
            known = await anyio.to_thread.run_sync(self.context.sessions.load)
            if isinstance(known, Rejection):
                raise self._rejected_before(known)
            answer = await send(self.sign_in_request())
            await answer.aread()
            return await anyio.to_thread.run_sync(self._take, answer)

    def _at_hand(self, dead: Session | None) -> Session | None:
        session = self._session
        return session if session is not None and session != dead and self.usable(session) else None

    def _recheck(self, dead: Session | None) -> Session | None:
        """Look again now that no other sign-in is under way: it may have been done meanwhile."""
        if dead is not None:
            self.context.sessions.forget(dead)
            self._session = None if self._session == dead else self._session
        known = self._at_hand(dead) or self.context.sessions.load()
        if isinstance(known, Rejection):
            raise self._rejected_before(known)
        if known is None or known == dead or not self.usable(known):
            return None
        return self._keep(known)

    def _rejected_before(self, known: Rejection) -> CredentialsRejected:
        return CredentialsRejected(
            f"The credentials were rejected before: {self.context.redactor(known.message)}",
            next_step="Correct the credentials of this instance; they are not tried again until they change.",
        )

    def _take(self, answer: httpx.Response) -> Session:
        """Read the sign-in's answer, and remember what came of it."""
        if answer.has_redirect_location:
            raise self._redirected(answer)
        try:
            session = self.read_session(answer)
        except CredentialsRejected as error:
            self.context.sessions.save(Rejection(self.context.redactor(error.message), self.context.clock.time()))
            raise
        self._keep(session)
        self.context.sessions.save(session)
        return session

    def _redirected(self, answer: httpx.Response) -> ConfigurationError:
        """Return the error for a sign-in that was sent elsewhere: its secrets do not follow by themselves (decided)."""
        vendor = self.context.manifest.label
        target = answer.url.join(answer.headers["location"])  # httpx has refused what is no address
        place = self.context.redactor(target.netloc.decode("ascii"))
        try:
            AllowedHosts.for_instance(self.context.manifest.allowed_hosts, self.context.settings).check(target)
        except AddressNotAllowed:
            return AddressNotAllowed(
                f"{vendor} redirects the sign-in to {target.scheme}://{place}, which is not among the allowed hosts "
                "(https only); nothing was sent there.",
                next_step="Check the address in the instance's settings; if it is right, report it to the vendor.",
            )
        return ConfigurationError(
            f"{vendor} redirects the sign-in to another place at {place}, and secrets are not sent on by themselves.",
            next_step=f"If the vendor signs in there now, set the address in the instance's settings to "
            f"{target.scheme}://{place}; otherwise report it to the vendor.",
        )

    def _keep(self, session: Session) -> Session:
        self.context.redactor.add(*session.secret_values)
        self._session = session
        return session


@asynccontextmanager
async def _in_thread(block: AbstractContextManager[None], limiter: anyio.CapacityLimiter) -> AsyncIterator[None]:
    """Enter and leave a block that may wait for another process, without holding up the event loop.

    A task that is cancelled while it waits does not keep the block: whoever enters last lets go of it.
    """
    entry = _Entry(block)
    try:
        await anyio.to_thread.run_sync(entry.enter, limiter=limiter, abandon_on_cancel=True)
        yield
    finally:
        if entry.give_up():
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(block.__exit__, None, None, None)


class _Entry:
    """The entering of a block by a worker thread, which nobody may be waiting for any more when it gets there."""

    def __init__(self, block: AbstractContextManager[None]) -> None:
        self._block = block
        self._lock = threading.Lock()
        self._entered = False
        self._given_up = False

    def enter(self) -> None:
        self._block.__enter__()
        with self._lock:
            self._entered = True
            alone = self._given_up
        if alone:
            self._block.__exit__(None, None, None)

    def give_up(self) -> bool:
        """Leave the block to nobody; return whether it has been entered, and is to be left by the caller."""
        with self._lock:
            self._given_up = True
            return self._entered
