"""Runs a connector's asynchronous code apart: it can neither hang the host nor break it, nor let a secret out."""

import asyncio
import contextlib
import inspect
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from connector_host.contract.code import CallAnswer, Calls, CheckedPage, CodePage, Extent, StreamCode
from connector_host.contract.errors import ConnectorBroken, ConnectorHostError
from connector_host.contract.secrets import Redactor, hide_secrets

from .isolation import HOOK_SECONDS, Outcome, too_slow

__all__ = ["CODE_SECONDS", "CodeThread", "checked_pages"]

CODE_SECONDS = 30.0
"""How long code may take between its calls (decided): a page of records, and not what the vendor takes for it."""
_LONGEST_RESUME = 65_536

_log = logging.getLogger("connector_host.hooks")
_T = TypeVar("_T")


class CodeThread:
    """A thread with an event loop of its own for one piece of code; use it as `async with`.

    What `run` is given runs there, in one task, one after the other, so that what the code has opened may stay open
    between. `calls` are the given ones for use there: they are made in the host's loop, where their time is bounded.
    `what` begins the sentences of errors, such as "The code of …". `ending` is awaited there at the end.
    """

    def __init__(
        self, what: str, calls: Calls, redactor: Redactor, *, ending: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.calls: Calls = _Crossing(self, calls)
        self._what = what
        self._redactor = redactor
        self._home = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._note)
        self._work: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue()
        self._serving: asyncio.Task[None] | None = None
        self._ending = ending
        self._ended: asyncio.Future[None] = self._home.create_future()
        self._died: BaseException | None = None
        self._closed = self._hangs = False
        self._under_way = 0
        self._heard = 0.0

    async def __aenter__(self) -> Self:
        threading.Thread(target=self._live, name=self._what, daemon=True).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the code where it stands, so that it can clean up; one that hangs is left behind."""
        self._closed = True
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._cancel)
        if not self._hangs:
            await asyncio.wait({self._ended}, timeout=HOOK_SECONDS)

    async def run(self, make: Callable[[], Awaitable[Any]]) -> Any:
        """Return what comes of awaiting `make()` there.

        Errors of the contract pass through. Everything else, and code that neither returns nor calls in time, is
        ConnectorBroken, with the exception's text in the detail and secrets taken out.
        """
        came: asyncio.Future[Outcome] = self._home.create_future()
        started = time.perf_counter()
        self._heard = self._home.time()
        with contextlib.suppress(RuntimeError):  # it has ended by itself, which is seen below
            self._loop.call_soon_threadsafe(self._work.put_nowait, partial(self._make, make, came))
        try:
            while not came.done():
                left = CODE_SECONDS if self._under_way else self._heard + CODE_SECONDS - self._home.time()
                if left <= 0:
                    self._hangs = True
                    raise too_slow(self._what, CODE_SECONDS)
                either: set[asyncio.Future[Any]] = {came, self._ended}
                await asyncio.wait(either, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if self._ended.done():
                    break
        finally:
            _log.debug("%s took %.1f ms", self._what, (time.perf_counter() - started) * 1000)
        outcome = came.result() if came.done() else Outcome(error=self._died or RuntimeError("its thread ended"))
        try:
            return outcome.result(self._what, self._redactor)
        except ConnectorHostError as error:
            hide_secrets(error, self._redactor)
            raise

    async def at_home(self, make: Callable[[], Awaitable[_T]]) -> _T:
        """Await `make()` in the host's loop, for the code; its time is not the code's."""
        if self._closed or self._hangs:
            raise ConnectorBroken(f"{self._what} goes on after its end.")
        crossing = self._counted(make)
        try:
            answer = asyncio.run_coroutine_threadsafe(crossing, self._home)
        except RuntimeError:  # the host's loop has been closed meanwhile
            crossing.close()
            raise
        return await asyncio.wrap_future(answer)

    async def _counted(self, make: Callable[[], Awaitable[_T]]) -> _T:
        self._under_way += 1
        try:
            answer = await make()
        except ConnectorBroken:
            # Code that tries again and again what it may not do is not alive.
            raise
        except BaseException:
            self._heard = self._home.time()
            raise
        else:
            self._heard = self._home.time()
            return answer
        finally:
            self._under_way -= 1

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- a task that the code has left to itself can end even this
            self._died = error
        finally:
            self._tell(self._ended, None)

    async def _serve(self) -> None:
        self._serving = asyncio.current_task()
        try:
            while not self._closed:
                await (await self._work.get())()
        finally:
            if self._ending is not None:
                await self._ending()

    async def _make(self, make: Callable[[], Awaitable[Any]], came: "asyncio.Future[Outcome]") -> None:
        try:
            outcome = Outcome(await make())
        except BaseException as error:
            # A connector's SystemExit must not end the host either.
            if self._closed and isinstance(error, asyncio.CancelledError):
                raise
            outcome = Outcome(error=error)
        self._tell(came, outcome)

    def _tell(self, future: "asyncio.Future[Any]", value: Any) -> None:
        def tell() -> None:
            if not future.done():
                future.set_result(value)

        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
            self._home.call_soon_threadsafe(tell)

    def _cancel(self) -> None:
        if self._serving is not None:
            self._serving.cancel()

    def _note(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Keep to the log for those who look for it what the code has left lying about, such as tasks that failed."""
        del loop
        _log.debug("%s: %s", self._what, self._redactor(str(context.get("message", ""))))


