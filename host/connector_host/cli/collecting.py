"""How often Python looks for rings of objects: rarely while a command starts, more often while it works."""

import gc

__all__ = ["collect_as_at_start", "collect_as_at_work"]

_AT_START, _AT_WORK = 200_000, 10_000
"""New objects after which the youngest are looked through."""


def collect_as_at_start() -> None:
    """What a command imports stays, and has few rings: looking for those often costs a tenth of its start."""
    gc.set_threshold(_AT_START, 20, 50)


def collect_as_at_work() -> None:
    """What was imported is not looked through again, and what comes does not pile up."""
    if gc.get_threshold()[0] == _AT_START:
        gc.freeze()
        gc.set_threshold(_AT_WORK, 20, 50)
