"""From a text that a person typed to the value that a schema wants."""

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["schema_of_field", "value_from_text"]

_WORDS = {"yes": True, "y": True, "on": True, "no": False, "n": False, "off": False}
_DEPTH = 16


def value_from_text(text: str, schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> Any:
    """Return the text as the type that the schema asks for; a text that does not fit stays as it is, for its check.

    Where only texts are wanted the text is taken literally. Otherwise it is read as JSON; a list may be written with
    commas, and yes and no stand for true and false. `definitions` are the targets of `#/$defs/` references.
    """
    kinds = _kinds(schema, definitions or {}, _DEPTH)
    if "null" in kinds and text == "null":
        return None
    if kinds and kinds <= {"string", "null"}:
        return text
    if "boolean" in kinds and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    value = _from_json(text)
    if value is not _NOT_JSON and (not kinds or _kind(value) in kinds):
        return value
    if "array" in kinds:
        items = _resolved(schema, definitions or {}).get("items", {})
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return [value_from_text(part, items, definitions) for part in parts]
    return text


def schema_of_field(schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the schema of the field at a dotted path, an empty one where it is not known."""
    definitions = schema.get("$defs", {})
    for step in path.split("."):
        fields = _resolved(schema, definitions).get("properties", {})
        schema = fields.get(step, {})
    return schema


_NOT_JSON = object()


def _from_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _NOT_JSON


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema behind references and behind a choice between itself and nothing."""
    for _ in range(_DEPTH):
        if "$ref" in schema:
            schema = definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
            continue
        parts = [part for part in schema.get("anyOf", schema.get("oneOf", ())) if part.get("type") != "null"]
        if not parts or "type" in schema:
            break
        schema = next((part for part in parts if part.get("type") in ("array", "object")), parts[0])
    return schema


def _kinds(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> set[str]:
    """Return the JSON types that a schema accepts, as far as it names them; none when it takes anything."""
    if depth == 0:
        return set()
    if "$ref" in schema:
        return _kinds(definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {}), definitions, depth - 1)
    if "const" in schema:
        return {_kind(schema["const"])}
    if "enum" in schema:
        return {_kind(choice) for choice in schema["enum"]}
    kind = schema.get("type")
    if kind is not None:
        kinds = set(kind) if isinstance(kind, list) else {kind}
        return kinds | {"integer"} if "number" in kinds else kinds
    found: set[str] = set()
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= _kinds(part, definitions, depth - 1)
    return found


_KIND_OF = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))


def _kind(value: Any) -> str:
    """Return the JSON type of a value; true and false come first, as they are whole numbers too in Python."""
    return next((name for kind, name in _KIND_OF if isinstance(value, kind)), "null")
