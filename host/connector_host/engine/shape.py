"""Looks into records only as far as needed: key, time, and the fields that filters compare."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

__all__ = ["Facts", "Shape", "tree_struct"]

_EMPTY = b'""'

Record = bytes | msgspec.Raw


class Facts:
    """What was found in one record: `key` is the JSON of its primary key's values, joined by commas.

    `fields` has the decoded values of the other paths, in their order. `flaw` says why it is no record, if it is none.
    """

    __slots__ = ("fields", "flaw", "key")

    def __init__(self, key: bytes = b"", fields: tuple[Any, ...] = (), flaw: str = "") -> None:
        self.key = key
        self.fields = fields
        self.flaw = flaw


class Shape:
    """Decodes records as far as a primary key and some other paths."""

    def __init__(self, primary_key: Sequence[str], paths: Sequence[str] = ()) -> None:
        self.primary_key = tuple(primary_key)
        self._paths = tuple(paths)
        leaves: dict[str, Any] = dict.fromkeys(self._paths, Any) | dict.fromkeys(self.primary_key, msgspec.Raw)
        # A path that is a key and compared too is read twice: once as bytes, once decoded.
        self._both = [path for path in self._paths if path in self.primary_key]
        kind, self._names = tree_struct(leaves)
        self._one = msgspec.json.Decoder(kind)
        self._key_of = [self._names[path] for path in self.primary_key]
        self._single = self._key_of[0] if len(self._key_of) == 1 and len(self._key_of[0]) == 1 else None
        # Where the key comes first in a record, and is a plain text, the rest of the record need not be gone through.
        name = re.escape(msgspec.json.encode(self.primary_key[0])) if self._single is not None else b""
        self._first = re.compile(rb"\s*\{\s*" + name + rb'\s*:\s*("[^"\\\x00-\x1f]+")') if name else None

    def keys(self, records: Sequence[Record]) -> list[bytes] | None:
        """Return the keys of records; None when one of them has a flaw. Raws are known to be JSON."""
        if self._first is not None and (leading := _leading(records, self._first)) is not None:
            return leading
        try:
            decode = self._one.decode
            found = [decode(record) for record in records]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if self._single is not None:
            name = self._single[0]
            keys = [bytes(raw) if (raw := getattr(each, name)) is not None else b"" for each in found]
        else:
            keys = [self._key(each) or b"" for each in found]
        if b"" in keys or b"null" in keys or _EMPTY in keys:
            return None
        return keys

    def facts(self, records: Sequence[Record]) -> list[Facts]:
        """Return the facts of each record, with its flaw where it has one."""
        return [self._facts(record) for record in records]

    def _facts(self, record: Record) -> Facts:
        try:
            found = self._one.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Facts(flaw="it is no JSON object" if _is_json(record) else "it is no JSON")
        key = self._key(found)
        if key is None:
            return Facts(flaw=f"it has no {' or '.join(self.primary_key)}")
        return Facts(key, tuple(self._value(found, path) for path in self._paths))

    def _key(self, found: Any) -> bytes | None:
        parts = []
        for steps in self._key_of:
            raw = _walk(found, steps)
            part = b"null" if raw is None else bytes(raw).strip()
            if part == b"null":
                return None
            parts.append(part)
        # A key of several fields may have an empty one, such as a note without text; one of nothing else names nothing.
        return None if all(part == _EMPTY for part in parts) else b",".join(parts)

    def _value(self, found: Any, path: str) -> Any:
        value = _walk(found, self._names[path])
        return msgspec.json.decode(value) if path in self._both and value is not None else value


def _leading(records: Sequence[Record], key: re.Pattern[bytes]) -> list[bytes] | None:
    """Return the keys where every record begins with its own."""
    match, found = key.match, []
    for record in records:
        if not isinstance(record, msgspec.Raw) or (leading := match(record)) is None:
            return None
        found.append(leading[1])
    return found


def tree_struct(leaves: dict[str, Any]) -> tuple[type[msgspec.Struct], dict[str, list[str]]]:
    """Return a struct that decodes just the dotted paths, and for each path the attributes that lead to its value.

    What is missing or stands below a null is None. `leaves` gives the type of each path.
    """
    by_step: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = {}
    for path, kind in leaves.items():
        step, _, rest = path.partition(".")
        if rest:
            by_step.setdefault(step, {})[rest] = kind
        else:
            whole[step] = kind
    fields: list[tuple[str, Any, Any]] = []
    rename: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for number, step in enumerate(dict.fromkeys([*whole, *by_step])):
        attribute = f"f{number}"
        rename[attribute] = step
        if step in by_step:
            inner, deeper = tree_struct(by_step[step])
            fields.append((attribute, inner | None, None))
            names |= {f"{step}.{rest}": [attribute, *steps] for rest, steps in deeper.items()}
        else:
            kind = whole[step]
            fields.append((attribute, kind if kind in (Any, msgspec.Raw) else kind | None, None))
            names[step] = [attribute]
    return msgspec.defstruct("Level", fields, rename=rename, gc=False), names


def _walk(found: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if found is None:
            return None
        found = getattr(found, step)
    return found


def _is_json(record: Record) -> bool:
    try:
        msgspec.json.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
