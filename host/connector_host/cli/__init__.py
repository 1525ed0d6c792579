"""The command line: `connector-host`."""

import sys

from .collecting import collect_as_at_start

__all__ = ["main"]


def main() -> None:
    """Run the command that the process was started with, and leave with its exit code."""
    # httpx imports click, rich and pygments for a program of its own where it finds them; this one has no use for it.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how an import is ruled out

    collect_as_at_start()

    from .app import app  # noqa: PLC0415 -- the program is built only when it is run

    app(prog_name="connector-host")
