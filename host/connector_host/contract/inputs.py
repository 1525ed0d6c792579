"""From an operation and its input to the parts of a request: checked first, then laid out as the vendor takes it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from .catalogue import Operation, Parameter
from .errors import InputInvalid, Problem
from .manifest import BodyFormat
from .schemas import problems_of, schema_at, validator_for

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["PreparedRequest", "check_input", "example_input", "example_of", "prepare_request", "takes_field", "wrapped"]


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request without address and authentication: `target` is path and query, `content` the body's bytes."""

    operation: Operation
    target: str
    content: bytes | None = field(repr=False)
    content_type: str | None
    headers: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=1024)
def _validator(operation: Operation) -> "Draft202012Validator":
    return validator_for(operation.input_schema)


def check_input(
    operation: Operation, given: Mapping[str, Any], *, allow_unknown: bool = False, connector: str = ""
) -> dict[str, Any]:
    """Return the input as it will be sent, with the wrapper added when its fields were given without it.

    Raises InputInvalid with every problem: wrong types, missing fields, unknown fields (with the nearest known one),
    more entries than the operation takes. `allow_unknown` lets fields pass that the catalogue does not know. With the
    name of its `connector`, the error tells how to see the operation's fields.
    """
    value = wrapped(operation, given)
    problems = problems_of(_validator(operation), value, forgive_null=True)
    if allow_unknown:
        problems = [problem for problem in problems if problem.rule != "unknown-field"]
    problems += _batch_problem(operation, value) + _path_problems(operation, value)
    if problems:
        raise InputInvalid(
            f"The input of {operation.id} is not valid.",
            problems=problems,
            next_step=connector and f"See its fields with: connector-host operation {connector} {operation.id}",
        )
    return value


def takes_field(operation: Operation, path: str) -> bool:
    """Tell whether the operation's input has a field at a dotted path, with or without its wrapper."""
    paths = (path, f"{operation.wrapper}.{path}") if operation.wrapper else (path,)
    return any(schema_at(operation.input_schema, each) is not None for each in paths)


def prepare_request(
    operation: Operation, value: Mapping[str, Any], *, encoding: BodyFormat | None = None
) -> PreparedRequest:
    """Lay out a checked input as path, query and body; `encoding` overrides the operation's own.

    Raises InputInvalid for what cannot be written: half characters, numbers without an end, objects of Python, and
    what contains itself.
    """
    try:
        return _prepared(operation, value, encoding or operation.encoding)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputInvalid(
            f"The input of {operation.id} cannot be written.",
            next_step="Give texts, numbers, truth values, lists and objects only.",
            detail=type(error).__name__,
        ) from None


def _prepared(operation: Operation, value: Mapping[str, Any], encoding: BodyFormat) -> PreparedRequest:
    path, query, headers, taken = operation.path, [], [], set()
    for parameter in operation.parameters:
        taken.add(parameter.name)
        given = value.get(parameter.name)
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(_text(given), safe=""))
        elif given is not None and parameter.place == "header":
            headers.append((parameter.name, _text(given)))
        elif given is not None:
            query += _query_pairs(parameter, given)
    target = f"{path}?{urlencode(query)}" if query else path
    content, content_type = _laid_out(operation, value, taken, encoding)
    return PreparedRequest(operation, target, content, content_type, tuple(headers))


def _laid_out(
    operation: Operation, value: Mapping[str, Any], taken: set[str], encoding: BodyFormat
) -> tuple[bytes | None, str | None]:
    """Return the body's bytes and content type."""
    if operation.body is None:
        return None, None
    body = (
        {key: each for key, each in value.items() if key not in taken}
        if operation.body_fields_at_top
        else value.get("body")
    )
    if body is None:
        return None, None
    _refuse_endless_numbers(body)
    if encoding is BodyFormat.FORM and isinstance(body, dict):
        fields = [(key, _form_text(each)) for key, each in body.items()]
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"
    return msgspec.json.encode(body), "application/json"


