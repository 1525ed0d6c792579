"""What a sink is: lines go in, and at each checkpoint it says up to where they are safe."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

__all__ = ["Sink", "SinkMark"]


class SinkMark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Up to where a sink is safe: so many bytes of a file, or so many files. Only the sink that made it reads it."""

    offset: int = 0
    files: int = 0


class Sink(Protocol):
    """Takes the records of one stream. Everything after the last mark may be lost in a crash, and is cut off by `open`.

    `resumes` tells whether it can go on at a mark; one that cannot gets everything again after a stop.
    """

    resumes: bool

    def open(self, mark: SinkMark | None, *, rewrite: bool, unfinished: bool) -> None:
        """Go on at a mark, or begin for None. With `rewrite` the new content takes the old one's place at `finish`.

        `unfinished` tells that a run broke off after the mark, so that what stands behind it is to be cut off; without
        it, content that somebody has taken away is begun anew. Raises ConfigurationError when what is there does not
        fit the mark.
        """

    def write(self, records: Sequence[bytes | msgspec.Raw]) -> int:
        """Take records, each one JSON value without a line break; return their size in bytes.

        Raises Unwritable, as `commit` and `finish` do: no checkpoint follows, and the next `open` cuts off what came.
        """

    def commit(self) -> SinkMark:
        """Make everything so far safe and return the mark."""

    def finish(self) -> None:
        """Put the complete content in its place; called after the last commit."""

    def close(self) -> None:
        """Let go of files; may be called at any time, more than once."""

    @property
    def place(self) -> str:
        """Where the content is, for people."""
