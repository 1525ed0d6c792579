"""What the API works on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector_host.connectors import Connector, Found, find_connectors, load_connector
from connector_host.instances import EnvironmentStore, Home, Instance, InstanceStore, TokenStore
from connector_host.runs import Runner, ScheduleStore

__all__ = ["ApiHost"]


@dataclass
class ApiHost:
    """The stores and the runner behind the API.

    `find` and `load` replace how connectors are found and loaded.
    """

    home: Home
    store: InstanceStore
    runner: Runner
    folders: Sequence[Path] = ()
    find: Callable[[], Sequence[Found]] | None = None
    load: Callable[[str], Connector] | None = None
    environments: EnvironmentStore = field(init=False)
    schedules: ScheduleStore = field(init=False)
    tokens: TokenStore = field(init=False)

    def __post_init__(self) -> None:
        self.environments = EnvironmentStore(self.store)
        self.schedules = ScheduleStore(self.store.database)
        self.tokens = TokenStore(self.store.database)

    def found(self) -> Sequence[Found]:
        """Return every connector, broken ones included."""
        return self.find() if self.find else find_connectors(self.folders)

    def connector(self, name: str) -> Connector:
        """Return a loaded connector. Raises UnknownName, or what makes it broken."""
        return self.load(name) if self.load else load_connector(name, self.folders)

    def instance(self, name: str, environment: str | None = None) -> Instance:
        """Return the instance of that name, or the one in its place in an environment. Raises UnknownName."""
        return self.environments.resolve(name, environment)
