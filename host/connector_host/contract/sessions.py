"""Sessions with a vendor: what signing in gave, and where it is kept so that it is done once."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["MemorySessionStore", "Rejection", "Session", "SessionStore"]


@dataclass(frozen=True, slots=True)
class Session:
    """What a sign-in gave. Times are seconds since the epoch.

    `variables` are used as `{{session.name}}` in the manifest's headers and addresses; those named in `secret` never
    show. `expires_at` is None when the vendor did not say; `idle_seconds` is how long it lives without a call.
    """

    variables: Mapping[str, str] = field(repr=False)
    secret: frozenset[str]
    signed_in_at: float
    expires_at: float | None = None
    idle_seconds: float | None = None
    account: str = ""

    @property
    def secret_values(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        return tuple(value for key, value in self.variables.items() if key in self.secret and value)


@dataclass(frozen=True, slots=True)
class Rejection:
    """The vendor's refusal of these credentials, remembered until they change."""

    message: str
    at: float


class SessionStore(Protocol):
    """Keeps the session of one instance and its present credentials; other credentials have another store.

    Calls may come from any thread and any process.
    """

    def load(self) -> Session | Rejection | None:
        """Return what is known, None when nothing is."""

    def save(self, known: Session | Rejection) -> None:
        """Remember it in place of what was known."""

    def forget(self, session: Session) -> None:
        """Drop the session if it is still the one that is kept: it has died."""

    def signing_in(self) -> AbstractContextManager[None]:
        """Hold off every other sign-in, of any process, until the block ends."""


class MemorySessionStore:
    """Sessions of this process only."""

    def __init__(self) -> None:
        self._known: Session | Rejection | None = None
        self._lock = threading.Lock()

    def load(self) -> Session | Rejection | None:
        """Return what is known, None when nothing is."""
        return self._known

    def save(self, known: Session | Rejection) -> None:
        """Remember it in place of what was known."""
        self._known = known

    def forget(self, session: Session) -> None:
        """Drop the session if it is still the one that is kept."""
        if self._known == session:
            self._known = None

    @contextmanager
    def signing_in(self) -> Iterator[None]:
        """Hold off every other sign-in until the block ends."""
        with self._lock:
            yield
