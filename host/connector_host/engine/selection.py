"""Filters of a stream as a pull is given them: what the vendor is asked, and what the host leaves out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector_host.contract.catalogue import Catalogue
from connector_host.contract.errors import InputInvalid, Problem, UnknownName
from connector_host.contract.inputs import takes_field
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.schemas import schema_at
from connector_host.contract.stream_models import Filter, Stream, StreamList

__all__ = ["Selection", "selection_of"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of the vendor (`inputs`, by dotted path), and what a record must have (`matches`, likewise)."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    matches: tuple[tuple[str, Callable[[Any], bool]], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The fields of a record that are compared."""
        return tuple(path for path, _ in self.matches)

    def lets(self, values: tuple[Any, ...]) -> bool:
        """Tell whether a record with these values, in the order of `paths`, is wanted."""
        return all(fits(value) for (_, fits), value in zip(self.matches, values, strict=True))

    def inputs_for(self, each: StreamList, catalogue: Catalogue) -> dict[str, Any]:
        """Return the fields that a list's operation takes, in the type that it takes them in."""
        operation = catalogue.get(each.operation)
        taken = {path: value for path, value in self.inputs.items() if takes_field(operation, path)}
        return {path: _typed(schema_at(operation.input_schema, path) or {}, value) for path, value in taken.items()}

    def skips(self, each: StreamList) -> bool:
        """Tell whether everything that a list adds to its records contradicts what they must have."""
        return all(
            any(path in place.add and not fits(place.add[path]) for path, fits in self.matches) for place in each.places
        )


def selection_of(stream: Stream, given: Mapping[str, str]) -> Selection:
    """Return what the filters of a pull mean. Raises UnknownName and InputInvalid."""
    known = {each.name: each for each in stream.filters}
    inputs: dict[str, Any] = {}
    matches: list[tuple[str, Callable[[Any], bool]]] = []
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"It has: {', '.join(known) or 'none'}."
            raise UnknownName(f'The stream {stream.name} has no filter "{name}".', next_step=hint)
        if known[name].choices:
            choice = known[name].choices.get(value)
            if choice is None:
                raise _no_choice(known[name], value)
            inputs |= choice.input
            matches += [(path, _is(wanted)) for path, wanted in choice.match.items()]
        else:
            if (path := known[name].into) is not None:
                inputs[path] = value
            if (path := known[name].match) is not None:
                matches.append((path, _reads(value)))
    return Selection(inputs, tuple(matches))


def _no_choice(each: Filter, value: str) -> InputInvalid:
    fix = did_you_mean(value, each.choices) or f"Choose one of: {', '.join(each.choices)}."
    problem = Problem(f"filters.{each.name}", "choice", f'"{value}" is none of its choices.', fix)
    return InputInvalid("A filter cannot be used like this.", problems=[problem])


def _is(wanted: object) -> Callable[[Any], bool]:
    return lambda value: value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _reads(wanted: str) -> Callable[[Any], bool]:
    lowered = wanted.lower()

    def fits(value: Any) -> bool:
        text = ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
        return text.lower() == lowered

    return fits


def _typed(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a filter's text as the number, boolean or list that the vendor's field takes."""
    if not isinstance(value, str):
        return value
    kinds = schema.get("type", "string")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        return [_typed(schema.get("items", {}), value)]
    if "boolean" in kinds and value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind, convert in (("integer", int), ("number", float)):
        if kind in kinds and "string" not in kinds:
            try:
                return convert(value)
            except ValueError:
                return value
    return value
