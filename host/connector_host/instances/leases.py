"""Leases: one holder at a time among all threads, processes and machines that share the database.

A holder renews its lease while it works. A lease that is no longer renewed ends by itself: when a waiting process has
seen it unchanged for as long as it lasts, or when its time was over so long ago that the clocks of two machines cannot
explain it.
"""

import contextlib
import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import ConnectorHostError

from .database import Database
from .tables import leases

__all__ = ["LEASE_SECONDS", "LONGEST_HOLD_SECONDS", "Lease"]

LEASE_SECONDS = 30.0
"""How long after its holder's death a lease ends (decided)."""
LONGEST_HOLD_SECONDS = 900.0
"""How long a holder that hangs can keep it (decided: three times the longest time-out of a sign-in)."""
_RENEW_SECONDS = LEASE_SECONDS / 3
_CLOCKS_DIFFER_SECONDS = 300.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1

_Seen = tuple[str, float]
"""Owner and end of a lease, as a look at it found them."""

_log = logging.getLogger(__name__)


class Lease:
    """The lease of one name, renewed for `longest_hold` seconds at most, or for as long as it is held with None.

    `sleep` and `wait_done` exist so that tests need not wait.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        clock: Clock | None = None,
        longest_hold: float | None = LONGEST_HOLD_SECONDS,
        sleep: Callable[[float], object] = time.sleep,
        wait_done: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._database = database
        self._name = name
        self._clock = clock or SystemClock()
        self._longest_hold = longest_hold
        self._sleep = sleep
        self._wait_done = wait_done

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Wait until nobody else holds the lease, and hold it until the block ends."""
        owner = uuid.uuid4().hex
        self._acquire(owner)
        with self._keeping(owner):
            yield

    @contextlib.contextmanager
    def held_at_once(self) -> Iterator[bool]:
        """Hold the lease until the block ends if nobody else holds it; tell whether it is held."""
        owner = uuid.uuid4().hex
        seen = self._look()
        if (seen is not None and seen[1] + _CLOCKS_DIFFER_SECONDS > self._clock.time()) or not self._take(owner, seen):
            yield False
            return
        with self._keeping(owner):
            yield True

    def end(self) -> None:
        """Take the lease from a holder that is known to be dead."""
        with self._database.write() as connection:
            connection.execute(delete(leases).where(leases.c.name == self._name))

    @property
    def is_over(self) -> bool:
        """Whether nobody holds the lease, or its holder has long been silent."""
        seen = self._look()
        return seen is None or seen[1] + _CLOCKS_DIFFER_SECONDS <= self._clock.time()

    @contextlib.contextmanager
    def _keeping(self, owner: str) -> Iterator[None]:
        done = threading.Event()
        renewing = threading.Thread(target=self._keep_renewing, args=(owner, done), name=f"lease {self._name}")
        renewing.daemon = True
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()
            self._release(owner)

    def _acquire(self, owner: str) -> None:
        watched: _Seen | None = None
        since = self._clock.monotonic()
        pause = _FIRST_PAUSE
        while True:
            seen = self._look()
            if seen != watched:
                watched, since = seen, self._clock.monotonic()
            over = seen is not None and (
                seen[1] + _CLOCKS_DIFFER_SECONDS <= self._clock.time()
                or self._clock.monotonic() - since >= LEASE_SECONDS
            )
            if (seen is None or over) and self._take(owner, seen):
                return
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _look(self) -> _Seen | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(leases.c.owner, leases.c.expires_at).where(leases.c.name == self._name)
            ).one_or_none()
        return None if row is None else (row.owner, row.expires_at)

    def _take(self, owner: str, seen: _Seen | None) -> bool:
        """Take the lease if it still stands as it was seen."""
        expires_at = self._clock.time() + LEASE_SECONDS
        try:
            with self._database.write() as connection:
                if seen is None:
                    connection.execute(insert(leases).values(name=self._name, owner=owner, expires_at=expires_at))
                    return True
                taken = connection.execute(
                    update(leases)
                    .where(leases.c.name == self._name, leases.c.owner == seen[0], leases.c.expires_at == seen[1])
                    .values(owner=owner, expires_at=expires_at)
                )
                return taken.rowcount == 1
        except IntegrityError:
            return False

    def _keep_renewing(self, owner: str, done: threading.Event) -> None:
        renewals = itertools.count() if self._longest_hold is None else range(int(self._longest_hold / _RENEW_SECONDS))
        for _ in renewals:
            if self._wait_done(done, _RENEW_SECONDS) or not self._renew(owner):
                return
        _log.warning("The lease %s was held for too long and is no longer renewed.", self._name)

    def _renew(self, owner: str) -> bool:
        """Put the end off; False when another has taken the lease."""
        try:
            with self._database.write() as connection:
                renewed = connection.execute(
                    update(leases)
                    .where(leases.c.name == self._name, leases.c.owner == owner)
                    .values(expires_at=self._clock.time() + LEASE_SECONDS)
                )
        except ConnectorHostError as error:
            _log.warning("The lease %s could not be renewed: %s", self._name, error.message)
            return True
        return renewed.rowcount == 1

    def _release(self, owner: str) -> None:
        """Give the lease back; where the database fails, it ends by itself."""
        try:
            with self._database.write() as connection:
                connection.execute(delete(leases).where(leases.c.name == self._name, leases.c.owner == owner))
        except ConnectorHostError as error:
            _log.warning("The lease %s could not be given back: %s", self._name, error.message)
