"""The tables as the code sees them; `migrations.py` makes and changes them in the database."""

import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

__all__ = [
    "UtcDateTime",
    "api_tokens",
    "credentials",
    "environment_replacements",
    "environments",
    "instances",
    "leases",
    "metadata",
    "options",
    "run_events",
    "runs",
    "schedules",
    "sessions",
]


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """An aware UTC time, kept without zone so that every database treats it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        """Turn an aware time into UTC; a naive one is a mistake of the caller."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a time needs a zone")
        return value.astimezone(datetime.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime.datetime | None:
        """Say again that it is UTC."""
        del dialect
        return None if value is None else value.replace(tzinfo=datetime.UTC)


metadata = MetaData()

instances = Table(
    "instances",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("name_key", String(255), nullable=False, unique=True),
    Column("search_text", Text, nullable=False),
    Column("connector", String(128), nullable=False, index=True),
    Column("connector_version", Integer, nullable=False),
    Column("authentication", String(128), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("account", Text, nullable=False),
    Column("tested_at", UtcDateTime, nullable=True),
    Column("state", String(16), nullable=False),
    Column("state_message", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
"""`name_key` is the name without regard to case; `search_text` is what a search looks through, likewise."""


def _instance_id() -> Column[str]:
    return Column("instance_id", String(36), ForeignKey("instances.id", ondelete="CASCADE"), primary_key=True)


credentials = Table(
    "credentials",
    metadata,
    _instance_id(),
    Column("field", String(128), primary_key=True),
    Column("envelope", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    _instance_id(),
    Column("fingerprint", String(64), primary_key=True),
    Column("envelope", Text, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("owner", String(32), nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""`expires_at` is in seconds since the epoch."""

environments = Table(
    "environments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("name_key", String(255), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

environment_replacements = Table(
    "environment_replacements",
    metadata,
    Column("environment_id", String(36), ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True),
    Column("instance_id", String(36), ForeignKey("instances.id", ondelete="RESTRICT"), primary_key=True),
    Column("replacement_id", String(36), ForeignKey("instances.id", ondelete="RESTRICT"), nullable=False, index=True),
)
"""In an environment, `replacement_id` takes the place of `instance_id`."""

schedules = Table(
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
    Column("due_at", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Either `every_minutes` or `cron` is set; `due_at` is when the next run begins."""

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
    Column("started_at", UtcDateTime, nullable=False, index=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Column("reach", JSON, nullable=True),
)
Index("ix_runs_instance_started", runs.c.instance_id, runs.c.started_at)

run_events = Table(
    "run_events",
    metadata,
    Column("run_id", String(36), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("data", JSON, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("name_key", String(255), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=True),
)
"""`digest` is the SHA-256 of the token, which is random and long enough for that."""

options = Table(
    "options",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)
"""Values that a person has set for the host as a whole."""
