"""JSON Lines on standard output, for pipes."""

from collections.abc import Sequence
from typing import IO

import msgspec

from connector_host.engine.files import writing

from .base import SinkMark
from .lines import pieces_of

__all__ = ["StdoutSink"]


class StdoutSink:
    """Writes lines to a stream that cannot be cut back: after a stop everything comes again."""

    resumes = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def open(self, mark: SinkMark | None, *, rewrite: bool, unfinished: bool) -> None:
        """See Sink."""

    def write(self, records: Sequence[bytes | msgspec.Raw]) -> int:
        """See Sink. Raises BrokenPipeError when the reader has gone."""
        size = 0
        for piece in pieces_of(records):
            with writing(self.place):
                self._stream.write(piece)
            size += len(piece)
        return size

    def commit(self) -> SinkMark:
        """See Sink. Raises BrokenPipeError when the reader has gone."""
        with writing(self.place):
            self._stream.flush()
        return SinkMark()

    def finish(self) -> None:
        """See Sink."""

    def close(self) -> None:
        """See Sink."""

    @property
    def place(self) -> str:
        """See Sink."""
        return "standard output"
