"""What passes between the parts of a reading: pages that were listed, and blocks of records."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connector_host.contract.errors import ConfigurationError, ConnectorHostError, SignInError

from .lists import Part
from .plan import Window
from .splice import Prefix
from .state import Leftover, Position

__all__ = ["FATAL", "Block", "Dead", "Failure", "Listed", "Reading", "Record", "Unit"]

FATAL = (ConfigurationError, SignInError)
"""Errors after which nothing else can be read either."""

Record = bytes | msgspec.Raw


@dataclass(frozen=True, slots=True)
class Dead:
    """Ids, or a record, that could not be had, and why."""

    reason: str
    ids: list[Any] | None = None
    record: bytes | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of the stream that could not be read, and from when on it is to be read again.

    `error` is why; None where the part was read, but changed all the while, so that something may be missing. `earlier`
    tells that nothing of it failed for the first time in this run.
    """

    what: str
    error: ConnectorHostError | None
    since: datetime.datetime | None = None
    earlier: bool = False

    def __str__(self) -> str:
        """Return it as one sentence."""
        if self.error is None:
            return f"{self.what}: the list changed whenever it was read. What is missing comes with the next pull."
        return f"{self.what}: {self.error.message}"


@dataclass(slots=True)
class Block:
    """Records that came together, and from where a run goes on when they are safe.

    `ids` are those that were asked for, as JSON, and `left` those of them that gave no record. `error` is why some
    failed; `barren` tells that nothing came for any of them, and that it is not about single records.
    """

    records: Sequence[Record] = field(repr=False)
    position: Position
    ids: tuple[bytes, ...] = ()
    left: list[Leftover] = field(default_factory=list)
    error: ConnectorHostError | None = None
    barren: bool = False
    dead: list[Dead] = field(default_factory=list)
    duplicates: int = 0
    failure: Failure | None = None
    page: int = 0
    pages: int | None = None


def _no_bound() -> float:
    return float("inf")


def _none_known(_: Sequence[bytes]) -> set[bytes]:
    return set()


@dataclass(slots=True)
class Reading:
    """What a reading of a stream is about, and how. `settled` is the time before which nothing new comes.

    `tolerant` readings turn failures of single parts into blocks that tell them, and rows that windows of time share
    come with each: they are for those who keep keys. Others raise, and such rows come once. `most` bounds how many
    records are wanted at all. `known_ids` tells which ids (as JSON) have been asked for before.
    """

    window: Window = field(default_factory=Window)
    settled: datetime.datetime | None = None
    tolerant: bool = False
    most: Callable[[], float] = _no_bound
    known_ids: Callable[[Sequence[bytes]], set[bytes]] = _none_known


@dataclass(slots=True)
class Unit:
    """A list for one value: the fields that ask for it, and its first page where it has come already.

    `before` and `through` are digests of the values up to this one, without it and with it.
    """

    number: int
    fields: Mapping[str, Any]
    kept: Mapping[str, Any]
    known: Any
    before: str = ""
    through: str = ""
    first: Part | ConnectorHostError | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page that was listed, what is added to its records, and the position behind it.

    `pages` is about how many the list has, where its answers tell.
    """

    part: Part
    prefixes: tuple[Prefix, ...]
    after: Position
    failure: Failure | None = None
    pages: int | None = None
