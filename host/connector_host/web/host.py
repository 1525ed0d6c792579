"""What all pages share: the instances, the connectors, the secrets that were met, and what sessions keep meanwhile."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.requests import Request

from connector_host.connectors import Connector, Found, find_connectors, load_found
from connector_host.contract.errors import ConnectorHostError, UnknownName
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.secrets import Redactor
from connector_host.embedding import open_instance_async
from connector_host.engine import Connection
from connector_host.instances import Instance, InstanceStore

from .options import WebOptions
from .sessions import Sessions

__all__ = ["WebHost", "host_of"]

_LOOK_AGAIN_SECONDS = 5.0


class WebHost:
    """Made once per application; safe to use from any thread."""

    def __init__(self, options: WebOptions) -> None:
        self.options = options
        self.home = options.home.create()
        self.store = InstanceStore.open(self.home)
        self.sessions = Sessions(options.clock, options.idle_seconds)
        self.redactor = Redactor()
        self.log_redactor = Redactor()
        self._lock = threading.Lock()
        self._found: list[Found] = []
        self._looked_at: float | None = None
        self._loaded: dict[str, tuple[Any, Connector]] = {}

    def close(self) -> None:
        """Close what was opened."""
        self.store.close()

    def find(self) -> list[Found]:
        """Return every connector, broken ones included; packages that were just installed are seen within seconds."""
        now = self.options.clock.monotonic()
        with self._lock:
            if self._looked_at is None or now - self._looked_at >= _LOOK_AGAIN_SECONDS:
                self._found, self._looked_at = (
                    find_connectors(self.options.folders, cache=self.home.manifest_cache),
                    now,
                )
            return self._found

    def found(self, name: str) -> Found:
        """Return a connector as it is listed. Raises UnknownName with the nearest names."""
        known = self.find()
        for each in known:
            if each.name == name:
                return each
        raise UnknownName(
            f'There is no connector "{name}".',
            next_step=did_you_mean(name, [each.name for each in known]) or "Choose one from the list of connectors.",
        )

    def connector(self, name: str) -> Connector:
        """Return a loaded connector; its code is loaded once. Raises UnknownName, or what makes it broken."""
        found = self.found(name)
        mark = (found.module, found.package_version, found.manifest.version if found.manifest else None)
        with self._lock:
            known = self._loaded.get(name)
            if known is not None and known[0] == mark and found.problem is None:
                return known[1]
        connector = load_found(found)
        with self._lock:
            self._loaded[name] = (mark, connector)
        return connector

    def label(self, name: str) -> str:
        """Return what people call a connector; its name where it is not installed any more."""
        try:
            manifest = self.found(name).manifest
        except ConnectorHostError:
            return name
        return manifest.label if manifest else name

    def is_taken(self, name: str) -> bool:
        """Tell whether an instance has that name already, in any case."""
        try:
            self.store.get(name)
        except UnknownName:
            return False
        return True

    def open(self, instance: Instance) -> AbstractAsyncContextManager[Connection]:
        """Connect to an instance, for `async with`; what is secret about it is hidden on every page from then on."""
        return open_instance_async(instance.name, home=self.home, folders=self.options.folders, redactor=self.redactor)

    def hiding(self, connector: Connector, credentials: Mapping[str, Any]) -> Callable[[str], str]:
        """Return what hides, beside all that is known to be secret, what was typed as a secret and may be none.

        It counts for one page only, as a word that was typed by mistake may stand on any other; and for the log.
        """
        secret = {key for method in connector.manifest.authentication for key in method.secret_keys}
        typed = Redactor(str(value).strip() for key, value in credentials.items() if key in secret and value)
        return lambda text: typed(self.redactor(text))

    def learn_typed(self, connector: Connector, credentials: Mapping[str, Any]) -> None:
        """Keep out of the log what was typed as a secret, before anything is known to be valid."""
        secret = {key for method in connector.manifest.authentication for key in method.secret_keys}
        self.log_redactor.add(*(str(value).strip() for key, value in credentials.items() if key in secret and value))


def host_of(request: Request) -> WebHost:
    """Return the host of the application that answers the request."""
    host: WebHost = request.app.state.host
    return host
