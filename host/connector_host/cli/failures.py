"""How errors reach a person: the message, each problem on a line, the next step, and never a traceback."""

import datetime
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from connector_host.contract.errors import ConnectorHostError

from .exits import ExitCode, exit_code_of
from .output import say
from .state import HostState

__all__ = ["interrupted", "reporting_errors", "tell_error"]


@contextmanager
def reporting_errors(state: HostState) -> Iterator[None]:
    """Turn what a command raises into words on stderr and an exit code."""
    try:
        yield
    except ConnectorHostError as error:
        tell_error(error, state)
        raise typer.Exit(exit_code_of(error)) from None
    except (KeyboardInterrupt, typer.Abort):
        interrupted()
    except BrokenPipeError:
        # The reader of our output has seen enough, as with `| head`.
        sys.stderr.close()
        raise typer.Exit(ExitCode.OK) from None
    except (typer.Exit, typer.TyperException):
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, a person must not meet a traceback
        _tell_fault(error, state)
        raise typer.Exit(ExitCode.UNEXPECTED) from None


def interrupted(what: str = "Nothing more was done.") -> None:
    """Say that the person stopped the command, and leave."""
    say(f"\nInterrupted. {what}", colour=typer.colors.YELLOW)
    raise typer.Exit(ExitCode.PARTIAL) from None


def tell_error(error: ConnectorHostError, state: HostState) -> None:
    """Write an error for a person, with every secret that the command has met taken out."""
    say(state.redactor(f"Error: {error.message}"), colour=typer.colors.RED)
    for problem in error.problems:
        say(state.redactor(f"  {problem}"))
    if error.next_step:
        say(state.redactor(error.next_step), bold=True)
    call = error.call
    if call.request_id:
        status = f", status {call.status}" if call.status else ""
        attempts = f", {len(call.attempts)} attempts" if len(call.attempts) > 1 else ""
        say(f"Request id {call.request_id} ({call.operation}{status}{attempts}).")
    if error.detail:
        state.log.info("%s: %s", type(error).__name__, state.redactor(error.detail))


def _tell_fault(error: Exception, state: HostState) -> None:
    say(f"Error: something went wrong inside connector-host ({type(error).__name__}).", colour=typer.colors.RED)
    try:
        path = state.home().create().path / "connector-host.log"
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        story = state.redactor("".join(traceback.format_exception(error)))
        with path.open("a", encoding="utf-8") as log:
            path.chmod(0o600)
            log.write(f"{when}\n{story}\n")
    except (OSError, ConnectorHostError):
        say("The details could not be written to the log in the home folder.")
    else:
        say(f"The details are in {path}. Please report it with them.", bold=True)
