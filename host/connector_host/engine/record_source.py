"""The records of a push, from any iterable, without holding up the event loop."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Unreadable", "records_of"]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in a source for what should be a record and cannot be read: it is rejected, and the others go on."""

    sentence: str
    fix: str = ""


async def records_of(source: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    """Yield what a source gives. One that may wait, such as a file or a generator, waits in a thread of its own."""
    if isinstance(source, AsyncIterable):
        async for record in source:
            yield record
    elif isinstance(source, list | tuple):
        for record in source:
            yield record
    else:
        stepper = _Stepper(iter(source))
        try:
            while (record := await stepper.next()) is not _END:
                yield record
        finally:
            stepper.close()


_END: Any = object()


class _Stepper:
    """Steps through an iterator in one thread. One that never gives anything more is left behind with its thread."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator = iterator
        self._wanted: queue.SimpleQueue[asyncio.Future[Any] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="records of a push", daemon=True).start()

    async def next(self) -> Any:
        """Return the next record, or `_END`. Raises what the iterator raises."""
        came: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._wanted.put(came)
        return await came

    def close(self) -> None:
        """Let the thread end, when it gets the chance."""
        self._wanted.put(None)

    def _work(self) -> None:
        while (came := self._wanted.get()) is not None:
            value, error = _END, None
            try:
                value = next(self._iterator, _END)
            except BaseException as raised:  # noqa: BLE001 -- it is raised again where the record is wanted
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
                came.get_loop().call_soon_threadsafe(_tell, came, value, error)


def _tell(came: "asyncio.Future[Any]", value: Any, error: BaseException | None) -> None:
    if came.done():
        return
    if error is None:
        came.set_result(value)
    else:
        came.set_exception(error)
