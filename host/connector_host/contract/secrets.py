"""Credentials that do not show themselves, and texts with the secrets taken out."""

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from .errors import ConnectorHostError

__all__ = ["HIDDEN", "Credentials", "Redactor", "hide_secrets"]

HIDDEN = "••••••"
_SHORTEST_SECRET = 4
_SHORTEST_BASE64 = 12


class Redactor:
    """Replaces known secrets in texts that people or logs will see; safe to use from several threads.

    Values shorter than four characters are not looked for: they would blot out ordinary words.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn more secrets, such as the token of a session."""
        with self._lock:
            known = self._secrets.union(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
            if known == self._secrets:
                return
            self._secrets = known
            forms = {form for secret in known for form in _forms(secret)}
            longest_first = sorted(forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return the text with every known secret hidden, longest first, whatever its case."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"


def hide_secrets(error: ConnectorHostError, redactor: Redactor) -> None:
    """Take the secrets out of an error that a connector's code has written."""
    error.message, error.detail, error.next_step = map(redactor, (error.message, error.detail, error.next_step))
    error.problems = tuple(
        replace(each, where=redactor(each.where), sentence=redactor(each.sentence), fix=redactor(each.fix))
        for each in error.problems
    )
    error.args = (error.message,)


def _forms(secret: str) -> set[str]:
    """Return how a secret may be written: as it is, in an address, in a form, in JSON and in base64."""
    raw = secret.encode("utf-8", "surrogatepass")
    return {
        secret,
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        *_base64_of(raw),
    }


def _base64_of(raw: bytes) -> set[str]:
    """Return what of a secret's base64 is the same whatever stands before it, such as the user of basic authentication.

    Less than twelve characters of it would blot out what only looks alike.
    """
    groups = (raw[start : start + (len(raw) - start) // 3 * 3] for start in range(3))
    texts = {write(group).decode() for group in groups for write in (base64.b64encode, base64.urlsafe_b64encode)}
    return {text for text in texts if len(text) >= _SHORTEST_BASE64}


class Credentials(Mapping[str, str]):
    """The values of an authentication method's credentials, by key; `repr` and `str` show keys only."""

    def __init__(self, values: Mapping[str, str], secret_keys: Iterable[str]) -> None:
        self._values = dict(values)
        self._secret_keys = frozenset(secret_keys)

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def secret_values(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        return tuple(value for key, value in self._values.items() if key in self._secret_keys and value)

    def shown(self) -> dict[str, str]:
        """Return the values with secrets hidden, for pages and lists."""
        return {key: HIDDEN if key in self._secret_keys and value else value for key, value in self._values.items()}

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self._values)})"
