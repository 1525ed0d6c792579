"""`{{key}}` variables in URLs, headers, bodies and inputs, as the platform writes them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["is_variable", "render", "variables_in"]

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}")


def variables_in(template: Any) -> Iterator[str]:
    """Yield the key of every variable in a text, or anywhere in a list or mapping."""
    match template:
        case str():
            yield from _VARIABLE.findall(template)
        case Mapping():
            for value in template.values():
                yield from variables_in(value)
        case list() | tuple():
            for value in template:
                yield from variables_in(value)
        case _:
            return


def is_variable(template: Any) -> str | None:
    """Return the key where the template is one variable and nothing else, otherwise None."""
    whole = _VARIABLE.fullmatch(template) if isinstance(template, str) else None
    return whole[1] if whole else None


def render(template: Any, values: Mapping[str, Any]) -> Any:
    """Return the template with every variable replaced; a text that is one variable takes the value's own type.

    Raises KeyError with the variable's key when it has no value.
    """
    match template:
        case str():
            whole = _VARIABLE.fullmatch(template)
            if whole:
                return values[whole[1]]
            return _VARIABLE.sub(lambda found: str(values[found[1]]), template)
        case Mapping():
            return {key: render(value, values) for key, value in template.items()}
        case list() | tuple():
            return [render(value, values) for value in template]
        case _:
            return template
