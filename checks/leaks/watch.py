"""What came out while a test ran, the secrets that were at hand, and where one stands in the other."""

import base64
import fnmatch
import json
import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

__all__ = ["Allowed", "Watch", "allowed_of"]

TABLE = Path(__file__).with_name("leaks.toml")
_SHORTEST_BASE64 = 12
_GROUP = 3
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Allowed:
    """Where the tests that match a pattern may show secrets, and why."""

    test: str
    where: str
    reason: str

    def covers(self, test: str, where: str) -> bool:
        """Whether this is about that place in that test; `test` is a node id without its parameters."""
        return fnmatch.fnmatchcase(test, self.test) and fnmatch.fnmatchcase(where, self.where)


def allowed_of(table: Path = TABLE) -> tuple[list[str], list[Allowed]]:
    """Return what every planted secret has in it, and the exemptions."""
    read = tomllib.loads(table.read_text("utf-8"))
    return read["planted"], [Allowed(**each) for each in read["allowed"]]


class Watch:
    """Collects what comes out, and the secrets; `leaks` compares them when the test is over, and begins anew.

    `planted` are texts that no output may have in any test. Secrets that a test gives to the host are learned; those
    shorter than `shortest` characters cannot be told from ordinary words, and are reported in their own right.
    """

    def __init__(self, planted: list[str], allowed: list[Allowed], *, shortest: int = 8) -> None:
        self._planted = {form for each in planted for form in _spellings(each)}
        self._allowed = allowed
        self._shortest = shortest
        self._seen: defaultdict[str, list[bytes]] = defaultdict(list)
        self._secrets: set[str] = set()

    def learn(self, *secrets: object) -> None:
        """Note secrets that were given to the host, or that it got from a vendor."""
        self._secrets.update(each for each in secrets if isinstance(each, str) and each)

    def see(self, where: str, *content: str | bytes) -> None:
        """Note what came out at a place; parts of one place are looked at as one text."""
        self._seen[where] += [
            each if isinstance(each, bytes) else each.encode("utf-8", "surrogatepass") for each in content
        ]

    def leaks(self, test: str) -> list[str]:
        """Return the places that have a secret in them and are not exempted, and forget what was seen."""
        seen, self._seen = self._seen, defaultdict(list)
        secrets, self._secrets = self._secrets, set()
        short = {each for each in secrets if len(each) < self._shortest}
        forms = self._planted.union(*map(_spellings, secrets - short))
        found = [where for where, parts in list(seen.items()) if _has(b"".join(parts), forms)]
        found += ["credentials too short to be looked for"] if short else []
        name = test.partition("[")[0]
        return [where for where in found if not any(each.covers(name, where) for each in self._allowed)]


def _has(content: bytes, forms: set[tuple[bool, bytes]]) -> bool:
    lowered = content.lower()
    return any(form in (content if exact else lowered) for exact, form in forms)


def _spellings(secret: str) -> set[tuple[bool, bytes]]:
    """Return the ways in which a secret could stand somewhere, each with whether its case matters."""
    raw = secret.encode("utf-8", "surrogatepass")
    texts = {secret, quote(raw, safe=""), quote_plus(raw), json.dumps(secret)[1:-1]}
    texts |= {secret.replace("-", "")} if _UUID.fullmatch(secret) else set()
    forms = {text.lower().encode("utf-8", "surrogatepass") for text in texts}
    forms |= {secret.lower().encode("utf-16-le", "surrogatepass"), raw.hex().encode(), raw.lower().hex().encode()}
    return {(False, form) for form in forms} | {(True, form) for form in _base64_of(raw)}


def _base64_of(raw: bytes) -> set[bytes]:
    """Return what of a secret's base64 does not depend on what stands around it, for each of the three places."""
    whole = (raw[start : start + (len(raw) - start) // _GROUP * _GROUP] for start in range(_GROUP))
    return {form for form in map(base64.b64encode, whole) if len(form) >= _SHORTEST_BASE64}
