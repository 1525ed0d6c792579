"""Who is signed in: sessions in memory, bounded and expiring; the browser has only a random id."""

import secrets
from dataclasses import dataclass, field

from connector_host.contract.clock import Clock

from .shelves import Limits, Shelf

__all__ = ["Note", "Session", "Sessions"]

_MOST_SESSIONS = 1_000
_MOST_NOTES = 10


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that the next page shows once; `kind` is `done` or `warning`."""

    text: str
    kind: str = "done"


@dataclass(eq=False)
class Session:
    """One browser that is signed in. `csrf` stands in every form of it."""

    user: str
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    notes: list[Note] = field(default_factory=list)

    def note(self, text: str, kind: str = "done") -> None:
        """Say something on the next page."""
        self.notes = [*self.notes, Note(text, kind)][-_MOST_NOTES:]

    def take_notes(self) -> list[Note]:
        """Return what is to be said now; it is said once."""
        notes, self.notes = self.notes, []
        return notes


class Sessions:
    """All sessions, by the id in the cookie."""

    def __init__(self, clock: Clock, idle_seconds: float) -> None:
        self._shelf: Shelf[Session] = Shelf(clock, Limits(_MOST_SESSIONS, idle_seconds))

    def begin(self, user: str) -> tuple[str, Session]:
        """Open a session and return its id."""
        session = Session(user)
        return self._shelf.put(session, name=secrets.token_urlsafe(32)), session

    def get(self, session_id: str, *, use: bool = True) -> Session | None:
        """Return the session, None when it has ended or never was; `use` tells whether a person is using it."""
        return self._shelf.get(session_id, use=use) if session_id else None

    def end(self, session_id: str) -> None:
        """Forget the session."""
        self._shelf.take(session_id)
