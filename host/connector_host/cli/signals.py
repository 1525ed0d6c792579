"""Ctrl-C and TERM, for work that ends where everything is safe."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

__all__ = ["heard_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def heard_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` for Ctrl-C and TERM while the block lasts."""
    loop = asyncio.get_running_loop()
    heard = []
    for number in _SIGNALS:
        # Not every platform, and no thread but the main one, can be told; there a signal ends the process as usual.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop)
            heard.append(number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
