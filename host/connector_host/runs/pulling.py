"""The one place where a run meets the engine's pulling: a stream of a connection into a file of the run's folder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connector_host.contract.errors import ConfigurationError
from connector_host.engine import Connection

from .parameters import Window

__all__ = ["Pulled", "Watches", "pull"]


class Watches(Protocol):
    """What hears how a pull moves on."""

    def moved(self, counts: dict[str, int], *, page: int | None = None, pages: int | None = None) -> None:
        """Hear the counts so far; `pages` is None where the vendor does not say how many there are."""

    def sampled(self, name: str, data: bytes) -> None:
        """See what came, for the person who looks at the run."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull has done. `partial` tells that not everything could be had; `checkpoint` is where it can go on."""

    records: dict[str, int]
    partial: bool = False
    message: str = ""
    checkpoint: str = ""


async def pull(connection: Connection, stream: str, folder: Path, window: Window, watch: Watches) -> Pulled:
    """Pull a stream into `STREAM.jsonl` of the folder; until it is complete the file ends in `.part`.

    Raises ConfigurationError when the file cannot be written, and what `Connection.pages` raises.
    """
    part, complete = folder / f"{stream}.jsonl.part", folder / f"{stream}.jsonl"
    counts = {"read": 0, "written": 0}
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            async for page in connection.pages(stream, since=window.since, until=window.until, limit=window.limit):
                if counts["read"] == 0 and page.records:
                    watch.sampled(stream, bytes(page.records[0]))
                lines = page.lines()
                file.write(lines)
                counts["read"] += len(page.records)
                counts["written"] += lines.count(b"\n")
                watch.moved(dict(counts), page=page.number, pages=page.pages)
            file.flush()
            os.fsync(file.fileno())
        part.replace(complete)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename or part} cannot be written: {error.strerror}.",
            next_step="Give the host room on its disk and the right to write there.",
        ) from error
    return Pulled({complete.name: counts["written"]})
