"""Calls into a connector's code that can neither hang the host nor break it, nor let a secret out."""

import asyncio
import contextlib
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector_host.contract.errors import ConnectorBroken, ConnectorHostError
from connector_host.contract.secrets import Redactor

__all__ = ["HOOK_SECONDS", "IMPORT_SECONDS", "Outcome", "Worker", "isolated", "too_slow"]

HOOK_SECONDS = 5.0
"""How long a hook may take (decided)."""
IMPORT_SECONDS = 30.0
"""How long the import of a connector's module may take (decided)."""

_log = logging.getLogger("connector_host.hooks")


def isolated(
    what: str, function: Callable[[], Any], *, seconds: float | None = None, redactor: Redactor | None = None
) -> Any:
    """Return what `function` returns, called in a thread of its own; `seconds` is HOOK_SECONDS where not given.

    Errors of the contract pass through. Everything else, and a call that is not over in time, is ConnectorBroken, with
    the exception's text in the detail and secrets taken out. A thread that hangs is left behind: Python cannot end it.
    Calls are logged at DEBUG on `connector_host.hooks`.
    """
    seconds = HOOK_SECONDS if seconds is None else seconds
    done: list[Outcome] = []
    started = time.perf_counter()
    thread = threading.Thread(target=lambda: done.append(_outcome_of(function)), name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    _log.debug("%s took %.1f ms", what, (time.perf_counter() - started) * 1000)
    if not done:
        raise too_slow(what, seconds)
    return done[0].result(what, redactor)


class Worker:
    """Makes the calls that an event loop waits for, one after the other, in one thread that stays.

    A thread for each call would cost more than what a hook does with an answer. A thread in which a call hangs is left
    behind, and the next call gets another.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[_Call | None] | None = None
        self._release: Callable[[], object] = lambda: None

    async def call(self, what: str, function: Callable[[], Any], *, redactor: Redactor | None = None) -> Any:
        """Return what `function` returns, under the rules of `isolated`."""
        calls = self._calls or self._start()
        call = _Call(function, asyncio.get_running_loop())
        started = time.perf_counter()
        calls.put(call)
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                outcome = await call.outcome
        except TimeoutError:
            if self._calls is calls:
                self._calls = None
            raise too_slow(what, HOOK_SECONDS) from None
        finally:
            _log.debug("%s took %.1f ms", what, (time.perf_counter() - started) * 1000)
        return outcome.result(what, redactor)

    def _start(self) -> "queue.SimpleQueue[_Call | None]":
        self._release()
        calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(calls,), name=self._name, daemon=True).start()
        # The thread ends with the worker, or when another takes its place.
        self._release = weakref.finalize(self, calls.put, None)
        self._calls = calls
        return calls


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call has come to."""

    value: Any = None
    error: BaseException | None = None

    def result(self, what: str, redactor: Redactor | None) -> Any:
        """Return the value, or raise the error: one of the contract as it is, any other as ConnectorBroken."""
        if self.error is None:
            return self.value
        if isinstance(self.error, ConnectorHostError):
            raise self.error
        raise ConnectorBroken(
            f"{what} raised {type(self.error).__name__}.",
            detail=(redactor or Redactor())(str(self.error)),
            next_step="Update the connector, or tell its publisher.",
        ) from None


class _Call:
    """A function to call for an event loop, and the outcome that the loop waits for."""

    def __init__(self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self._function = function
        self._loop = loop
        self.outcome: asyncio.Future[Outcome] = loop.create_future()

    def make(self) -> None:
        """Call the function, and tell the loop."""
        outcome = _outcome_of(self._function)
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
            self._loop.call_soon_threadsafe(self._tell, outcome)

    def _tell(self, outcome: Outcome) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


def _work(calls: "queue.SimpleQueue[_Call | None]") -> None:
    while (call := calls.get()) is not None:
        call.make()
        # What the call was about, such as an answer of megabytes, must not wait here for the next one.
        del call


def _outcome_of(function: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(function())
    except BaseException as error:  # noqa: BLE001 -- a connector's SystemExit must not end the host either
        return Outcome(error=error)


def too_slow(what: str, seconds: float) -> ConnectorBroken:
    """Return the error for a call that is not over in time."""
    return ConnectorBroken(
        f"{what} did not return within {seconds:g} seconds.",
        next_step="Update the connector, or tell its publisher.",
    )
