"""Finds out what is no longer there: keys that a complete run has not seen, looked up first where that can be."""

import msgspec

from connector_host.contract.stream_models import Stream

from .checkpoints import Checkpoints
from .connection import Connection
from .details import DetailsReader
from .emitter import Emitter
from .report import Counts

__all__ = ["remove_what_is_gone"]


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
