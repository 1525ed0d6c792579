"""Dotted paths into JSON values, such as `GeneralInfo.Status`; an empty path is the value itself."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["get_path", "set_path", "walk_lists"]

_MISSING = object()


def get_path(value: Any, path: str, default: Any = None, *, any_case: bool = False) -> Any:
    """Return what stands at `path`, or `default` when a step is missing; `any_case` forgives the case of keys."""
    if not path:
        return value
    for step in path.split("."):
        value = _step(value, step, any_case=any_case)
        if value is _MISSING:
            return default
    return value


def set_path(value: dict[str, Any], path: str, new: Any) -> None:
    """Put `new` at `path`, making the objects on the way. Raises TypeError when a step is no object."""
    *steps, last = path.split(".")
    for step in steps:
        value = value.setdefault(step, {})
        if not isinstance(value, dict):
            raise TypeError(f"{path}: {step} is no object")
    value[last] = new


def walk_lists(value: Any, path: str) -> Iterator[Any]:
    """Yield every value at `path`, going into each element of any list on the way."""
    if isinstance(value, list):
        for element in value:
            yield from walk_lists(element, path)
    elif not path:
        yield value
    else:
        step, _, rest = path.partition(".")
        if isinstance(value, Mapping) and step in value:
            yield from walk_lists(value[step], rest)


def _step(value: Any, step: str, *, any_case: bool) -> Any:
    if isinstance(value, Mapping):
        if step in value:
            return value[step]
        if any_case:
            lowered = step.lower()
            for key in value:
                if key.lower() == lowered:
                    return value[key]
    elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return _MISSING
