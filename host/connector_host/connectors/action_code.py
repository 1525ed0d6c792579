"""Runs a connector's code that pushes records, in a thread of its own, and checks what it returns."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from connector_host.contract.code import ActionCode, Calls
from connector_host.contract.errors import ConnectorBroken
from connector_host.contract.secrets import Redactor

from .code import CodeThread

__all__ = ["pushing"]


@asynccontextmanager
async def pushing(
    what: str, code: ActionCode, calls: Calls, redactor: Redactor
) -> AsyncGenerator[Callable[[Mapping[str, Any]], Awaitable[Any]], None]:
    """Give what pushes one record and returns JSON. It raises what calls raise, and ConnectorBroken for all else."""
    async with CodeThread(what, calls, redactor) as thread:

        async def push(record: Mapping[str, Any]) -> Any:
            return await thread.run(partial(_pushed, what, code, thread.calls, record))

        yield push


async def _pushed(what: str, code: ActionCode, calls: Calls, record: Mapping[str, Any]) -> Any:
    working = code.push(calls, record)
    if not inspect.isawaitable(working):
        raise ConnectorBroken(
            f"{what} returned nothing that can be awaited.",
            next_step="Write push() with async def, or tell the connector's publisher.",
        )
    returned = await working
    try:
        return msgspec.json.decode(msgspec.json.encode(returned))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise ConnectorBroken(
            f"{what} returned what cannot be written as JSON ({type(error).__name__}).",
            next_step="Update the connector, or tell its publisher.",
        ) from None
