"""What every command shares: the home, the connectors, the secrets that were met, and the log."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connector_host.contract.secrets import Redactor
from connector_host.instances import Home

if TYPE_CHECKING:
    from connector_host.connectors import Connector, Found
    from connector_host.engine import Connection
    from connector_host.instances import InstanceStore

__all__ = ["HostState", "state_of"]


@dataclass
class HostState:
    """Made once per command from the options before its name; opens things only when they are asked for.

    `as_json` is whether the command is given --json, so that its errors are for programs too.
    """

    home_path: Path | None = None
    folders: Sequence[Path] = ()
    as_json: bool = False
    redactor: Redactor = field(default_factory=Redactor)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("connector_host"))
    _loaded: "dict[str, Connector]" = field(default_factory=dict, repr=False)

    def home(self) -> Home:
        """Return the home named by --home or by the environment."""
        environ = dict(os.environ)
        if self.home_path is not None:
            environ["CONNECTOR_HOST_HOME"] = str(self.home_path)
        return Home.locate(environ)

    @contextmanager
    def store(self) -> Iterator["InstanceStore"]:
        """Open the store of instances for the length of the block."""
        from connector_host.instances import InstanceStore  # noqa: PLC0415 -- brings the database along

        with InstanceStore.open(self.home()) as store:
            yield store

    def open(self, instance: str) -> "AbstractAsyncContextManager[Connection]":
        """Connect to a saved instance, for `async with`."""
        from connector_host.embedding import open_instance_async  # noqa: PLC0415 -- heavy

        return open_instance_async(instance, home=self.home(), load=self.connector, redactor=self.redactor)

    def find(self) -> "list[Found]":
        """Return every connector, broken ones included, without importing their code."""
        from connector_host.connectors import find_connectors  # noqa: PLC0415 -- heavy

        return find_connectors(self.folders, cache=self.home().manifest_cache)

    def connector(self, name: str) -> "Connector":
        """Load a connector by name, once. Raises UnknownName, or what makes it broken."""
        from connector_host.connectors import load_connector  # noqa: PLC0415 -- heavy

        if name not in self._loaded:
            self._loaded[name] = load_connector(name, self.folders, cache=self.home().manifest_cache)
        return self._loaded[name]

    def log_to_stderr(self, level: str, *, trace_hooks: bool) -> logging.Handler:
        """Write the host's log to stderr, from `level` on; the caller removes the handler."""
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        handler.addFilter(_Hiding(self.redactor))
        self.log.addHandler(handler)
        self.log.setLevel(level)
        logging.getLogger("connector_host.hooks").setLevel(logging.DEBUG if trace_hooks else logging.NOTSET)
        return handler


class _Hiding(logging.Filter):
    """Takes the secrets that the command has met out of every line of the log."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redactor(record.getMessage()), ()
        return True


def state_of(context: typer.Context) -> HostState:
    """Return the state that the program's options made."""
    state = context.find_object(HostState)
    return state if state is not None else context.ensure_object(HostState)
