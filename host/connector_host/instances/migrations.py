"""Steps from one version of the database's schema to the next, each run once, all or nothing.

A step that was released is never changed: it states its tables itself and does not look at `tables.py`.
"""

import datetime
from collections.abc import Callable, Sequence

from sqlalchemy import (
    JSON,
    Boolean,
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
    text,
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


def _migration_2(connection: Connection) -> None:
    """Make environments, schedules, runs with their events, API tokens and options of the host."""
    metadata = MetaData()
    Table("instances", metadata, Column("id", String(36), primary_key=True))
    Table(
        "environments",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("name", String(80), nullable=False),
        Column("name_key", String(255), nullable=False, unique=True),
        Column("created_at", DateTime, nullable=False),
    )
    Table(
        "environment_replacements",
        metadata,
        Column("environment_id", String(36), ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True),
        Column("instance_id", String(36), ForeignKey("instances.id", ondelete="RESTRICT"), primary_key=True),
        Column(
            "replacement_id", String(36), ForeignKey("instances.id", ondelete="RESTRICT"), nullable=False, index=True
        ),
    )
    Table(
        "schedules",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("instance_id", String(36), ForeignKey("instances.id", ondelete="RESTRICT"), nullable=False, index=True),
        Column("kind", String(16), nullable=False),
        Column("what", String(200), nullable=False),
        Column("parameters", JSON, nullable=False),
        Column("every_minutes", Integer, nullable=True),
        Column("cron", String(128), nullable=True),
        Column("time_zone", String(64), nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("due_at", DateTime, nullable=True),
        Column("created_at", DateTime, nullable=False),
    )
    _make_runs(metadata)
    Table(
        "api_tokens",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("name", String(80), nullable=False),
        Column("name_key", String(255), nullable=False, unique=True),
        Column("digest", String(64), nullable=False, unique=True),
        Column("created_at", DateTime, nullable=False),
        Column("last_used_at", DateTime, nullable=True),
    )
    Table("options", metadata, Column("name", String(64), primary_key=True), Column("value", JSON, nullable=False))
    new = [table for name, table in metadata.tables.items() if name != "instances"]
    metadata.create_all(connection, tables=new, checkfirst=False)


def _make_runs(metadata: MetaData) -> None:
    """State the tables of runs, for migration 2."""
    runs = Table(
        "runs",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("instance_id", String(36), ForeignKey("instances.id", ondelete="CASCADE"), nullable=False),
        Column("kind", String(16), nullable=False),
        Column("what", String(200), nullable=False),
        Column("parameters", JSON, nullable=False),
        Column("started_by", String(16), nullable=False),
        Column("schedule_id", String(36), nullable=True),
        Column("state", String(16), nullable=False, index=True),
        Column("attempt", Integer, nullable=False),
        Column("counts", JSON, nullable=False),
        Column("message", Text, nullable=False),
        Column("next_step", Text, nullable=False),
        Column("request_id", String(64), nullable=False),
        Column("checkpoint", Text, nullable=False),
        Column("files", JSON, nullable=False),
        Column("stop_requested", Boolean, nullable=False),
        Column("started_at", DateTime, nullable=False, index=True),
        Column("finished_at", DateTime, nullable=True),
    )
    Index("ix_runs_instance_started", runs.c.instance_id, runs.c.started_at)
    Table(
        "run_events",
        metadata,
        Column("run_id", String(36), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("at", DateTime, nullable=False, index=True),
        Column("kind", String(16), nullable=False),
        Column("data", JSON, nullable=False),
    )


def _migration_3(connection: Connection) -> None:
    """Let runs say what they read, and from where."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN reach JSON"))


MIGRATIONS: Sequence[Migration] = (_migration_1, _migration_2, _migration_3)
"""Step n leads from version n - 1 to version n."""
