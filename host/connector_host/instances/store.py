"""Instances and their credentials, kept for every process of this machine, or of many with one database."""

import datetime
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import InputInvalid, InUse, NameTaken, Problem, UnknownName
from connector_host.contract.instance_names import checked_name, name_key
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.secrets import Credentials

from .database import Database
from .home import Home
from .instance import Instance, InstanceState
from .keys import KeySource, key_source
from .searching import stands_in
from .sessions import StoredSessions, lease_name
from .tables import credentials as credentials_table
from .tables import instances, leases, runs, sessions
from .usage import uses_of
from .vault import Vault

if TYPE_CHECKING:
    from .rotation import Rotation

__all__ = ["InstanceStore"]

_LONGEST_FIELD = 128
_ENDS_SESSIONS = ("settings", "authentication", "connector_version")


class InstanceStore:
    """The instances of a home. Safe to use from any thread, and from several processes at once.

    Names are found whatever their case. Methods raise UnknownName (with the nearest name) when there is no such
    instance, NameTaken when a new name is in use, SecretsUnreadable when the key at hand does not open what is stored.
    """

    def __init__(
        self, database: Database, keys: KeySource, *, clock: Clock | None = None, home: Home | None = None
    ) -> None:
        self._database = database
        self._home = home
        self._vault = Vault(database, keys)
        self._clock = clock or SystemClock()

    @classmethod
    def open(cls, home: Home | None = None, *, keys: KeySource | None = None, clock: Clock | None = None) -> Self:
        """Open the store of a home, by default the one that the environment names; both are created when missing.

        Raises ConfigurationError when the database cannot be used, or was written by a newer version.
        """
        home = (home or Home.locate()).create()
        return cls(Database(home.database_url), keys or key_source(home), clock=clock, home=home)

    @property
    def home(self) -> Home | None:
        """The home that it is the store of; None where it was made for a database alone."""
        return self._home

    @property
    def database(self) -> Database:
        """The database of the store, for what is kept beside the instances."""
        return self._database

    def close(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"InstanceStore({self._database!r})"

    def add(
        self,
        name: str,
        *,
        connector: str,
        connector_version: int,
        authentication: str,
        settings: Mapping[str, Any],
        credentials: Mapping[str, str],
        account: str = "",
        tested_at: datetime.datetime | None = None,
        state: InstanceState = InstanceState.UNTESTED,
        state_message: str = "",
    ) -> Instance:
        """Keep a new instance with its credentials, both or neither.

        Raises NameTaken, and InputInvalid for a name that cannot be used.
        """
        now = self._now()
        instance = Instance(
            id=str(uuid.uuid4()),
            name=checked_name(name),
            connector=connector,
            connector_version=connector_version,
            authentication=authentication,
            settings=dict(settings),
            account=account,
            tested_at=tested_at,
            state=state,
            state_message=state_message,
            created_at=now,
            updated_at=now,
        )
        self._prepare(credentials)
        try:
            with self._database.write() as connection:
                connection.execute(insert(instances).values(_row_of(instance)))
                self._insert(connection, instance.id, credentials)
        except IntegrityError:
            raise _taken(instance.name) from None
        return instance

    def get(self, name: str) -> Instance:
        """Return the instance of that name."""
        with self._database.read() as connection:
            return self._one(connection, name)

    def get_by_id(self, instance_id: str) -> Instance:
        """Return the instance of that id, which a change of name does not change."""
        with self._database.read() as connection:
            row = connection.execute(select(instances).where(instances.c.id == instance_id)).one_or_none()
        if row is None:
            raise UnknownName(f"There is no instance with the id {instance_id}.", next_step="It may have been removed.")
        return _instance_of(row)

    def list(
        self, search: str | None = None, connector: str | None = None, offset: int = 0, limit: int | None = None
    ) -> tuple[Instance, ...]:
        """Return instances by name; `search` looks into name, account and connector, whatever the case."""
        query = select(instances).where(_matching(search, connector)).order_by(instances.c.name_key).offset(offset)
        with self._database.read() as connection:
            return tuple(_instance_of(row) for row in connection.execute(query.limit(limit)))

    def count(self, search: str | None = None, connector: str | None = None) -> int:
        """Return how many instances there are, of those that `list` would give without offset and limit."""
        query = select(func.count()).select_from(instances).where(_matching(search, connector))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def update(
        self,
        name: str,
        *,
        settings: Mapping[str, Any] | None = None,
        authentication: str | None = None,
        connector_version: int | None = None,
        account: str | None = None,
        tested_at: datetime.datetime | None = None,
        state: InstanceState | None = None,
        state_message: str | None = None,
    ) -> Instance:
        """Change what is given and leave the rest; sessions end when settings, method or version change."""
        changes: dict[str, Any] = {
            "settings": None if settings is None else dict(settings),
            "authentication": authentication,
            "connector_version": connector_version,
            "account": account,
            "tested_at": tested_at,
            "state": state,
            "state_message": state_message,
        }
        with self._database.write() as connection:
            return self._change(connection, name, {key: value for key, value in changes.items() if value is not None})

    def set_state(self, name: str, state: InstanceState, message: str = "") -> Instance:
        """Say whether the instance can be used; the message is for people and has no secret in it."""
        return self.update(name, state=state, state_message=message)

    def rename(self, name: str, new_name: str) -> Instance:
        """Give an instance another name; everything that belongs to it stays.

        Raises NameTaken, and InputInvalid for a name that cannot be used.
        """
        kept = checked_name(new_name)
        try:
            with self._database.write() as connection:
                return self._change(connection, name, {"name": kept})
        except IntegrityError:
            raise _taken(kept) from None

    def remove(self, name: str) -> Instance:
        """Remove an instance with its credentials, sessions, past runs and their files, and return what it was.

        Raises InUse while a run, a schedule or an environment relies on it.
        """
        with self._database.write() as connection:
            instance = self._one(connection, name, changing=True)
            if uses := uses_of(connection, instance.id):
                raise InUse(
                    f'The instance "{instance.name}" is in use by {", ".join(uses)}.',
                    next_step="Stop the run, and remove the schedule or the replacement, first.",
                )
            past = connection.execute(select(runs.c.id).where(runs.c.instance_id == instance.id)).scalars().all()
            connection.execute(delete(instances).where(instances.c.id == instance.id))
            connection.execute(delete(leases).where(leases.c.name == lease_name(instance.id)))
        if self._home is not None:
            for folder in (self._home.states / instance.id, *(self._home.runs / run_id for run_id in past)):
                shutil.rmtree(folder, ignore_errors=True)
        return instance

    def credentials(self, name: str, secret_keys: Iterable[str]) -> Credentials:
        """Return the credentials; those named in `secret_keys` are the ones that must never be shown.

        Raises SecretsUnreadable when the key is lost or another one, or when what is stored was changed.
        """
        with self._database.read() as connection:
            instance = self._one(connection, name)
            rows = connection.execute(
                select(credentials_table.c.field, credentials_table.c.envelope)
                .where(credentials_table.c.instance_id == instance.id)
                .order_by(credentials_table.c.field)
            ).all()
        if not rows:
            return Credentials({}, secret_keys)
        ring = self._vault.reading()
        values = {
            row.field: ring.open(
                row.envelope,
                instance_id=instance.id,
                field_name=row.field,
                what=f'The credential {row.field} of "{instance.name}"',
            )
            for row in rows
        }
        return Credentials(values, secret_keys)

    def by_account(self, connector: str, account: str) -> tuple[Instance, ...]:
        """Return the instances of a connector that were tested with this account at the vendor."""
        query = select(instances).where(instances.c.connector == connector, instances.c.account == account)
        with self._database.read() as connection:
            return tuple(_instance_of(row) for row in connection.execute(query.order_by(instances.c.name_key)))

    def replace_credentials(
        self,
        name: str,
        credentials: Mapping[str, str],
        *,
        authentication: str | None = None,
        settings: Mapping[str, Any] | None = None,
        connector_version: int | None = None,
        account: str = "",
        tested_at: datetime.datetime | None = None,
        state: InstanceState = InstanceState.UNTESTED,
    ) -> Instance:
        """Put new credentials in place of all the old ones, in one step; the old ones' sessions end.

        Method, settings and version change with them where they are given.
        """
        self._prepare(credentials)
        changes: dict[str, Any] = {"account": account, "tested_at": tested_at, "state": state, "state_message": ""}
        if authentication is not None:
            changes["authentication"] = authentication
        if settings is not None:
            changes["settings"] = dict(settings)
        if connector_version is not None:
            changes["connector_version"] = connector_version
        with self._database.write() as connection:
            instance = self._change(connection, name, changes)
            connection.execute(delete(credentials_table).where(credentials_table.c.instance_id == instance.id))
            connection.execute(delete(sessions).where(sessions.c.instance_id == instance.id))
            self._insert(connection, instance.id, credentials)
        return instance

    def sessions(
        self, instance: Instance, credentials: Credentials, *, sleep: Callable[[float], object] = time.sleep
    ) -> StoredSessions:
        """Return where the sessions of an instance with these credentials are kept and shared.

        `sleep` is how a thread waits, in seconds, while another one signs in.
        """
        return StoredSessions(self._database, self._vault, instance, credentials, clock=self._clock, sleep=sleep)

    def rotate_keys(self) -> "Rotation":
        """Write everything stored anew under a new key; see `rotation.rotate`."""
        from .rotation import rotate  # noqa: PLC0415 -- seldom

        return rotate(self._database, self._vault)

    def drop_unused_keys(self) -> tuple[str, ...]:
        """Forget the old keys that nothing stored here needs any more; return their ids."""
        from .rotation import drop_unused_keys  # noqa: PLC0415 -- seldom

        return drop_unused_keys(self._database, self._vault)

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC)

    def _one(self, connection: Connection, name: str, *, changing: bool = False) -> Instance:
        query = select(instances).where(instances.c.name_key == name_key(name))
        row = connection.execute(query.with_for_update() if changing else query).one_or_none()
        if row is None:
            raise _unknown(connection, name)
        return _instance_of(row)

    def _change(self, connection: Connection, name: str, changes: dict[str, Any]) -> Instance:
        before = self._one(connection, name, changing=True)
        after = replace(before, **changes, updated_at=self._now())
        connection.execute(update(instances).where(instances.c.id == before.id).values(_row_of(after)))
        if any(getattr(before, key) != getattr(after, key) for key in _ENDS_SESSIONS):
            connection.execute(delete(sessions).where(sessions.c.instance_id == before.id))
        return after

    def _prepare(self, credentials: Mapping[str, str]) -> None:
        """Refuse keys that do not fit, and see that there is an encryption key before a transaction begins."""
        problems = [
            Problem("credentials", "key-length", "a credential's key is empty or too long.", "Use 1 to 128 characters.")
            for field in credentials
            if not 0 < len(field) <= _LONGEST_FIELD
        ]
        if problems:
            raise InputInvalid("The credentials cannot be stored.", problems=problems)
        if credentials:
            self._vault.writing()

    def _insert(self, connection: Connection, instance_id: str, credentials: Mapping[str, str]) -> None:
        """Encrypt inside the transaction, while no key can be dropped."""
        if not credentials:
            return
        ring = self._vault.reading()
        connection.execute(
            insert(credentials_table),
            [
                {
                    "instance_id": instance_id,
                    "field": field,
                    "envelope": ring.seal(value, instance_id=instance_id, field_name=field),
                }
                for field, value in credentials.items()
            ],
        )


def _row_of(instance: Instance) -> dict[str, Any]:
    return {
        **asdict(instance),
        "state": instance.state.value,
        "name_key": name_key(instance.name),
        "search_text": f"{instance.name}\n{instance.account}\n{instance.connector}".casefold(),
    }


def _instance_of(row: Row[Any]) -> Instance:
    values = {field.name: getattr(row, field.name) for field in fields(Instance)}
    return Instance(**{**values, "state": InstanceState(row.state)})


def _matching(search: str | None, connector: str | None) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if search and search.strip():
        conditions.append(stands_in(name_key(search), instances.c.search_text))
    if connector is not None:
        conditions.append(instances.c.connector == connector)
    return and_(*conditions)


def _taken(name: str) -> NameTaken:
    return NameTaken(f'There is an instance "{name}" already.', next_step="Choose another name.")


def _unknown(connection: Connection, name: str) -> UnknownName:
    known = connection.execute(select(instances.c.name)).scalars().all()
    if not known:
        return UnknownName(f'There is no instance "{name}", nor any other.', next_step="Add one first.")
    next_step = did_you_mean(name, known) or "List the instances to see their names."
    return UnknownName(f'There is no instance "{name}".', next_step=next_step)
