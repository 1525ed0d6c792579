"""Runs awaitables side by side and gives their results in order, with no more at hand than asked for."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["in_order"]

T = TypeVar("T")


async def in_order(
    jobs: AsyncGenerator[Callable[[], Coroutine[Any, Any, T]], None], width: int
) -> AsyncGenerator[T, None]:
    """Yield the result of each job in the order of the jobs, while up to `width` of them run or wait to be taken.

    Jobs are asked for one by one as there is room. What a job raises comes at its place; the jobs behind it are
    cancelled, as they are when the caller stops.
    """
    room = asyncio.Semaphore(width)
    started: asyncio.Queue[asyncio.Task[T] | None] = asyncio.Queue()

    async def start_all() -> None:
        try:
            await room.acquire()
            async for job in jobs:
                started.put_nowait(asyncio.create_task(job()))
                await room.acquire()
        finally:
            started.put_nowait(None)

    producer = asyncio.create_task(start_all())
    taken: asyncio.Task[T] | None = None
    try:
        while (taken := await started.get()) is not None:
            yield await taken
            room.release()
        await producer
    finally:
        waiting: list[asyncio.Task[Any]] = [producer] if taken is None else [producer, taken]
        while not started.empty():
            task = started.get_nowait()
            if task is not None:
                waiting.append(task)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await jobs.aclose()
