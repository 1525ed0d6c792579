"""Connectors inside someone's own program, without the command line: sync and async, with or without the store.

`connect` takes credentials; `open_instance` takes the name of a saved instance. Both give a connection that calls
operations, pulls streams and pushes records, and that closes everything at the end of its `with` block.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, asynccontextmanager, closing
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from anyio.from_thread import BlockingPortal, start_blocking_portal

from connector_host.connectors import Connector, load_connector, user_cache
from connector_host.contract.errors import CredentialsRejected
from connector_host.contract.manifest import AuthenticationMethod
from connector_host.contract.secrets import Credentials, Redactor
from connector_host.contract.values import check_settings, rate_limit_of, stored_credentials, stored_settings
from connector_host.engine import (
    Answer,
    Connection,
    Page,
    QuotaInUse,
    SignedIn,
    check_arguments,
    open_ledger,
)

if TYPE_CHECKING:
    from connector_host.engine import PushReport, RecordResult
    from connector_host.instances import Home, Instance, InstanceStore

__all__ = ["SyncConnection", "connect", "connect_async", "open_instance", "open_instance_async", "quota_in_use"]


def connect_async(
    connector: str | Connector,
    *,
    credentials: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    authentication: str | None = None,
    folders: Sequence[Path] = (),
    **engine: Any,
) -> Connection:
    """Return a connection for `async with`, made from credentials; nothing of them or of the vendor is stored.

    `connector` is the name of an installed one, or one that was loaded; `authentication` names one of its methods.
    `engine` is handed to `Connection`: clock, limits, timeouts, encodings, quota, sessions, transport. Manifests that
    were read are kept in the user's cache folder.

    Raises UnknownName, ConnectorBroken, and InputInvalid with every wrong value.
    """
    loaded = _loaded(connector, folders, credentials=credentials, settings=settings, authentication=authentication)
    method = loaded.method(authentication)
    checked = loaded.check_credentials(method, credentials)
    return _connection(loaded, method, checked.credentials, check_settings(loaded.manifest, settings or {}), engine)


def _loaded(connector: str | Connector, folders: Sequence[Path], **given: Any) -> Connector:
    """Return the connector, once it is known that a connection takes such arguments."""
    check_arguments("No connection can be made like this.", connector=connector, folders=folders, **given)
    return load_connector(connector, folders, cache=user_cache()) if isinstance(connector, str) else connector


def _connection(
    connector: Connector,
    method: AuthenticationMethod,
    credentials: Credentials,
    settings: Mapping[str, Any],
    engine: Mapping[str, Any],
) -> Connection:
    return Connection(
        connector,
        credentials,
        settings,
        method=method,
        rate_limit=rate_limit_of(settings),
        concurrency=settings["concurrency"],
        **engine,
    )


def connect(
    connector: str | Connector,
    *,
    credentials: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    authentication: str | None = None,
    folders: Sequence[Path] = (),
    **engine: Any,
) -> "SyncConnection":
    """Return the same as `connect_async` for a plain `with`. Raises what it raises."""
    loaded = _loaded(connector, folders, credentials=credentials, settings=settings, authentication=authentication)
    given = {"credentials": credentials, "settings": settings, "authentication": authentication, **engine}
    loaded.check_credentials(loaded.method(authentication), credentials)
    return SyncConnection(partial(connect_async, loaded, **given))


@asynccontextmanager
async def open_instance_async(
    name: str,
    *,
    home: "Home | None" = None,
    folders: Sequence[Path] = (),
    load: Callable[[str], Connector] | None = None,
    **engine: Any,
) -> AsyncIterator[Connection]:
    """Connect to a saved instance. Its sessions and its quota are shared with every process of the same home.

    Settings that an older version of the connector has saved are migrated, and checked; those of the same version were
    checked when they were saved. `load` gives a connector by its name, where it has been loaded before. When the
    vendor rejects the credentials, the instance says so from then on. Raises InputInvalid, UnknownName,
    ConfigurationError (disabled, or without its secrets), SecretsUnreadable, ConnectorBroken.
    """
    from connector_host.instances import (  # noqa: PLC0415 -- the store is an extra; `connect` does without it
        Home,
        InstanceState,
        InstanceStore,
    )

    check_arguments("The instance cannot be opened like this.", name=name, home=home, folders=folders, load=load)
    place = (home or Home.locate()).create()
    with ExitStack() as stack:
        store = stack.enter_context(InstanceStore.open(place))
        instance = store.get(name)
        instance.check_usable()
        load = load or partial(load_connector, folders=folders, cache=place.manifest_cache)
        if "quota" not in engine:
            engine["quota"] = open_ledger(place.quota_database, engine.get("clock"))
            stack.callback(engine["quota"].close)
        connection = _connection_of(store, instance, load(instance.connector), engine)
        try:
            async with connection:
                yield connection
        except CredentialsRejected as error:
            store.set_state(instance.name, InstanceState.REJECTED, connection.redactor(error.message))
            raise


def _connection_of(
    store: "InstanceStore", instance: "Instance", connector: Connector, engine: Mapping[str, Any]
) -> Connection:
    """Return the connection to a saved instance, not open yet. `engine` is handed to it."""
    method = connector.method(instance.authentication)
    credentials = store.credentials(instance.name, method.secret_keys)
    engine = {"sessions": store.sessions(instance, credentials), **engine, "instance": instance.name}
    if instance.connector_version == connector.manifest.version:
        values = stored_settings(connector.manifest, instance.settings)
        return _connection(connector, method, stored_credentials(method, credentials), values, engine)
    migrated = connector.migrate_settings(instance.settings, instance.connector_version)
    return connect_async(connector, credentials=credentials, settings=migrated, authentication=method.name, **engine)


def quota_in_use(
    store: "InstanceStore", instance: "Instance", connector: Connector, home: "Home", redactor: Redactor | None = None
) -> QuotaInUse:
    """Return how much of a saved instance's quota is in use now, whichever process of the home has called.

    An instance without its secrets has none in use. Nothing is sent. Raises SecretsUnreadable, and ConfigurationError
    when the file with the counts cannot be read.
    """
    from connector_host.instances import InstanceState  # noqa: PLC0415 -- the store is an extra

    if instance.state is InstanceState.INCOMPLETE:
        return QuotaInUse(None, {})
    with closing(open_ledger(home.quota_database)) as ledger:
        return _connection_of(store, instance, connector, {"quota": ledger, "redactor": redactor}).quota_in_use()


def open_instance(
    name: str, *, home: "Home | None" = None, folders: Sequence[Path] = (), **engine: Any
) -> "SyncConnection":
    """Return the same as `open_instance_async` for a plain `with`; what it raises is raised when the block begins."""
    return SyncConnection(partial(open_instance_async, name, home=home, folders=folders, **engine))


class SyncConnection:
    """A connection for programs without an event loop: one runs in a thread of its own while the `with` block lasts."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        self._opening = opening
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            opened: AbstractContextManager[Connection] = self._portal.wrap_async_context_manager(self._opening())
            self._connection = stack.enter_context(opened)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._connection = None
        return self._stack.__exit__(kind, error, traceback)

    @property
    def connection(self) -> Connection:
        """The connection that does the work. Raises RuntimeError outside the `with` block."""
        if self._connection is None:
            raise RuntimeError("the connection is not open: use it in a `with` block")
        return self._connection

    def call(self, operation_id: str, given: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        """Call an operation; see `Connection.call`."""
        answer: Answer = self._run(partial(self.connection.call, operation_id, given, **options))
        return answer

    def pages(
        self, stream: str, *, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
    ) -> Iterator[Page]:
        """Yield a stream page by page; see `Connection.pages`."""
        return self._each(self.connection.pages(stream, since=since, until=until, limit=limit))

    def pull(
        self, stream: str, *, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
    ) -> Iterator[Any]:
        """Yield a stream's records one by one; see `Connection.pull`."""
        for page in self.pages(stream, since=since, until=until, limit=limit):
            yield from page.decoded()

    def push(
        self,
        action: str,
        records: Iterable[Any],
        *,
        dry_run: bool = False,
        results: Path | None = None,
        resume: bool = False,
    ) -> "PushReport":
        """Push records by an action and return the report with each one's result; see `Connection.push`."""
        report: PushReport = self._run(
            partial(self.connection.push, action, records, dry_run=dry_run, results=results, resume=resume)
        )
        return report

    def push_each(
        self,
        action: str,
        records: Iterable[Any],
        *,
        dry_run: bool = False,
        results: Path | None = None,
        resume: bool = False,
    ) -> Iterator["RecordResult"]:
        """Push records by an action, and yield each one's result as it happens; see `Connection.push_each`."""
        return self._each(self.connection.push_each(action, records, dry_run=dry_run, results=results, resume=resume))

    def sign_in_check(self) -> SignedIn:
        """Sign in now and tell who answered; see `Connection.sign_in_check`."""
        signed_in: SignedIn = self._run(self.connection.sign_in_check)
        return signed_in

    def _run(self, work: Callable[[], Any]) -> Any:
        if self._portal is None:
            raise RuntimeError("the connection is not open: use it in a `with` block")
        return self._portal.call(work)

    def _each(self, source: AsyncIterator[Any]) -> Iterator[Any]:
        """Step through an async generator from this thread, and close it even when the caller stops early."""
        try:
            while True:
                try:
                    item = self._run(source.__anext__)
                except StopAsyncIteration:
                    return
                yield item
        finally:
            close = getattr(source, "aclose", None)
            if close is not None and self._connection is not None:
                self._run(close)
