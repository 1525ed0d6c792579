"""Tells whether the process that works on a run is alive: it holds a lock that the system takes from the dead."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # pragma: no cover -- other systems than POSIX; there the lease alone tells
    fcntl = None

__all__ = ["holding", "is_held"]

_NAME = "lock"


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder until the block ends, or the process does."""
    handle = os.open(folder / _NAME, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool | None:
    """Tell whether a process holds the lock of a run's folder; None where this machine cannot know."""
    if fcntl is None or not (folder / _NAME).exists():
        return None
    handle = os.open(folder / _NAME, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
