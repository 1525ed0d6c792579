"""Virtual environments: named sets of replacements, such as the sandbox's instance for the live one."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import InputInvalid, NameTaken, Problem, UnknownName
from connector_host.contract.instance_names import checked_name, name_key
from connector_host.contract.nearest import did_you_mean

from .instance import Instance
from .store import InstanceStore
from .tables import environment_replacements, environments, instances

__all__ = ["Environment", "EnvironmentStore", "Replacement"]


@dataclass(frozen=True, slots=True)
class Environment:
    """A named set of replacements: `replacements` leads from an instance's name to that of the one in its place."""

    id: str
    name: str
    replacements: Mapping[str, str]
    created_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Replacement:
    """That in an environment one instance, by id and name, stands in for another."""

    environment_id: str
    environment: str
    instance_id: str
    instance: str
    replacement_id: str
    replacement: str


class EnvironmentStore:
    """The environments of a store's database. Methods raise UnknownName for names that are not there."""

    def __init__(self, store: InstanceStore, *, clock: Clock | None = None) -> None:
        self._store = store
        self._database = store.database
        self._clock = clock or SystemClock()

    def add(self, name: str, replacements: Mapping[str, str] | None = None) -> Environment:
        """Make an environment. Raises NameTaken, and InputInvalid for a name or a replacement that cannot be used."""
        kept = checked_name(name)
        pairs = self._checked(replacements or {})
        environment_id = str(uuid.uuid4())
        now = datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC)
        row = {"id": environment_id, "name": kept, "name_key": name_key(kept), "created_at": now}
        try:
            with self._database.write() as connection:
                connection.execute(insert(environments).values(row))
                _insert(connection, environment_id, pairs)
        except IntegrityError:
            raise NameTaken(
                f'There is an environment "{kept}" already.', next_step="Choose another name, or change that one."
            ) from None
        return self.get(kept)

    def replace(self, name: str, replacements: Mapping[str, str]) -> Environment:
        """Put these replacements in place of all that the environment has."""
        pairs = self._checked(replacements)
        with self._database.write() as connection:
            environment_id = self._id(connection, name)
            connection.execute(
                delete(environment_replacements).where(environment_replacements.c.environment_id == environment_id)
            )
            _insert(connection, environment_id, pairs)
        return self.get(name)

    def put(self, name: str, instance: str, replacement: str) -> Environment:
        """Let one instance stand in for another, beside what the environment has. Raises InputInvalid as `add` does."""
        [(replaced_id, replacement_id)] = self._checked({instance: replacement}).items()
        with self._database.write() as connection:
            environment_id = self._id(connection, name)
            _delete(connection, environment_id, replaced_id)
            _insert(connection, environment_id, {replaced_id: replacement_id})
        return self.get(name)

    def drop(self, name: str, instance: str) -> Environment:
        """Let an instance stand for itself again; nothing happens where it does already."""
        replaced = self._store.get(instance)
        with self._database.write() as connection:
            _delete(connection, self._id(connection, name), replaced.id)
        return self.get(name)

    def get_by_id(self, environment_id: str) -> Environment:
        """Return the environment of that id."""
        for each in self.list():
            if each.id == environment_id:
                return each
        raise UnknownName("There is no such environment.", next_step="It may have been removed.")

    def replacements_of(self, instance_id: str) -> tuple[Replacement, ...]:
        """Return every replacement that an instance has part in, as the one replaced or the one in its place."""
        replaced, replacing, links = instances.alias(), instances.alias(), environment_replacements
        query = (
            select(
                environments.c.id.label("environment_id"),
                environments.c.name.label("environment"),
                replaced.c.id.label("instance_id"),
                replaced.c.name.label("instance"),
                replacing.c.id.label("replacement_id"),
                replacing.c.name.label("replacement"),
            )
            .join_from(environments, links, links.c.environment_id == environments.c.id)
            .join(replaced, replaced.c.id == links.c.instance_id)
            .join(replacing, replacing.c.id == links.c.replacement_id)
            .where(or_(links.c.instance_id == instance_id, links.c.replacement_id == instance_id))
            .order_by(environments.c.name_key, replaced.c.name_key)
        )
        with self._database.read() as connection:
            return tuple(Replacement(*row) for row in connection.execute(query))

    def get(self, name: str) -> Environment:
        """Return the environment of that name, whatever its case."""
        with self._database.read() as connection:
            self._id(connection, name)
        key = name_key(name)
        return next(each for each in self.list() if name_key(each.name) == key)

    def list(self) -> tuple[Environment, ...]:
        """Return every environment by name."""
        replaced, replacing = instances.alias(), instances.alias()
        query = (
            select(
                environments.c.id,
                environments.c.name,
                environments.c.created_at,
                replaced.c.name.label("replaced"),
                replacing.c.name.label("replacing"),
            )
            .outerjoin_from(
                environments,
                environment_replacements,
                environment_replacements.c.environment_id == environments.c.id,
            )
            .outerjoin(replaced, replaced.c.id == environment_replacements.c.instance_id)
            .outerjoin(replacing, replacing.c.id == environment_replacements.c.replacement_id)
            .order_by(environments.c.name_key, replaced.c.name_key)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        found: dict[str, Environment] = {}
        for row in rows:
            known = found.get(row.id)
            pairs = dict(known.replacements) if known else {}
            if row.replaced is not None:
                pairs[row.replaced] = row.replacing
            found[row.id] = Environment(row.id, row.name, pairs, row.created_at)
        return tuple(found.values())

    def remove(self, name: str) -> Environment:
        """Remove an environment and return what it was; the instances stay."""
        environment = self.get(name)
        with self._database.write() as connection:
            connection.execute(delete(environments).where(environments.c.id == environment.id))
        return environment

    def resolve(self, name: str, environment: str | None = None) -> Instance:
        """Return the instance that stands for `name` in an environment; one without a replacement stands for itself."""
        instance = self._store.get(name)
        if environment is None:
            return instance
        with self._database.read() as connection:
            environment_id = self._id(connection, environment)
            replacement_id = connection.execute(
                select(environment_replacements.c.replacement_id).where(
                    environment_replacements.c.environment_id == environment_id,
                    environment_replacements.c.instance_id == instance.id,
                )
            ).scalar_one_or_none()
        return instance if replacement_id is None else self._store.get_by_id(replacement_id)

    def _checked(self, replacements: Mapping[str, str]) -> dict[str, str]:
        """Return ids by id. Raises InputInvalid where connectors differ or an instance replaces itself."""
        pairs, problems = {}, []
        for replaced_name, replacing_name in replacements.items():
            replaced, replacing = self._store.get(replaced_name), self._store.get(replacing_name)
            if replaced.connector != replacing.connector:
                sentence = f'"{replacing.name}" is of {replacing.connector}, "{replaced.name}" of {replaced.connector}.'
                fix = "Choose an instance of the same connector."
                problems.append(Problem(replaced.name, "same-connector", sentence, fix))
            elif replaced.id == replacing.id:
                sentence = "An instance stands for itself anyway."
                problems.append(Problem(replaced.name, "replaces-itself", sentence, "Leave it out."))
            pairs[replaced.id] = replacing.id
        if problems:
            raise InputInvalid("The replacements cannot be used.", problems=problems)
        return pairs

    def _id(self, connection: Connection, name: str) -> str:
        found = connection.execute(
            select(environments.c.id).where(environments.c.name_key == name_key(name))
        ).scalar_one_or_none()
        if found is not None:
            return str(found)
        known = connection.execute(select(environments.c.name)).scalars().all()
        next_step = did_you_mean(name, known) or (f"There are: {', '.join(known)}." if known else "Add it first.")
        raise UnknownName(f'There is no environment "{name}".', next_step=next_step)


def _delete(connection: Connection, environment_id: str, instance_id: str) -> None:
    links = environment_replacements
    connection.execute(
        delete(links).where(links.c.environment_id == environment_id, links.c.instance_id == instance_id)
    )


def _insert(connection: Connection, environment_id: str, pairs: Mapping[str, str]) -> None:
    if pairs:
        connection.execute(
            insert(environment_replacements),
            [
                {"environment_id": environment_id, "instance_id": replaced, "replacement_id": replacing}
                for replaced, replacing in pairs.items()
            ],
        )
