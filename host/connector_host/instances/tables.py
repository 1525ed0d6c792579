"""The tables as the code sees them; `migrations.py` makes and changes them in the database."""

import datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Dialect, Double, ForeignKey, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

__all__ = ["UtcDateTime", "credentials", "instances", "leases", "metadata", "sessions"]


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
