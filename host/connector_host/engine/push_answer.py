"""Whether an answer shows that a record was written. Pure functions."""

import uuid
from collections.abc import Mapping
from typing import Any

from connector_host.contract.action_models import Expectation
from connector_host.contract.paths import get_path
from connector_host.contract.record_inputs import input_from

__all__ = ["difference"]

_NOTHING = object()
_LONGEST_SHOWN = 60
_WORDS = {"None": "empty", "True": "true", "False": "false", "''": "empty"}


def difference(expected: Expectation, values: Mapping[str, Any], answer: Any) -> str | None:
    """Return a sentence with what an answer says instead of what is expected, None where it is as expected.

    The vendor's own words are the sentence, where the expectation names their field and they are there.
    """
    found = get_path(answer, expected.at or "", _NOTHING)
    if isinstance(found, list):
        picked = input_from(expected.where, values)
        found = next((each for each in found if _has(each, picked)), _NOTHING)
    if not isinstance(found, Mapping):
        return "The answer has nothing about the record."
    wanted = input_from(expected.equals, values)
    wrong = {path: get_path(found, path) for path, value in wanted.items() if not _same(get_path(found, path), value)}
    if not wrong:
        return None
    words = get_path(found, expected.reason) if expected.reason else None
    if isinstance(words, str) and words.strip():
        return words.strip()
    return "".join(f"{path} is {_shown(value)}, not {_shown(wanted[path])}. " for path, value in wrong.items()).strip()


def _has(entry: Any, picked: Mapping[str, Any]) -> bool:
    return all(_same(get_path(entry, path), value) for path, value in picked.items())


def _same(found: Any, wanted: Any) -> bool:
    """Compare as JSON does: 1 is 1.0 and not true; ids are the same in any case."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, str) and isinstance(wanted, str):
        return found == wanted or (found.casefold() == wanted.casefold() and _is_id(found))
    return bool(found == wanted)


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    text = _WORDS.get(repr(value), str(value)) if _is_plain(value) else "another value"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)
