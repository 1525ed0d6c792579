"""Derives the JSON Schema of each stream's record from the catalogue's response types.

Run `python -m scripts.record_schemas` after the catalogue or a stream has changed; `--check` writes nothing and exits
1 when a file differs.

Live answers hold nulls and values that no document lists (observed), so every field but the primary key may be null,
and what the vendor lists as the values of a field are examples.
"""

import copy
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from connector_host.contract.catalogue import Operation
from connector_host.contract.manifest_file import ConnectorFolder, read_manifest
from connector_host.contract.stream_models import Details, ForEach, Stream, StreamList

ROOT = Path(__file__).resolve().parent.parent
_TYPES = {str: "string", int: "integer", bool: "boolean"}
_HOME = "#/$defs/"
_NULL = {"type": "null"}

Schema = dict[str, Any]


class Underivable(Exception):
    """A stream's record cannot be derived from the catalogue; the text says why."""


def record_schema(connector: ConnectorFolder, stream: Stream) -> Schema:
    """Return the schema of a record: what the answers that give the records list, and what is added on the way.

    Raises Underivable when the catalogue does not tell what an answer holds.
    """
    return _Deriver(connector).record(stream)


class _Deriver:
    """Derives one record; `definitions` collects the named types that it refers to."""

    def __init__(self, connector: ConnectorFolder) -> None:
        self._connector = connector
        self._definitions: Schema = {}

    def record(self, stream: Stream) -> Schema:
        """Return the whole schema of a stream's record."""
        shape = self._shape(stream)
        keys = list(dict.fromkeys(field.partition(".")[0] for field in stream.primary_key))
        record = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": stream.title,
            "description": stream.description,
            "type": "object",
            "properties": _loosened_fields(shape["properties"], keep=keys),
            "required": keys,
        }
        used = _used(record, self._definitions)
        defined = {name: _loosened(self._definitions[name]) for name in sorted(used)}
        return {**record, "$defs": defined} if defined else record

    def _shape(self, stream: Stream) -> Schema:
        """Return the object that a record is, with all its fields at the top."""
        return _merged([self._listed(stream, each, details) for lists, details in stream.ways for each in lists])

    def _listed(self, stream: Stream, each: StreamList, details: Details | None) -> Schema:
        """Return what one list contributes: its elements, or their details, with the fields that are added."""
        added: Schema = {}
        for place in each.places:
            for name, value in place.add.items():
                added.setdefault(name, {"type": _TYPES[type(value)]})
        if each.for_each is not None:
            added |= self._kept(each.for_each)
        if details is not None:
            found = [self._elements(self._connector.catalogue.get(details.operation), details.records)]
        else:
            operation = self._connector.catalogue.get(each.operation)
            found = [self._elements(operation, place.path) for place in each.places]
        return _merged([self._taken_apart(stream, _with_fields(outer, added)) for outer in found])

    def _taken_apart(self, stream: Stream, outer: Schema) -> Schema:
        if stream.each is None:
            return outer
        element = self._object(self._at(outer, stream.each).get("items", {}))
        return _with_fields(element, {name: self._at(outer, path) for name, path in stream.inherit.items()})

    def _kept(self, each: ForEach) -> Schema:
        """Return the schemas of the fields that records keep of the value they were asked for."""
        if not each.keep:
            return {}
        if each.stream is not None:
            source = self._shape(self._connector.manifest.stream(each.stream))
        else:
            source = self._elements(self._connector.catalogue.get(each.operation or ""), each.records)
        return {name: self._at(source, path) for name, path in each.keep.items()}

    def _elements(self, operation: Operation, path: str | None) -> Schema:
        """Return what an answer lists at a path, in a list or in one list for each key, or the one object there."""
        if operation.response_schema is None:
            raise Underivable(f"{operation.id} promises no answer")
        part = self._adopted(operation.response_schema, operation.area)
        part = self._at(part, path) if path else self._resolved(part)
        if "properties" not in part and isinstance(part.get("additionalProperties"), dict):
            part = self._resolved(part["additionalProperties"])
        return self._object(part.get("items", part))

    def _adopted(self, schema: Schema, area: str) -> Schema:
        """Return a schema with its named types in `definitions`; a name that means something else gets the area."""
        own: Schema = schema.get("$defs", {})
        names = {
            name: name if self._definitions.get(name, found) == found else f"{name}_{area.replace('-', '_')}"
            for name, found in own.items()
        }
        if any(name != new for name, new in names.items()):
            # A renamed type is named by others, which then differ too.
            names = {name: f"{name}_{area.replace('-', '_')}" for name in own}
        for name, found in own.items():
            self._definitions[names[name]] = _renamed(found, names)
        bare: Schema = _renamed({key: value for key, value in schema.items() if key != "$defs"}, names)
        return bare

    def _resolved(self, schema: Schema) -> Schema:
        """Return what a schema stands for: references followed, and of alternatives the first that is no null."""
        while True:
            if "$ref" in schema:
                schema = self._definitions[schema["$ref"].removeprefix(_HOME)]
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                schema = next(choice for choice in choices if choice != _NULL)
            else:
                return schema

    def _object(self, schema: Schema) -> Schema:
        """Return an object with the fields of all its parts at the top."""
        schema = self._resolved(schema)
        properties: Schema = {}
        for part in schema.get("allOf", ()):
            properties |= self._object(part)["properties"]
        return {"type": "object", "properties": {**properties, **schema.get("properties", {})}}

    def _at(self, schema: Schema, path: str) -> Schema:
        for step in path.split("."):
            properties = self._object(schema)["properties"]
            if step not in properties:
                raise Underivable(f"there is no {path} in what the catalogue promises")
            schema = properties[step]
        return self._resolved(schema)


