"""Blocking work beside the event loop."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio.to_thread

__all__ = ["in_thread"]

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


async def in_thread(function: Callable[_Given, _Returned], *args: _Given.args, **options: _Given.kwargs) -> _Returned:
    """Call a function that blocks, such as one of the store, in a worker thread."""
    return await anyio.to_thread.run_sync(functools.partial(function, *args, **options))
