"""Rotation of the encryption keys: row by row, each in a transaction of its own, so that it can stop anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, exists, not_, select, tuple_, update

from connector_host.contract.errors import SecretsUnreadable

from . import tables
from .database import Database
from .encryption import EncryptionKey, KeyRing, envelope_prefix
from .sessions import session_field
from .vault import Vault

__all__ = ["Rotation", "drop_unused_keys", "rotate"]

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did: the key that writes now, how many secrets were written anew, and which stayed as they were.

    `unreadable` names the credentials that no key at hand opens, as `INSTANCE: field`.
    """

    key_id: str
    rewritten: int
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table with envelopes; the second part of its key is what an envelope is bound to, beside the instance."""

    table: Table
    part: Column[str]

    @property
    def instance_id(self) -> Column[str]:
        return self.table.c.instance_id

    @property
    def envelope(self) -> Column[str]:
        return self.table.c.envelope

    def field_name(self, part: str) -> str:
        return session_field(part) if self.table is tables.sessions else part


_KINDS = (
    _Kind(tables.credentials, tables.credentials.c.field),
    _Kind(tables.sessions, tables.sessions.c.fingerprint),
)


def rotate(database: Database, vault: Vault) -> Rotation:
    """Write every secret anew under a new key.

    Where the host keeps the keys (file, keyring) it makes one, unless secrets under an older key show that a rotation
    was interrupted: then it finishes that one. Keys from the environment are rotated by putting the new key first.
    The old keys stay until `drop_unused_keys`. Raises SecretsUnreadable when there are no keys.
    """
    done = _rewrite(database, vault.writing())
    if done.rewritten == 0 and vault.source.writable:
        with database.exclusive():
            ring = vault.reading().with_new()
            vault.source.save(ring)
        done = _rewrite(database, ring)
    return done


def drop_unused_keys(database: Database, vault: Vault) -> tuple[str, ...]:
    """Forget the keys that no secret of this database needs, and return their ids.

    Not for keys that serve another database as well. Raises ConfigurationError where the host does not keep the keys.
    """
    with database.exclusive() as connection:
        ring = vault.reading()
        kept = ring.only(key.id for key in ring if _is_used(connection, key))
        dropped = tuple(key.id for key in ring if key not in kept.keys)
        if dropped:
            vault.source.save(kept)
    return dropped


def _is_used(connection: Connection, key: EncryptionKey) -> bool:
    return any(
        connection.execute(
            select(exists().where(kind.envelope.startswith(envelope_prefix(key), autoescape=True)))
        ).scalar_one()
        for kind in _KINDS
    )


def _rewrite(database: Database, ring: KeyRing) -> Rotation:
    """Write what other keys wrote anew under the ring's writing key; what does not open stays as it is."""
    rewritten = 0
    unreadable = []
    for kind in _KINDS:
        for row in _under_other_keys(database, kind, ring.writing):
            try:
                rewritten += _rewrite_row(database, kind, ring, row)
            except SecretsUnreadable:
                if kind.table is tables.credentials:
                    unreadable.append(f"{row.name}: {row.part}")
    return Rotation(ring.writing.id, rewritten, tuple(unreadable))


def _under_other_keys(database: Database, kind: _Kind, writing: EncryptionKey) -> Iterator[Row[Any]]:
    """Yield the rows in the order of their key, a batch at a time, with no transaction open between."""
    query = (
        select(
            kind.instance_id.label("instance_id"),
            kind.part.label("part"),
            kind.envelope.label("envelope"),
            tables.instances.c.name.label("name"),
        )
        .join_from(kind.table, tables.instances)
        .where(not_(kind.envelope.startswith(envelope_prefix(writing), autoescape=True)))
        .order_by(kind.instance_id, kind.part)
        .limit(_BATCH)
    )
    last: tuple[str, str] | None = None
    while True:
        page = query if last is None else query.where(tuple_(kind.instance_id, kind.part) > last)
        with database.read() as connection:
            rows = connection.execute(page).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = (rows[-1].instance_id, rows[-1].part)


def _rewrite_row(database: Database, kind: _Kind, ring: KeyRing, row: Row[Any]) -> int:
    """Write one secret anew, unless it was replaced meanwhile. Raises SecretsUnreadable."""
    place = {"instance_id": row.instance_id, "field_name": kind.field_name(row.part)}
    sealed = ring.seal(ring.open(row.envelope, **place), **place)
    with database.write() as connection:
        written = connection.execute(
            update(kind.table)
            .where(kind.instance_id == row.instance_id, kind.part == row.part, kind.envelope == row.envelope)
            .values(envelope=sealed)
        )
    return written.rowcount
