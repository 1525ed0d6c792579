"""Convert schemas of Swagger 2.0 and OpenAPI 3.0 to JSON Schema 2020-12, without the vendor's prose."""

from collections.abc import Callable
from typing import Any

from scripts.catalogue.facts import speaks_of_null

_REFERENCE_HOMES = ("#/definitions/", "#/components/schemas/")
_HOME = "#/components/schemas/"

# What these say is prose, presentation or a sample, or is translated below.
_DROPPED = {
    *("description", "example", "examples", "title", "xml", "externalDocs", "collectionFormat"),
    *("nullable", "exclusiveMinimum", "exclusiveMaximum"),
}


class UnknownKeywordError(Exception):
    """A schema keyword that this converter has no rule for; the message names it."""


def convert(schema: dict[str, Any]) -> dict[str, Any]:
    """The same constraints as a JSON Schema 2020-12.

    Raises:
        UnknownKeywordError: a keyword without a rule, so that nothing is lost silently.
    """
    if "$ref" in schema:
        return {"$ref": _reference(schema["$ref"])}
    merged = _unwrapped(schema)
    if merged is not None:
        return convert(merged)
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _TRANSLATED:
            result[keyword] = _TRANSLATED[keyword](value)
        elif keyword not in _DROPPED and not keyword.startswith("x-"):
            raise UnknownKeywordError(f"no rule for the schema keyword {keyword!r}; add one to {__name__}")
    _move_exclusive_bounds(schema, result)
    return _with_null(result) if schema.get("nullable") else result


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    converted = convert(schema)
    if speaks_of_null(str(schema.get("description", ""))) and not schema.get("nullable"):
        converted["x-nullable"] = True
    return converted


def _reference(target: str) -> str:
    for home in _REFERENCE_HOMES:
        if target.startswith(home):
            return _HOME + target.removeprefix(home)
    raise UnknownKeywordError(f"a reference to {target!r}, which is not a named schema of the same file")


def _unwrapped(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The sole member of an `allOf` that OpenAPI 3.0 needed only to write something beside a `$ref`."""
    members = schema.get("allOf")
    if not members or len(members) != 1 or schema.get("nullable"):
        return None
    return members[0] if set(schema) <= {"allOf", *_DROPPED} else None


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None] if None not in schema["enum"] else schema["enum"]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        return schema
    if list(schema) == ["allOf"] and len(schema["allOf"]) == 1:
        return {"anyOf": [schema["allOf"][0], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


def _move_exclusive_bounds(schema: dict[str, Any], result: dict[str, Any]) -> None:
    """OpenAPI 3.0 says `minimum: 1, exclusiveMinimum: true` where JSON Schema says `exclusiveMinimum: 1`."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and bound in result:
            result[exclusive] = result.pop(bound)


def _properties(value: dict[str, Any]) -> dict[str, Any]:
    return {name: _property(schema) for name, schema in value.items()}


def _list(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [convert(schema) for schema in value]


def _additional(value: bool | dict[str, Any]) -> bool | dict[str, Any]:
    return convert(value) if isinstance(value, dict) else value


def _unchanged(value: Any) -> Any:
    return value


def _discriminator(value: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(value, str):
        return {"propertyName": value}
    mapping = {name: _reference(target) for name, target in value.get("mapping", {}).items()}
    return {"propertyName": value["propertyName"], **({"mapping": mapping} if mapping else {})}


_TRANSLATED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ("type", "format", "enum", "default", "required", "readOnly", "writeOnly", "deprecated"), _unchanged
    ),
    **dict.fromkeys(("minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern"), _unchanged),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"), _unchanged),
    **dict.fromkeys(("items", "not"), convert),
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), _list),
    "properties": _properties,
    "additionalProperties": _additional,
    "discriminator": _discriminator,
}
