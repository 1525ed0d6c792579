"""Takes a list of records out of an answer as bytes: only what is around them is decoded."""

from functools import lru_cache
from typing import Any

import msgspec

from .shape import tree_struct

__all__ = ["EnvelopeError", "fields_of", "list_of", "lists_of", "value_of", "wanted"]

_NULL, _SHORT = b"null", 16
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_keyed_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_value_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class EnvelopeError(ValueError):
    """The answer does not have the expected form; the text says where, without any of its data."""


def fields_of(body: bytes | msgspec.Raw, paths: tuple[str, ...]) -> dict[str, msgspec.Raw | None]:
    """Return the raw value at each dotted path, None for those that are missing; "" is the body itself.

    What stands below a null is null. Raises EnvelopeError when a step leads through something that is no object.
    """
    found: dict[str, msgspec.Raw | None] = {}
    by_step: dict[str, list[str]] = {}
    for path in paths:
        step, _, rest = path.partition(".")
        if step:
            by_step.setdefault(step, []).append(rest)
        else:
            found[path] = body if isinstance(body, msgspec.Raw) else msgspec.Raw(body)
    if not by_step:
        return found
    steps = tuple(by_step)
    try:
        level = _decoder(steps).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EnvelopeError(f"there is no object with {' and '.join(steps)}") from None
    for number, step in enumerate(steps):
        raw: msgspec.Raw | None = getattr(level, f"f{number}")
        for rest in by_step[step]:
            deeper = bool(rest) and raw is not None and not _is_null(raw)
            found[f"{step}.{rest}" if rest else step] = fields_of(raw, (rest,))[rest] if deeper and raw else raw
    return found


def list_of(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    """Return the elements as they stand; nothing and null are an empty list. Raises EnvelopeError otherwise."""
    if raw is None or _is_null(raw):
        return []
    try:
        return _list_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EnvelopeError("there is no list") from None


def lists_of(raw: msgspec.Raw | None) -> list[list[msgspec.Raw]]:
    """Return the elements of each list in an object of lists, as they stand. Raises EnvelopeError otherwise."""
    if raw is None or _is_null(raw):
        return []
    try:
        return [list_of(each) for each in _keyed_decoder.decode(raw).values()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EnvelopeError("there is no object of lists") from None


def wanted(raw: msgspec.Raw | None, path: str) -> msgspec.Raw:
    """Return what was found at a path. Raises EnvelopeError when nothing was."""
    if raw is None:
        raise EnvelopeError(f"there is no {path}")
    return raw


def page_of(body: bytes, lists: tuple[str, ...], told: tuple[str, ...]) -> tuple[list[list[msgspec.Raw]], list[Any]]:
    """Return the elements of each list in an answer, and the values at other paths, with one look at the bytes.

    An empty path is the answer itself; a missing value is None. Raises EnvelopeError when a list is missing or none.
    """
    try:
        if lists == ("",) and not told:
            return [_list_decoder.decode(body)], []
        decoder, names = _page_decoder(lists, told)
        level = decoder.decode(body)
        found = [_at(level, names[path]) for path in lists]
        if None not in found:
            return found, [_at(level, names[path]) for path in told]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Something is not as promised: look again step by step, to say what.
    values = fields_of(body, (*lists, *told))
    return [list_of(wanted(values[path], path)) for path in lists], [value_of(values[path]) for path in told]


def _at(level: Any, names: list[str]) -> Any:
    for name in names:
        if level is None:
            return None
        level = getattr(level, name)
    return level


@lru_cache(maxsize=256)
def _page_decoder(
    lists: tuple[str, ...], told: tuple[str, ...]
) -> tuple[msgspec.json.Decoder[Any], dict[str, list[str]]]:
    leaves: dict[str, Any] = dict.fromkeys(told, Any) | dict.fromkeys(lists, list[msgspec.Raw])
    kind, names = tree_struct(leaves)
    return msgspec.json.Decoder(kind), names


def value_of(raw: msgspec.Raw | None) -> Any:
    """Return the decoded value. Raises EnvelopeError when it is no JSON."""
    if raw is None:
        return None
    try:
        return _value_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EnvelopeError("there is a value that is no JSON") from None


def _is_null(raw: msgspec.Raw) -> bool:
    return len(raw) <= _SHORT and bytes(raw).strip() in (b"", _NULL)


@lru_cache(maxsize=256)
def _decoder(steps: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    fields = [(f"f{number}", msgspec.Raw, None) for number in range(len(steps))]
    names = {f"f{number}": step for number, step in enumerate(steps)}
    return msgspec.json.Decoder(msgspec.defstruct("Level", fields, rename=names))
