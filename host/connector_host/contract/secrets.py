"""Credentials that do not show themselves, and texts with the secrets taken out."""

from collections.abc import Iterable, Iterator, Mapping

__all__ = ["HIDDEN", "Credentials", "Redactor"]

HIDDEN = "••••••"
_SHORTEST_SECRET = 4


class Redactor:
    """Replaces known secrets in texts that people or logs will see.

    Values shorter than four characters are not looked for: they would blot out ordinary words.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn more secrets, such as the token of a session."""
        self._secrets.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)

    def __call__(self, text: str) -> str:
        """Return the text with every known secret hidden, longest first, whatever its case."""
        lowered = text.lower()
        for secret in sorted(self._secrets, key=len, reverse=True):
            needle = secret.lower()
            start = lowered.find(needle)
            while start >= 0:
                text = text[:start] + HIDDEN + text[start + len(secret) :]
                lowered = text.lower()
                start = lowered.find(needle, start + len(HIDDEN))
        return text

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"


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