class _Crossing:
    """Calls, for use in the thread of the code."""

    def __init__(self, thread: CodeThread, calls: Calls) -> None:
        self._thread = thread
        self._calls = calls

    @property
    def settings(self) -> Mapping[str, Any]:
        """See Calls."""
        return self._calls.settings

    async def call(self, operation: str, given: Mapping[str, Any] | None = None) -> CallAnswer:
        """See Calls."""
        return await self._thread.at_home(partial(self._calls.call, operation, given))

    async def sleep(self, seconds: float) -> None:
        """See Calls."""
        await self._thread.at_home(partial(self._calls.sleep, seconds))


async def checked_pages(
    what: str, code: StreamCode, calls: Calls, extent: Extent, redactor: Redactor
) -> AsyncGenerator[CheckedPage, None]:
    """Yield the pages of a stream's code. Raises what calls raise, and ConnectorBroken for what are no pages."""
    reading = _Reading(what, code, extent)
    async with CodeThread(what, calls, redactor, ending=reading.aclose) as thread:
        while True:
            page: CheckedPage | None = await thread.run(partial(reading.page, thread.calls))
            if page is None:
                return
            yield page


class _Reading:
    """The pages of one reading, checked where they are made."""

    def __init__(self, what: str, code: StreamCode, extent: Extent) -> None:
        self._what = what
        self._code = code
        self._extent = extent
        self._pages: AsyncIterator[CodePage] | None = None
        self._number = 0
        self._known = set() if extent.resume is None else {hash(msgspec.json.encode(extent.resume))}

    async def page(self, calls: Calls) -> CheckedPage | None:
        """Return the next page, None at the end."""
        if self._pages is None:
            self._pages = self._begun(calls)
        try:
            page = await anext(self._pages)
        except StopAsyncIteration:
            return None
        self._number += 1
        if not isinstance(page, CodePage):
            raise self._rubbish(f"a {type(page).__name__}, and no CodePage")
        return CheckedPage(self._records(page), self._resume(page))

    async def aclose(self) -> None:
        """End the code where it stands."""
        close = getattr(self._pages, "aclose", None)
        if close is not None:
            await close()

    def _begun(self, calls: Calls) -> AsyncIterator[CodePage]:
        pages = self._code.pages(calls, self._extent)
        if inspect.iscoroutine(pages):
            pages.close()
        if not isinstance(pages, AsyncIterator):
            raise ConnectorBroken(
                f"{self._what} does not give pages one after another.",
                next_step="Write pages() with async def and yield, or tell the connector's publisher.",
            )
        return pages

    def _records(self, page: CodePage) -> Sequence[bytes]:
        records: Any = page.records
        if not isinstance(records, Sequence) or not all(isinstance(each, Mapping) for each in records):
            raise self._rubbish("records that are no list of objects")
        try:
            return [msgspec.json.encode(each if isinstance(each, dict) else dict(each)) for each in records]
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
            raise self._rubbish(f"a record that cannot be written as JSON ({type(error).__name__})") from None

    def _resume(self, page: CodePage) -> Any:
        """Return a resume point as a later run gets it."""
        try:
            written = msgspec.json.encode(page.resume)
            read = msgspec.json.decode(written)
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            raise self._rubbish("a resume point that is no JSON") from None
        if read is None or read != page.resume:
            raise self._rubbish("a resume point that is null, or does not come back from JSON as it was")
        if len(written) > _LONGEST_RESUME:
            raise self._rubbish(f"a resume point of {len(written):,} bytes, more than {_LONGEST_RESUME:,}")
        mark = hash(written)
        if mark in self._known:
            raise self._rubbish("a resume point that it has given before: it would not come to an end")
        self._known.add(mark)
        return read

    def _rubbish(self, given: str) -> ConnectorBroken:
        return ConnectorBroken(
            f"{self._what} gave, as page {self._number}, {given}.",
            next_step="Update the connector, or tell its publisher.",
        )
