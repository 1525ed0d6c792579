"""The keys as the store uses them: read afresh at every use, and made only where no secret waits for a lost one."""

from sqlalchemy import exists, select

from connector_host.contract.errors import SecretsUnreadable

from . import tables
from .database import Database
from .encryption import KeyRing
from .keys import KeySource

__all__ = ["Vault"]


class Vault:
    """Gives the keys of one database."""

    def __init__(self, database: Database, source: KeySource) -> None:
        self._database = database
        self.source = source

    def reading(self) -> KeyRing:
        """Return the keys. Raises SecretsUnreadable when there are none."""
        ring = self.source.load()
        if ring is None:
            raise self._lost()
        return ring

    def writing(self) -> KeyRing:
        """Return the keys, and make a first one for a database without secrets; not inside a transaction.

        Raises SecretsUnreadable when there are secrets and no keys: a new key would hide that the old one is lost.
        """
        ring = self.source.load()
        if ring is not None:
            return ring
        with self._database.exclusive() as connection:
            if (made_meanwhile := self.source.load()) is not None:
                return made_meanwhile
            if connection.execute(select(exists(select(tables.credentials.c.field)))).scalar_one():
                raise self._lost()
            return self.source.create()

    def _lost(self) -> SecretsUnreadable:
        return SecretsUnreadable(
            "The encryption key of the stored credentials is not there. Nothing was changed.",
            next_step=self.source.when_lost,
        )
