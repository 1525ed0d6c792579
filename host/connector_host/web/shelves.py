"""What the server keeps for a while for one browser, under names that nobody guesses."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.requests import Request

from connector_host.contract.clock import Clock

__all__ = ["Limits", "Shelf", "Shelves", "keep", "kept", "shelves_of", "take"]

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many things of a kind are kept, and for how many seconds since the last use; `longest` is in all."""

    most: int
    seconds: float
    longest: float | None = None


@dataclass(slots=True)
class _Place(Generic[Kept]):
    thing: Kept
    owner: object
    since: float
    used: float


class Shelf(Generic[Kept]):
    """Things of one kind, each for the owner who has put it there alone; safe in threads.

    Where there are too many, the one that was not used for longest goes first.
    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock, self._limits = clock, limits
        self._lock = threading.Lock()
        self._places: OrderedDict[str, _Place[Kept]] = OrderedDict()

    def put(self, thing: Kept, *, owner: object = None, name: str = "") -> str:
        """Keep a thing and return its name: the one given unless it is somebody else's, or a new one."""
        now = self._clock.monotonic()
        with self._lock:
            there = self._places.get(name)
            if not name or (there is not None and there.owner != owner):
                name = self.new_name()
            self._places[name] = _Place(thing, owner, now, now)
            self._places.move_to_end(name)
            self._drop_unused()
        return name

    def new_name(self) -> str:
        """Return a name that nobody guesses."""
        return secrets.token_urlsafe(16)

    def get(self, name: str, *, owner: object = None, use: bool = True) -> Kept | None:
        """Return the owner's thing of that name, None when there is none any more; without `use` its time goes on."""
        with self._lock:
            place = self._place(name, owner)
            if place is None:
                return None
            if use:
                place.used = self._clock.monotonic()
                self._places.move_to_end(name)
            return place.thing

    def take(self, name: str, *, owner: object = None) -> Kept | None:
        """Return the owner's thing of that name and forget it."""
        with self._lock:
            place = self._place(name, owner)
            if place is None:
                return None
            del self._places[name]
            return place.thing

    def forget(self, owner: object) -> None:
        """Forget all that is an owner's."""
        self._drop(lambda place: place.owner == owner)

    def sweep(self) -> None:
        """Forget what has been kept for too long; nobody gets it in any case."""
        self._drop(self._is_over)

    def __iter__(self) -> Iterator[Kept]:
        self.sweep()
        with self._lock:
            return iter([place.thing for place in self._places.values()])

    def __len__(self) -> int:
        self.sweep()
        with self._lock:
            return len(self._places)

    def _place(self, name: str, owner: object) -> _Place[Kept] | None:
        self._drop_unused()
        place = self._places.get(name)
        return None if place is None or place.owner != owner or self._is_over(place) else place

    def _is_over(self, place: _Place[Kept]) -> bool:
        now, longest = self._clock.monotonic(), self._limits.longest
        return now - place.used > self._limits.seconds or (longest is not None and now - place.since > longest)

    def _drop(self, unwanted: Callable[[_Place[Kept]], bool]) -> None:
        with self._lock:
            for name in [name for name, place in self._places.items() if unwanted(place)]:
                del self._places[name]

    def _drop_unused(self) -> None:
        oldest = self._clock.monotonic() - self._limits.seconds
        while self._places:
            first = next(iter(self._places.values()))
            if first.used >= oldest and len(self._places) <= self._limits.most:
                return
            self._places.popitem(last=False)


class Shelves:
    """A shelf for each kind of thing."""

    def __init__(self, clock: Clock, limits: Mapping[type, Limits]) -> None:
        self._shelves: dict[type, Shelf[Any]] = {kind: Shelf(clock, each) for kind, each in limits.items()}

    def __getitem__(self, kind: type[Kept]) -> Shelf[Kept]:
        return self._shelves[kind]

    def forget(self, owner: object) -> None:
        """Forget all that is an owner's."""
        for shelf in self._shelves.values():
            shelf.forget(owner)

    def sweep(self) -> None:
        """Forget what has been kept for too long."""
        for shelf in self._shelves.values():
            shelf.sweep()


def shelves_of(request: Request) -> Shelves:
    """Return the shelves of the application that answers the request."""
    shelves: Shelves = request.app.state.shelves
    return shelves


def keep(request: Request, thing: object, *, name: str = "") -> str:
    """Keep a thing for the request's session, and return its name."""
    return shelves_of(request)[type(thing)].put(thing, owner=request.state.session, name=name)


def kept(request: Request, kind: type[Kept], name: str) -> Kept | None:
    """Return what the request's session has kept under a name, None when it is not there any more."""
    return shelves_of(request)[kind].get(name, owner=request.state.session)


def take(request: Request, kind: type[Kept], name: str) -> Kept | None:
    """Return what the request's session has kept under a name, once."""
    return shelves_of(request)[kind].take(name, owner=request.state.session)
