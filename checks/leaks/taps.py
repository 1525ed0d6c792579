"""Taps on everything by which something comes out of the host: each tells the watch what it sees, and changes nothing.

The taps are put into the libraries that all output passes, so that no test has to know of them.
"""

import functools
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from connector_host.contract.errors import ConnectorHostError
from connector_host.contract.secrets import Credentials
from connector_host.contract.sessions import Session

from .files import contents_of
from .watch import Watch

__all__ = ["install"]


def install(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Put every tap in, until the patch is undone."""
    for tap in (_secrets, _logs, _answers, _commands, _processes, _errors, _captured, _passing_folders):
        tap(watch, patch)


def _after(patch: pytest.MonkeyPatch, owner: Any, name: str, tell: Callable[..., None]) -> None:
    """Call `tell(result, *arguments)` when a method has returned."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def tapped(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        tell(result, *arguments)
        return result

    patch.setattr(owner, name, tapped)


def _secrets(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """What the host holds as a secret."""
    for kind in (Credentials, Session):
        _after(patch, kind, "__init__", lambda _, made, *__: watch.learn(*made.secret_values))


def _logs(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Every record of every logger, whatever its level, after the filters; handlers get what they would have got."""
    enabled, handle, formatter = logging.Logger.isEnabledFor, logging.Logger.callHandlers, logging.Formatter()

    def tapped(logger: logging.Logger, record: logging.LogRecord) -> None:
        watch.see(f"log of {record.name}", formatter.format(record), "\n")
        if enabled(logger, record.levelno):
            handle(logger, record)

    patch.setattr(logging.Logger, "isEnabledFor", lambda logger, level: not logger.disabled and level > 0)
    patch.setattr(logging.Logger, "callHandlers", tapped)


def _answers(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Heads and bodies of what an application of the host answers: pages, API, events and files."""
    original = Starlette.__call__

    async def tapped(app: Starlette, scope: Any, receive: Any, send: Any) -> None:
        async def told(message: Any) -> None:
            where = f"answer of {scope['method']} {scope['path']}"
            heads = (b": ".join(each) + b"\n" for each in message.get("headers", ()))
            watch.see(where, *heads, message.get("body", b""))
            await send(message)

        of_host = scope["type"] == "http" and hasattr(app.state, "host")
        await original(app, scope, receive, told if of_host else send)

    patch.setattr(Starlette, "__call__", tapped)


def _commands(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """What a command prints in the process of the test."""

    def tell(result: Any, _runner: Any, _app: Any, arguments: Any = (), *_: Any) -> None:
        words = " ".join(map(str, arguments or ()))
        watch.see("command line", words, "\n")
        watch.see("output of a command", result.output, result.stderr, repr(result.exception), "\n")

    _after(patch, CliRunner, "invoke", tell)


class _Pipe:
    """A pipe whose content is seen when it is read."""

    def __init__(self, pipe: Any, tell: Callable[[Any], None]) -> None:
        self._pipe, self._tell = pipe, tell

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pipe, name)
        return self._telling(found) if name.startswith("read") and callable(found) else found

    def _telling(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def telling(*arguments: Any) -> Any:
            got = read(*arguments)
            self._tell(got)
            return got

        return telling

    def __iter__(self) -> Iterator[Any]:
        return iter(self.readline, self._pipe.read(0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()


def _processes(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """What the process list shows of a process that a test starts, and what a Python program among them prints."""
    start = subprocess.Popen.__init__

    def printed(content: Any) -> None:
        watch.see("output of a process", *(content if isinstance(content, list) else [content or b""]))

    @functools.wraps(start)
    def started(process: Any, args: Any, *more: Any, **named: Any) -> None:
        words = [args] if isinstance(args, str | bytes | Path) else list(args)
        watch.see("command line", " ".join(map(str, words)), "\n")
        watch.see("environment of a process", *(f"{key}={value}\n" for key, value in (named.get("env") or {}).items()))
        start(process, args, *more, **named)
        if str(words[0]) == sys.executable:
            for name in ("stdout", "stderr"):
                if getattr(process, name) is not None:
                    setattr(process, name, _Pipe(getattr(process, name), printed))

    patch.setattr(subprocess.Popen, "__init__", started)
    _after(patch, subprocess.Popen, "communicate", lambda both, *_: printed([each or b"" for each in both]))


def _errors(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Every error of the host when it is made, and every other that a test expects, with those behind it."""

    def tell(error: BaseException | None) -> None:
        while error is not None:
            watch.see(f"error {type(error).__name__}", f"{error!r}\n{error}\n{getattr(error, 'detail', '')}\n")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

    _after(patch, ConnectorHostError, "__init__", lambda _, error, *__: tell(error))
    _after(patch, pytest.RaisesExc, "__exit__", lambda _, __, ___, error, *____: tell(error))


def _captured(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """What a test has taken of its standard output and error."""
    _after(patch, pytest.CaptureFixture, "readouterr", lambda both, *_: watch.see("standard output", *both))


def _passing_folders(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Files of temporary folders, just before these are removed."""
    clean = tempfile.TemporaryDirectory.cleanup

    def tapped(folder: Any) -> None:
        for name, content in contents_of(Path(folder.name)):
            watch.see(f"temporary file {name}", content)
        clean(folder)

    patch.setattr(tempfile.TemporaryDirectory, "cleanup", tapped)
