"""How errors reach a person: the message, each problem on a line, the next step, and never a traceback.

A command with --json tells a program the same: one JSON object on one line of stderr.
"""

import datetime
import errno
import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from connector_host.contract.errors import ConnectorHostError, PermissionMissing, QuotaExhausted, Remedy, Unwritable

from .exits import ExitCode, exit_code_of
from .output import say
from .state import HostState

__all__ = ["interrupted", "reporting_errors", "say_error", "tell_error"]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def reporting_errors(state: HostState) -> Iterator[None]:
    """Turn what a command raises into words on stderr and an exit code."""
    try:
        yield
    except ConnectorHostError as error:
        tell_error(error, state)
        raise typer.Exit(exit_code_of(error)) from None
    except (KeyboardInterrupt, typer.Abort):
        interrupted(as_json=state.as_json)
    except BrokenPipeError:
        # The reader of our output has seen enough, as with `| head`.
        sys.stderr.close()
        raise typer.Exit(ExitCode.OK) from None
    except typer.Exit:
        raise
    except typer.TyperException as error:
        if not state.as_json:
            raise
        _tell_usage(error)
        raise typer.Exit(ExitCode.INPUT) from None
    except OSError as error:
        if error.errno in _NO_ROOM:
            tell_error(_no_room(error), state)
            raise typer.Exit(ExitCode.INPUT) from None
        _tell_fault(error, state)
        raise typer.Exit(ExitCode.UNEXPECTED) from None
    except Exception as error:  # noqa: BLE001 -- whatever it is, a person must not meet a traceback
        _tell_fault(error, state)
        raise typer.Exit(ExitCode.UNEXPECTED) from None


def interrupted(what: str = "Nothing more was done.", *, as_json: bool = False) -> None:
    """Say that the person stopped the command, and leave."""
    if as_json:
        _say_json("Interrupted", f"Interrupted. {what}", code=ExitCode.PARTIAL)
    else:
        say(f"\nInterrupted. {what}", colour=typer.colors.YELLOW)
    raise typer.Exit(ExitCode.PARTIAL) from None


def tell_error(error: ConnectorHostError, state: HostState) -> None:
    """Write an error, for a program where the command is given --json, without any secret that it has met."""
    if not state.as_json:
        say_error(error, state)
        return
    hide, call = state.redactor, error.call
    _say_json(
        type(error).__name__,
        hide(error.message),
        next_step=hide(error.next_step),
        remedy=error.remedy,
        code=exit_code_of(error),
        problems=[
            {"where": hide(each.where), "rule": each.rule, "sentence": hide(each.sentence), "fix": hide(each.fix)}
            for each in error.problems
        ],
        instance=call.instance,
        operation=call.operation,
        request_id=call.request_id,
        status=call.status,
        attempts=len(call.attempts),
        retry_after=error.retry_after if isinstance(error, QuotaExhausted) else None,
        missing_permissions=list(error.missing) if isinstance(error, PermissionMissing) else [],
    )
    _log_detail(error, state)


def say_error(error: ConnectorHostError, state: HostState) -> None:
    """Write an error for a person, without any secret that the command has met."""
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
    _log_detail(error, state)


def _log_detail(error: ConnectorHostError, state: HostState) -> None:
    if error.detail:
        state.log.info("%s: %s", type(error).__name__, state.redactor(error.detail))


def _say_json(
    name: str,
    message: str,
    *,
    code: ExitCode,
    next_step: str = "",
    remedy: Remedy = Remedy.STOP,
    **more: Any,
) -> None:
    """Write one object on one line of stderr; every error has the same keys, without a value they are empty or null."""
    facts = {
        "error": name,
        "message": message,
        "next_step": next_step,
        "remedy": remedy.value,
        "exit_code": int(code),
        "problems": [],
        "instance": "",
        "operation": "",
        "request_id": "",
        "status": None,
        "attempts": 0,
        "retry_after": None,
        "missing_permissions": [],
        **more,
    }
    say(json.dumps(facts, ensure_ascii=False))


def _tell_usage(error: typer.TyperException) -> None:
    """Tell that the command itself is not understood, in the words of its parser."""
    context = getattr(error, "ctx", None)
    next_step = f"See: {context.command_path} --help" if context is not None else ""
    message = error.format_message()
    _say_json("UsageError", message, next_step=next_step, remedy=Remedy.FIX_CONFIGURATION, code=ExitCode.INPUT)


def _no_room(error: OSError) -> Unwritable:
    where = f"{error.filename} cannot" if error.filename else "What was asked for cannot"
    return Unwritable(f"{where} be written: {error.strerror}.", next_step="Make room, then use the same command again.")


def _tell_fault(error: Exception, state: HostState) -> None:
    message = f"something went wrong inside connector-host ({type(error).__name__})."
    path = _logged(error, state)
    next_step = (
        f"The details are in {path}. Please report it with them."
        if path is not None
        else "The details could not be written to the log in the home folder."
    )
    if state.as_json:
        _say_json("Fault", f"{message[0].upper()}{message[1:]}", next_step=next_step, code=ExitCode.UNEXPECTED)
        return
    say(f"Error: {message}", colour=typer.colors.RED)
    say(next_step, bold=path is not None)


def _logged(error: Exception, state: HostState) -> Path | None:
    """Write the whole story to the log in the home folder, and return where it is; None where it cannot be written."""
    try:
        path = state.home().create().path / "connector-host.log"
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        story = state.redactor("".join(traceback.format_exception(error)))
        with path.open("a", encoding="utf-8") as log:
            path.chmod(0o600)
            log.write(f"{when}\n{story}\n")
    except (OSError, ConnectorHostError):
        return None
    return path
