"""Who is signed in: sessions in memory, bounded and expiring; the browser has only a random id."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from connector_host.contract.clock import Clock

__all__ = ["Note", "Session", "Sessions", "Shelf"]

Kept = TypeVar("Kept")
_MOST_SESSIONS = 1_000
_MOST_NOTES = 10


class Shelf(Generic[Kept]):
    """Things under random names, at most so many and each for so long since its last use; safe in threads."""

    def __init__(self, clock: Clock, *, most: int, seconds: float) -> None:
        self._clock, self._most, self._seconds = clock, most, seconds
        self._lock = threading.Lock()
        self._things: OrderedDict[str, tuple[float, Kept]] = OrderedDict()

    def put(self, thing: Kept, name: str | None = None) -> str:
        """Keep a thing, under a new name unless one is given, and return the name."""
        name = name or self.new_name()
        with self._lock:
            self._things[name] = (self._clock.monotonic(), thing)
            self._things.move_to_end(name)
            self._drop_old()
        return name

    def new_name(self) -> str:
        """Return a name that nobody guesses."""
        return secrets.token_urlsafe(12)

    def get(self, name: str, *, use: bool = True) -> Kept | None:
        """Return the thing of that name, None when it is not there any more; its time begins anew if this is a use."""
        with self._lock:
            self._drop_old()
            found = self._things.get(name)
            if found is None:
                return None
            if use:
                self._things[name] = (self._clock.monotonic(), found[1])
                self._things.move_to_end(name)
            return found[1]

    def take(self, name: str) -> Kept | None:
        """Return the thing of that name and forget it."""
        with self._lock:
            self._drop_old()
            found = self._things.pop(name, None)
            return None if found is None else found[1]

    def __iter__(self) -> Iterator[Kept]:
        with self._lock:
            self._drop_old()
            return iter([thing for _, thing in self._things.values()])

    def __len__(self) -> int:
        with self._lock:
            self._drop_old()
            return len(self._things)

    def _drop_old(self) -> None:
        oldest = self._clock.monotonic() - self._seconds
        while self._things:
            used, _ = next(iter(self._things.values()))
            if used >= oldest and len(self._things) <= self._most:
                return
            self._things.popitem(last=False)


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
        self._shelf: Shelf[Session] = Shelf(clock, most=_MOST_SESSIONS, seconds=idle_seconds)

    def begin(self, user: str) -> tuple[str, Session]:
        """Open a session and return its id."""
        session = Session(user)
        return self._shelf.put(session, secrets.token_urlsafe(32)), session

    def get(self, session_id: str, *, use: bool = True) -> Session | None:
        """Return the session, None when it has ended or never was; `use` tells whether a person is using it."""
        return self._shelf.get(session_id, use=use) if session_id else None

    def end(self, session_id: str) -> None:
        """Forget the session."""
        self._shelf.take(session_id)
