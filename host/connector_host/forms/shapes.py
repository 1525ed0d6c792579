"""What a schema asks for in a form: one kind of widget for every schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["ABSENT", "Schema", "Shape", "WidgetKind", "shape_of"]

Schema = Mapping[str, Any]

_DEEPEST_OBJECT = 4
"""Objects below objects are drawn so deep; what is deeper is written as JSON (decided)."""
_MOST_BOXES = 24
_SCALARS = {"string", "integer", "number"}


class _Absent:
    """Stands for a field that is not there, which differs from one that is null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


class WidgetKind(StrEnum):
    """What a widget looks like."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 -- a kind of field
    DATE = "date"
    CHOICE = "choice"
    BOXES = "boxes"
    LINES = "lines"
    JSON = "json"
    OBJECT = "object"
    LIST = "list"


@dataclass(frozen=True)
class Shape:
    """What a schema asks for, behind its references: one kind of widget."""

    kind: WidgetKind
    schema: Schema
    items: Schema = field(default_factory=dict)
    opened: tuple[str, ...] = ()


def shape_of(schema: Schema, definitions: Schema, opened: tuple[str, ...] = (), depth: int = 0) -> Shape:
    """Return the widget of a schema, with the references on the way to it; `depth` counts the objects around it."""
    while "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        if name in opened or name not in definitions:
            return Shape(WidgetKind.JSON, schema)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema, opened = {**definitions[name], **beside}, (*opened, name)
    kind = _type_of(schema)
    if kind == "array":
        return _shape_of_array(schema, definitions, opened, depth)
    if kind == "object" and depth <= _DEEPEST_OBJECT and schema.get("properties"):
        return Shape(WidgetKind.OBJECT, schema, opened=opened)
    return Shape(_kind_of_single(schema, kind), schema)


def _type_of(schema: Schema) -> str:
    """Return the one type of a schema, null aside; an empty text where it has none or several."""
    kinds = schema.get("type", ())
    named = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    composed = {"anyOf", "oneOf", "allOf"} & schema.keys()
    return named[0] if len(named) == 1 and not composed else ""


def _kind_of_single(schema: Schema, kind: str) -> WidgetKind:
    """Return the widget of a schema that is neither drawn as an object nor as a list."""
    if "const" in schema:
        return WidgetKind.TEXT if isinstance(schema["const"], str | int | float) else WidgetKind.JSON
    if "enum" in schema or kind == "boolean":
        return WidgetKind.CHOICE
    if kind not in _SCALARS:
        return WidgetKind.JSON
    if schema.get("writeOnly"):
        return WidgetKind.SECRET
    return WidgetKind.DATE if schema.get("format") == "date" else WidgetKind.TEXT


def _shape_of_array(schema: Schema, definitions: Schema, opened: tuple[str, ...], depth: int) -> Shape:
    items = schema.get("items", {})
    inner = shape_of(items, definitions, opened, depth + 1)
    if inner.kind is WidgetKind.OBJECT:
        return Shape(WidgetKind.LIST, schema, inner.schema, inner.opened)
    if inner.kind is WidgetKind.CHOICE and len(inner.schema.get("enum", ())) in range(1, _MOST_BOXES + 1):
        return Shape(WidgetKind.BOXES, schema, inner.schema)
    if inner.kind in (WidgetKind.TEXT, WidgetKind.DATE, WidgetKind.CHOICE):
        return Shape(WidgetKind.LINES, schema, inner.schema)
    return Shape(WidgetKind.JSON, schema)
