"""Who may come in: whoever has the token that was printed at the start, or a user with a password."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import argon2

from connector_host.contract.errors import ConfigurationError

__all__ = ["PASSWORD_VARIABLE", "USER_VARIABLE", "Access", "PasswordAccess", "TokenAccess", "access_from"]

USER_VARIABLE = "CONNECTOR_HOST_WEB_USER"
PASSWORD_VARIABLE = "CONNECTOR_HOST_WEB_PASSWORD"  # noqa: S105 -- the name of a variable
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 5, 5
_SHORTEST_PASSWORD = 12


class Access(Protocol):
    """Decides about a sign-in. `asks_for_user` tells which form the page shows."""

    asks_for_user: bool

    def admits(self, user: str, secret: str) -> bool:
        """Tell whether this user may come in; takes as long for a wrong one. May be slow: call it in a thread."""


class TokenAccess:
    """Admits whoever knows the token; without one, a new token of 125 bits is made."""

    asks_for_user = False

    def __init__(self, token: str | None = None) -> None:
        self.token = token or "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))

    def admits(self, user: str, secret: str) -> bool:
        """Tell whether it is the token, however it is grouped and in whichever case."""
        del user
        return secrets.compare_digest(_plain(secret), _plain(self.token))

    def __repr__(self) -> str:
        return "TokenAccess()"


class PasswordAccess:
    """Admits one user with a password, of which only an Argon2 hash is kept."""

    asks_for_user = True

    def __init__(self, user: str, password_hash: str) -> None:
        self.user = user
        self._hash = password_hash
        self._hasher = argon2.PasswordHasher()
        try:
            argon2.extract_parameters(password_hash)
        except argon2.exceptions.InvalidHashError:
            raise ConfigurationError(
                "The stored password is no Argon2 hash.", next_step="Set it again: connector-host serve --set-password"
            ) from None

    @classmethod
    def with_password(cls, user: str, password: str) -> "PasswordAccess":
        """Hash a password. Raises ConfigurationError when it or the user cannot be used."""
        if not user.strip() or len(password) < _SHORTEST_PASSWORD:
            raise ConfigurationError(
                f"A user needs a name, and a password of {_SHORTEST_PASSWORD} characters at least.",
                next_step="Choose a longer password.",
            )
        return cls(user.strip(), argon2.PasswordHasher().hash(password))

    def save(self, path: Path) -> None:
        """Write user and hash to a file that only its owner can read."""
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(f"{self.user}:{self._hash}\n")

    def admits(self, user: str, secret: str) -> bool:
        """Tell whether user and password are right; the hash is computed in any case."""
        same_user = secrets.compare_digest(user.strip().encode("utf-8", "surrogatepass"), self.user.encode())
        try:
            self._hasher.verify(self._hash, secret)
        except argon2.exceptions.Argon2Error:
            return False
        return same_user

    def __repr__(self) -> str:
        return f"PasswordAccess({self.user!r})"


def access_from(environ: Mapping[str, str], users_file: Path) -> Access:
    """Return the access that the environment names, or the file that `--set-password` writes, or a fresh token.

    Raises ConfigurationError when half of it is missing or the file cannot be read.
    """
    user, password = environ.get(USER_VARIABLE, ""), environ.get(PASSWORD_VARIABLE, "")
    if bool(user) != bool(password):
        raise ConfigurationError(
            f"{USER_VARIABLE} and {PASSWORD_VARIABLE} belong together.", next_step="Set both, or none of them."
        )
    if user:
        return PasswordAccess.with_password(user, password)
    if not users_file.is_file():
        return TokenAccess()
    try:
        name, _, stored = users_file.read_text("utf-8").strip().partition(":")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"{users_file} cannot be read.", next_step="Set the password again, or remove the file."
        ) from None
    return PasswordAccess(name, stored)


def _plain(token: str) -> bytes:
    return "".join(token.split()).replace("-", "").upper().encode("utf-8", "surrogatepass")
