"""Finds out what is no longer there: keys that a complete run has not seen, looked up first where that can be."""

import msgspec

from connector_host.contract.stream_models import Stream

from .checkpoints import Checkpoints
from .connection import Connection
from .details import DetailsReader
from .emitter import Emitter
from .plan import Window
from .report import Counts

__all__ = ["remove_what_is_gone", "why_nothing_is_removed"]

_TIMES_GIVEN = "Only some times were read, so what is no longer there cannot be told from what lies outside them."
_TIMES_NEEDED = (
    "{title} can only be listed within times, and the last {days:,} days were read: what was created or updated there "
    "is told, and what is no longer there cannot be told from what is older."
)
_OTHER_MODE = " To read only what is new, leave the mode out and choose another folder."


def why_nothing_is_removed(stream: Stream, window: Window, *, times_given: bool, incremental: bool) -> str | None:
    """Return why a run that compares cannot tell what is gone; None where it can, having read everything.

    `times_given` tells that the pull was asked for some times; otherwise a `window` is there because the vendor lists
    nothing without one. `incremental` tells that the vendor can list only what is new.

    Such a pull is not refused (decided): it still finds what was updated without its time moving on, as a return is
    that is listed by the day it was booked, which no list of what is new has.
    """
    if times_given:
        return _TIMES_GIVEN
    if window.since is None or window.until is None:
        return None
    told = _TIMES_NEEDED.format(title=stream.title, days=(window.until - window.since).days)
    return told + _OTHER_MODE if incremental else told


async def remove_what_is_gone(
    connection: Connection, stream: Stream, emitter: Emitter, checkpoints: Checkpoints, counts: Counts
) -> None:
    """Write a removal for every key that was not seen in this run and, where it can be looked up, is not found."""
    look_up = stream.confirm_removed
    reader = None
    if look_up is not None:
        reader = DetailsReader(connection.ask, look_up, connection.surroundings.settings, stream.primary_key[0])
    for keys in checkpoints.keys.not_seen(checkpoints.prepared.run.number):
        gone = keys
        if reader is not None and look_up is not None:
            there: set[bytes] = set()
            size = look_up.batch or 1
            for start in range(0, len(keys), size):
                ids = [msgspec.json.decode(key) for key in keys[start : start + size]]
                given = await reader.ask_apart(ids)
                if given.barren and given.error is not None:
                    raise given.error
                unknown = [*given.failed, *(each for each, _ in given.refused)]
                there |= {key.lower() for key in emitter.keep(given.records)}
                there |= {msgspec.json.encode(each).lower() for each in unknown}
            gone = [key for key in keys if key.lower() not in there]
        checkpoints.passed(emitter.remove(gone), counts)
