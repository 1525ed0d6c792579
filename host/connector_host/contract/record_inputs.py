"""From a record to what is sent: defaults of its schema filled in, and templates with `{{record.field}}`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .paths import get_path
from .variables import is_variable, render, variables_in

__all__ = ["RecordValues", "fixed_variables", "input_from", "with_defaults"]

_MISSING = object()
_RECORD = "record."


class RecordValues(Mapping[str, Any]):
    """What the templates of an action may name: settings, and `record.` with a dotted path into one record."""

    def __init__(self, record: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self._record = record
        self._settings = settings

    def __getitem__(self, key: str) -> Any:
        if not key.startswith(_RECORD):
            return self._settings[key]
        found = get_path(self._record, key.removeprefix(_RECORD), _MISSING)
        if found is _MISSING:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from (*self._settings, *(f"{_RECORD}{key}" for key in self._record))

    def __len__(self) -> int:
        return len(self._settings) + len(self._record)


def with_defaults(record: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with the defaults of the schema's fields where it has none."""
    rules: Mapping[str, Any] = schema.get("properties", {})
    defaults = {key: rule["default"] for key, rule in rules.items() if isinstance(rule, dict) and "default" in rule}
    return {**defaults, **record}


def input_from(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input made from a template; fields that are one variable without a value are left out.

    Raises KeyError with the variable's name where a longer text or a list needs a value that there is none of.
    """
    found: dict[str, Any] = _filled(template, values)
    return found


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        return {key: _filled(each, values) for key, each in template.items() if not _is_absent(each, values)}
    if isinstance(template, list | tuple):
        return [_filled(each, values) for each in template]
    return render(template, values)


def _is_absent(template: Any, values: Mapping[str, Any]) -> bool:
    key = is_variable(template)
    return key is not None and key not in values


def fixed_variables(template: Any) -> Iterator[str]:
    """Yield the variables of a template that cannot be left out: in longer texts, and as entries of lists."""
    if isinstance(template, Mapping):
        for each in template.values():
            if is_variable(each) is None:
                yield from fixed_variables(each)
    elif isinstance(template, Sequence) and not isinstance(template, str):
        for each in template:
            yield from fixed_variables(each)
    else:
        yield from variables_in(template)