def _merged(shapes: Iterable[Schema]) -> Schema:
    """Return one object with the fields of all; a field that differs may have any of its shapes."""
    first, *others = shapes
    merged = copy.deepcopy(first)
    for other in others:
        for name, field in other["properties"].items():
            known = merged["properties"].setdefault(name, field)
            choices = known.get("anyOf", [known])
            if field not in (known, *choices):
                more = field.get("anyOf", [field])
                merged["properties"][name] = {"anyOf": [*choices, *(each for each in more if each not in choices)]}
    return merged


def _with_fields(schema: Schema, fields: Mapping[str, Any]) -> Schema:
    return {**schema, "properties": {**fields, **schema["properties"]}} if fields else schema


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Return a copy whose references use the new names."""
    if isinstance(node, list):
        return [_renamed(each, names) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _renamed(value, names) for key, value in node.items()}
    if isinstance(found.get("$ref"), str):
        name = found["$ref"].removeprefix(_HOME)
        found["$ref"] = f"{_HOME}{names.get(name, name)}"
    return found


def _loosened(schema: Schema) -> Schema:
    """Return a type without what live answers do not keep to: closed lists of values, fields that are never null."""
    loose = {key: value for key, value in schema.items() if key not in ("enum", "x-nullable", "readOnly")}
    if "enum" in schema:
        loose["examples"] = [value for value in schema["enum"] if value is not None]
    if "properties" in schema:
        loose["properties"] = _loosened_fields(schema["properties"])
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            loose[key] = _loosened(schema[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            loose[key] = [_loosened(part) for part in schema[key]]
    return loose


def _loosened_fields(fields: Mapping[str, Any], keep: Iterable[str] = ()) -> Schema:
    """Return fields that may be null, but for those in `keep`."""
    kept = set(keep)
    return {name: _loosened(field) if name in kept else _nullable(_loosened(field)) for name, field in fields.items()}


def _nullable(schema: Schema) -> Schema:
    if "$ref" in schema or "allOf" in schema:
        return {"anyOf": [schema, _NULL]}
    if "anyOf" in schema:
        return schema if _NULL in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], _NULL]}
    kind = schema.get("type")
    if isinstance(kind, str):
        return {**schema, "type": [kind, "null"]}
    if isinstance(kind, list) and "null" not in kind:
        return {**schema, "type": [*kind, "null"]}
    return schema


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _references(each)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(_HOME)
        for each in node.values():
            yield from _references(each)


def _used(schema: Schema, definitions: Schema) -> set[str]:
    found: set[str] = set()
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(definitions[name])
    return found


def main(check: bool) -> int:
    """Write or compare every stream's file; return the exit code."""
    connector = read_manifest(ROOT / "connector.yaml")
    stale = 0
    for stream in connector.manifest.streams:
        path = connector.path(stream.record_schema)
        try:
            schema = record_schema(connector, stream)
        except Underivable as error:
            raise SystemExit(f"{stream.name}: {error}.") from None
        text = msgspec.json.format(msgspec.json.encode(schema), indent=1) + b"\n"
        if path.is_file() and path.read_bytes() == text:
            continue
        stale += 1
        print(f"{'differs' if check else 'wrote'}: {stream.record_schema}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
