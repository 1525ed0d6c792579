"""The command line: `connector-host`."""

__all__ = ["main"]


def main() -> None:
    """Run the command that the process was started with, and leave with its exit code."""
    from .app import app  # noqa: PLC0415 -- the program is built only when it is run

    app(prog_name="connector-host")
