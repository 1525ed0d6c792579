"""Sessions of one instance in the database, encrypted, shared by every process and thread."""

import contextlib
import datetime
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import SecretsUnreadable
from connector_host.contract.secrets import Credentials
from connector_host.contract.sessions import Rejection, Session

from .database import Database
from .encryption import KeyRing
from .instance import Instance
from .leases import Lease
from .tables import sessions
from .vault import Vault

__all__ = ["StoredSessions", "lease_name", "session_field"]


class StoredSessions:
    """The session store of an instance with its present credentials and settings; other ones have other rows.

    A row that cannot be read counts as none: signing in again replaces it.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        instance: Instance,
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._database = database
        self._vault = vault
        self._instance_id = instance.id
        self._clock = clock or SystemClock()
        self._depends_on = _canonical(instance, credentials)
        self._lease = Lease(database, lease_name(instance.id), clock=self._clock, sleep=sleep)

    def load(self) -> Session | Rejection | None:
        """Return what is known, None when nothing is or it cannot be read."""
        ring = self._ring()
        if ring is None:
            return None
        with self._database.read() as connection:
            return self._find(connection, ring, self._fingerprints(ring))

    def save(self, known: Session | Rejection) -> None:
        """Remember it in place of what was known."""
        self._vault.writing()
        # A broken constraint: another process has just saved its own, or the instance is gone. Both may stand.
        with contextlib.suppress(IntegrityError), self._database.write() as connection:
            ring = self._vault.reading()
            fingerprints = self._fingerprints(ring)
            self._delete(connection, fingerprints)
            sealed = ring.seal(_dump(known), instance_id=self._instance_id, field_name=session_field(fingerprints[0]))
            connection.execute(
                insert(sessions).values(
                    instance_id=self._instance_id,
                    fingerprint=fingerprints[0],
                    envelope=sealed,
                    saved_at=datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC),
                )
            )

    def forget(self, session: Session) -> None:
        """Drop the session if it is still the one that is kept: it has died."""
        ring = self._ring()
        if ring is None:
            return
        fingerprints = self._fingerprints(ring)
        with self._database.write() as connection:
            if self._find(connection, ring, fingerprints) == session:
                self._delete(connection, fingerprints)

    def signing_in(self) -> AbstractContextManager[None]:
        """Hold off every other sign-in of the instance, of any process, until the block ends."""
        return self._lease.held()

    def _ring(self) -> KeyRing | None:
        try:
            return self._vault.reading()
        except SecretsUnreadable:
            return None

    def _fingerprints(self, ring: KeyRing) -> list[str]:
        """Return the row's name under each key, the writing one first: a rotation does not lose the session."""
        return [
            hmac.new(key.derived("session fingerprint"), self._depends_on, hashlib.sha256).hexdigest() for key in ring
        ]

    def _find(self, connection: Connection, ring: KeyRing, fingerprints: list[str]) -> Session | Rejection | None:
        rows = connection.execute(
            select(sessions.c.fingerprint, sessions.c.envelope)
            .where(sessions.c.instance_id == self._instance_id, sessions.c.fingerprint.in_(fingerprints))
            .with_for_update()
        )
        envelopes = {row.fingerprint: row.envelope for row in rows}
        for fingerprint in fingerprints:
            if fingerprint in envelopes:
                try:
                    return _load(
                        ring.open(
                            envelopes[fingerprint],
                            instance_id=self._instance_id,
                            field_name=session_field(fingerprint),
                        )
                    )
                except (SecretsUnreadable, ValueError, TypeError, KeyError):
                    continue
        return None

    def _delete(self, connection: Connection, fingerprints: list[str]) -> None:
        connection.execute(
            delete(sessions).where(
                sessions.c.instance_id == self._instance_id, sessions.c.fingerprint.in_(fingerprints)
            )
        )

    def __repr__(self) -> str:
        return f"StoredSessions({self._instance_id})"


def session_field(fingerprint: str) -> str:
    """Return the field name that a session's envelope is bound to."""
    return f"session:{fingerprint}"


def lease_name(instance_id: str) -> str:
    """Return the name of the lease of an instance's sign-in."""
    return f"sign-in:{instance_id}"


def _canonical(instance: Instance, credentials: Credentials) -> bytes:
    """Return everything that a session depends on: with a change of any of it, sign in again."""
    return json.dumps(
        [
            instance.connector,
            instance.connector_version,
            instance.authentication,
            dict(instance.settings),
            dict(credentials),
        ],
        sort_keys=True,
    ).encode("utf-8")


def _dump(known: Session | Rejection) -> str:
    if isinstance(known, Rejection):
        return json.dumps({"rejection": {"message": known.message, "at": known.at}})
    return json.dumps(
        {
            "session": {
                "variables": dict(known.variables),
                "secret": sorted(known.secret),
                "signed_in_at": known.signed_in_at,
                "expires_at": known.expires_at,
                "idle_seconds": known.idle_seconds,
                "account": known.account,
            }
        }
    )


def _load(text: str) -> Session | Rejection:
    kept = json.loads(text)
    if "rejection" in kept:
        return Rejection(**kept["rejection"])
    values = kept["session"]
    return Session(**{**values, "secret": frozenset(values["secret"])})
