"""Tokens of the API for programs: shown once, kept as digests."""

import datetime
import hashlib
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import NameTaken, UnknownName
from connector_host.contract.instance_names import checked_name, name_key
from connector_host.contract.nearest import did_you_mean

from .database import Database
from .tables import api_tokens

__all__ = ["TOKEN_PREFIX", "ApiToken", "TokenStore"]

TOKEN_PREFIX = "cht_"  # noqa: S105 -- the start of every token, by which scanners for leaked secrets can know one
_RANDOM_BYTES = 32
_USED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret part."""

    id: str
    name: str
    created_at: datetime.datetime
    last_used_at: datetime.datetime | None


class TokenStore:
    """The tokens of one database."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def add(self, name: str) -> tuple[ApiToken, str]:
        """Make a token and return it with its secret, which cannot be shown again. Raises NameTaken, InputInvalid."""
        kept = checked_name(name)
        secret = TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        token = ApiToken(str(uuid.uuid4()), kept, self._now(), None)
        row = {
            "id": token.id,
            "name": kept,
            "name_key": name_key(kept),
            "digest": _digest(secret),
            "created_at": token.created_at,
            "last_used_at": None,
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(api_tokens).values(row))
        except IntegrityError:
            raise NameTaken(f'There is a token "{kept}" already.', next_step="Choose another name.") from None
        return token, secret

    def list(self) -> tuple[ApiToken, ...]:
        """Return every token by name."""
        query = select(api_tokens.c.id, api_tokens.c.name, api_tokens.c.created_at, api_tokens.c.last_used_at).order_by(
            api_tokens.c.name_key
        )
        with self._database.read() as connection:
            return tuple(ApiToken(*row) for row in connection.execute(query))

    def revoke(self, name: str) -> ApiToken:
        """End a token at once, and return what it was. Raises UnknownName."""
        key = name_key(name)
        found = next((each for each in self.list() if name_key(each.name) == key), None)
        if found is None:
            known = [each.name for each in self.list()]
            raise UnknownName(
                f'There is no token "{name}".',
                next_step=did_you_mean(name, known) or (f"There are: {', '.join(known)}." if known else ""),
            )
        with self._database.write() as connection:
            connection.execute(delete(api_tokens).where(api_tokens.c.id == found.id))
        return found

    def find(self, secret: str) -> ApiToken | None:
        """Return the token of this secret, None when there is none; its use is noted once a minute."""
        query = select(api_tokens.c.id, api_tokens.c.name, api_tokens.c.created_at, api_tokens.c.last_used_at)
        with self._database.read() as connection:
            row = connection.execute(query.where(api_tokens.c.digest == _digest(secret))).one_or_none()
        if row is None:
            return None
        token = ApiToken(*row)
        now = self._now()
        if token.last_used_at is None or (now - token.last_used_at).total_seconds() >= _USED_SECONDS:
            with self._database.write() as connection:
                connection.execute(update(api_tokens).where(api_tokens.c.id == token.id).values(last_used_at=now))
        return token

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._clock.time(), datetime.UTC)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
