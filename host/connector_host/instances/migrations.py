"""Steps from one version of the database's schema to the next, each run once, all or nothing.

A step that was released is never changed: it states its tables itself and does not look at `tables.py`.
"""

import datetime
from collections.abc import Callable, Sequence

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
)

from connector_host.contract.errors import ConfigurationError

__all__ = ["MIGRATIONS", "migrate", "schema_version"]

Migration = Callable[[Connection], None]

_versions = Table(
    "schema_versions",
    MetaData(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", DateTime, nullable=False),
)


def schema_version(connection: Connection) -> int:
    """Return the version of the database's schema; 0 for an empty one."""
    if not inspect(connection).has_table(_versions.name):
        return 0
    return int(connection.execute(select(func.coalesce(func.max(_versions.c.version), 0))).scalar_one())


def migrate(connection: Connection, migrations: Sequence[Migration] | None = None) -> int:
    """Bring the schema to the newest version and return it; to be called where no other process does the same.

    Raises ConfigurationError when the database is newer than this program.
    """
    steps = MIGRATIONS if migrations is None else migrations
    present = schema_version(connection)
    if present > len(steps):
        raise ConfigurationError(
            f"The database was written by a newer connector-host (schema {present}; this one knows {len(steps)}). "
            "Nothing was changed.",
            next_step="Upgrade connector-host.",
        )
    if present == 0:
        _versions.create(connection, checkfirst=True)
    for version, step in enumerate(steps[present:], present + 1):
        step(connection)
        applied_at = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        connection.execute(insert(_versions).values(version=version, applied_at=applied_at))
    return len(steps)


def _migration_1(connection: Connection) -> None:
    """Make instances, credentials, sessions and leases."""
    metadata = MetaData()
    instances = Table(
        "instances",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("name", String(80), nullable=False),
        Column("name_key", String(255), nullable=False, unique=True),
        Column("search_text", Text, nullable=False),
        Column("connector", String(128), nullable=False),
        Column("connector_version", Integer, nullable=False),
        Column("authentication", String(128), nullable=False),
        Column("settings", JSON, nullable=False),
        Column("account", Text, nullable=False),
        Column("tested_at", DateTime, nullable=True),
        Column("state", String(16), nullable=False),
        Column("state_message", Text, nullable=False),
        Column("created_at", DateTime, nullable=False),
        Column("updated_at", DateTime, nullable=False),
    )
    Index("ix_instances_connector", instances.c.connector)
    Table(
        "credentials",
        metadata,
        Column("instance_id", String(36), ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True),
        Column("field", String(128), primary_key=True),
        Column("envelope", Text, nullable=False),
    )
    Table(
        "sessions",
        metadata,
        Column("instance_id", String(36), ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True),
        Column("fingerprint", String(64), primary_key=True),
        Column("envelope", Text, nullable=False),
        Column("saved_at", DateTime, nullable=False),
    )
    Table(
        "leases",
        metadata,
        Column("name", String(255), primary_key=True),
        Column("owner", String(32), nullable=False),
        Column("expires_at", Double, nullable=False),
    )
    metadata.create_all(connection, checkfirst=False)


MIGRATIONS: Sequence[Migration] = (_migration_1,)
"""Step n leads from version n - 1 to version n."""
