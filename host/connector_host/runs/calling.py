"""The run of an operation: one call, with its answer in a file of the run's folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector_host.engine import Connection

from .pulling import Pulled, Watches

__all__ = ["call"]


async def call(
    connection: Connection, operation_id: str, folder: Path, value: Mapping[str, Any], watch: Watches
) -> Pulled:
    """Call an operation and keep the bytes of its answer in `answer.json`. Raises what `Connection.call` raises."""
    answer = await connection.call(operation_id, value)
    watch.sampled(operation_id, answer.body)
    handle = os.open(folder / "answer.json", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(answer.body)
    watch.moved({"read": 1, "written": 1})
    return Pulled()