def _refuse_endless_numbers(value: Any) -> None:
    """Raise ValueError where a number is infinite or none: JSON has no word for it, and null would be another value."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not finite")
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for each in inner:
        if not isinstance(each, str):  # most of what is long is a list of ids
            _refuse_endless_numbers(each)


def example_input(operation: Operation) -> dict[str, Any]:
    """Return a valid input with every field filled in, for people to start from."""
    example = _example(operation.input_schema, operation.input_schema.get("$defs", {}), ())
    return example if isinstance(example, dict) else {}


def example_of(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Return a value that satisfies a schema: its first example, or one made up; `root` has its definitions."""
    given = schema.get("examples")
    return given[0] if given else _example(schema, (root or schema).get("$defs", {}), ())


def wrapped(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input with the operation's wrapper around its fields, where they were given without it."""
    wrapper = operation.wrapper
    if wrapper is None or not operation.body_fields_at_top or wrapper in given:
        return dict(given)
    parameters = {parameter.name for parameter in operation.parameters}
    inner = {key: value for key, value in given.items() if key not in parameters}
    outer = {key: value for key, value in given.items() if key in parameters}
    return {**outer, wrapper: inner} if inner else dict(given)


def _batch_problem(operation: Operation, value: Mapping[str, Any]) -> list[Problem]:
    if operation.batch is None:
        return []
    found: Any = value
    for step in operation.batch.field.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, list) and len(found) > operation.batch.max:
        sentence = f"These are {len(found)} entries; the operation takes at most {operation.batch.max} at once."
        return [Problem(operation.batch.field, "batch-cap", sentence, "Send them in several calls.")]
    return []


def _path_problems(operation: Operation, value: Mapping[str, Any]) -> list[Problem]:
    """Refuse what would lead to another path than the operation's: nothing at all, and steps up."""
    return [
        Problem(parameter.name, "path-parameter", "This cannot stand in an address.", "Give the id of one thing.")
        for parameter in operation.parameters
        if parameter.place == "path" and value.get(parameter.name, "") in (None, "", ".", "..")
    ]


def _query_pairs(parameter: Parameter, given: Any) -> list[tuple[str, str]]:
    """Lay a value out in OpenAPI's style `form`: an exploded object is one pair per field, without its own name."""
    if isinstance(given, dict) and parameter.explode:
        return [pair for name, each in given.items() for pair in _listed_pairs(name, each, explode=True)]
    return _listed_pairs(parameter.name, given, explode=parameter.explode)


def _listed_pairs(name: str, given: Any, *, explode: bool) -> list[tuple[str, str]]:
    if given is None:
        return []
    if not isinstance(given, list):
        return [(name, _text(given))]
    return [(name, _text(each)) for each in given] if explode else [(name, ",".join(map(_text, given)))]


def _text(value: Any) -> str:
    if isinstance(value, (bool, dict, list)):
        return msgspec.json.encode(value).decode()
    return str(value)


def _form_text(value: Any) -> str:
    """Return a form value: text as it is, everything else as JSON (observed in clients that send forms)."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


_EXAMPLE_OF_FORMAT = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "email": "someone@example.com",
    "uri": "https://example.com",
}
_EXAMPLE_OF_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def _example(schema: Mapping[str, Any], definitions: Mapping[str, Any], open_names: tuple[str, ...]) -> Any:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        # A type that contains itself is left out the second time.
        return None if name in open_names else _example(definitions[name], definitions, (*open_names, name))
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            parts = [_example(part, definitions, open_names) for part in schema[key][: None if key == "allOf" else 1]]
            return {k: v for part in parts if isinstance(part, dict) for k, v in part.items()} or parts[0]
    return _example_of_type(schema, definitions, open_names)


def _example_of_type(schema: Mapping[str, Any], definitions: Mapping[str, Any], open_names: tuple[str, ...]) -> Any:
    kind = schema.get("type", "object")
    kind = next((name for name in kind if name != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object":
        fields = {key: _example(each, definitions, open_names) for key, each in schema.get("properties", {}).items()}
        required = schema.get("required", ())
        return {key: each for key, each in fields.items() if each is not None or key in required}
    if kind == "array":
        element = _example(schema.get("items", {}), definitions, open_names)
        return [element] if element is not None else []
    if "minimum" in schema:
        return schema["minimum"]
    return _EXAMPLE_OF_FORMAT.get(schema.get("format", ""), _EXAMPLE_OF_TYPE.get(kind))
