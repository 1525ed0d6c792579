"""Faults on demand: what a sandbox answers wrongly, for which operations, and how often.

A fault is written `PATTERN:KIND[:KEY=VALUE...]`. The pattern is matched against the operation id without regard to case
(`stock.*`, `*`, `orders.GetOrdersById`). `KINDS` lists the kinds, `_READERS` the keys.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from linnworks_connector.sandbox.draws import generator

KINDS: Final[dict[str, str]] = {
    "NNN": "answer with that HTTP status (400 to 599); 429 answers as an exceeded quota does",
    "html": "an HTML page of a proxy (status=502 unless told otherwise)",
    "truncated": "the right answer, cut off in the middle",
    "reset": "the connection is reset without an answer",
    "slow": "the right answer, `seconds` later",
    "duplicate_page": "the previous answer of the same operation again, in place of this one",
    "quota_text": "the text of an exceeded quota under another status (status=400 unless told otherwise)",
    "empty": "200 with an empty body",
}

_HTTP_ERRORS: Final = range(400, 600)


class FaultSyntaxError(ValueError):
    """A fault that cannot be read; the message says what is expected."""


@dataclass(slots=True)
class Fault:
    """One fault. It fires for calls of `pattern`: at most `times`, each `every`-th, with `probability`."""

    pattern: str
    kind: str
    status: int | None = None
    times: int | None = None
    every: int = 1
    after: int = 0
    probability: float = 1.0
    retry_after: str | None = None
    seconds: float = 1.0
    message: str | None = None
    applied: bool = False
    seen: int = 0
    fired: int = 0
    text: str = field(default="", compare=False)

    def wants(self, operation: str, rng: random.Random) -> bool:
        """Count a call of `operation` and say whether this fault is its answer."""
        if not fnmatchcase(operation.lower(), self.pattern.lower()):
            return False
        self.seen += 1
        due = self.seen > self.after and (self.seen - self.after) % self.every == 0
        if not due or (self.times is not None and self.fired >= self.times):
            return False
        if self.probability < 1 and rng.random() >= self.probability:
            return False
        self.fired += 1
        return True


def _truth(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError("expected yes or no")
    return words[text.lower()]


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError("expected a number from 0 to 1")
    return share


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError("expected 0 or more")
    return count


def _positive(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError("expected 1 or more")
    return count


def _status(text: str) -> int:
    status = int(text)
    if status not in range(200, 600):
        raise ValueError("expected an HTTP status from 200 to 599")
    return status


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "times": _count,
    "every": _positive,
    "after": _count,
    "probability": _share,
    "retry_after": str,
    "seconds": float,
    "status": _status,
    "message": str,
    "applied": _truth,
}


def parse_fault(text: str) -> Fault:
    """Read `PATTERN:KIND[:KEY=VALUE...]`. Raises FaultSyntaxError with what is wrong and an example."""
    example = "for example stock.GetStockItemsFull:429:retry_after=2:times=3"
    pattern, _, rest = text.partition(":")
    kind, *pairs = _split(rest)
    if not pattern or not kind:
        raise FaultSyntaxError(f"fault {text!r}: expected PATTERN:KIND, {example}")
    values: dict[str, Any] = {}
    if kind.isdigit():
        if int(kind) not in _HTTP_ERRORS:
            raise FaultSyntaxError(f"fault {text!r}: a status must be from 400 to 599, {example}")
        values["status"] = int(kind)
    elif kind not in KINDS:
        raise FaultSyntaxError(
            f"fault {text!r}: unknown kind {kind!r}; known are a status or {', '.join(list(KINDS)[1:])}"
        )
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key not in _READERS or not equals:
            raise FaultSyntaxError(
                f"fault {text!r}: unknown setting {pair!r}; known are {', '.join(_READERS)}, {example}"
            )
        try:
            values[key] = _READERS[key](value)
        except ValueError as error:
            raise FaultSyntaxError(f"fault {text!r}: {key}={value}: {error}") from None
    return Fault(pattern=pattern, kind=kind, text=text, **values)


def _split(rest: str) -> list[str]:
    """Split at colons, leaving those inside a value (`message=a: b`) where they are."""
    parts: list[str] = []
    for part in rest.split(":"):
        if len(parts) > 1 and "=" not in part:
            parts[-1] += f":{part}"
        else:
            parts.append(part)
    return parts


class Faults:
    """The faults in force. Safe to change from another thread while the server runs."""

    def __init__(self, texts: tuple[str, ...], seed: int) -> None:
        self._faults = [parse_fault(text) for text in texts]
        self._rng = generator(seed)
        self._lock = threading.Lock()

    def set(self, text: str) -> Fault:
        """Add a fault, written as above. Raises FaultSyntaxError."""
        fault = parse_fault(text)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self, pattern: str | None = None) -> int:
        """Remove the faults of `pattern`, or all of them; return how many went."""
        with self._lock:
            kept = (
                [] if pattern is None else [fault for fault in self._faults if fault.pattern.lower() != pattern.lower()]
            )
            gone = len(self._faults) - len(kept)
            self._faults = kept
        return gone

    def pick(self, operation: str) -> Fault | None:
        """Return the first fault that wants this call, or None."""
        if not self._faults:
            return None
        with self._lock:
            return next((fault for fault in self._faults if fault.wants(operation, self._rng)), None)

    def listing(self) -> list[dict[str, Any]]:
        """Return what is in force: text as it was set, calls seen, times fired."""
        with self._lock:
            return [{"fault": fault.text, "seen": fault.seen, "fired": fault.fired} for fault in self._faults]
