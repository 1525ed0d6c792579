"""Derives the JSON Schema of each stream's record from the catalogue's response types.

Run `python -m scripts.record_schemas` after the catalogue or a stream has changed; `--check` writes nothing and exits
1 when a file differs.
"""

import copy
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from connector_host.contract.catalogue import Operation
from connector_host.contract.manifest_file import ConnectorFolder, read_manifest
from connector_host.contract.stream_models import ForEach, Stream, StreamList

ROOT = Path(__file__).resolve().parent.parent
_TYPES = {str: "string", int: "integer", bool: "boolean"}

Schema = dict[str, Any]


class Underivable(Exception):
    """A stream's record cannot be derived from the catalogue; the text says why."""


def record_schema(connector: ConnectorFolder, stream: Stream) -> Schema:
    """Return the schema of a record: what the answers that give the records list, and what is added on the way.

    Raises Underivable when the catalogue does not tell what an answer holds.
    """
    definitions: Schema = {}
    shapes = [_shape(connector, stream, each, definitions) for lists, _ in stream.ways for each in lists]
    outer = _merged(shapes)
    shape = outer
    if stream.each is not None:
        element = _resolved(_at(outer, stream.each, definitions).get("items", {}), definitions)
        shape = _with_fields(element, {name: _at(outer, path, definitions) for name, path in stream.inherit.items()})
    record = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": stream.title,
        "description": stream.description,
        **shape,
    }
    used = _used(record, definitions)
    return {**record, "$defs": {name: definitions[name] for name in sorted(used)}} if used else record


def _shape(connector: ConnectorFolder, stream: Stream, each: StreamList, definitions: Schema) -> Schema:
    """Return what one list contributes: its elements, or their details, with the fields that are added."""
    details = next(details for lists, details in stream.ways if each in lists)
    added: Schema = {}
    for place in each.places:
        for name, value in place.add.items():
            kept = added.setdefault(name, {"type": _TYPES[type(value)], "enum": []})
            kept["enum"] += [] if value in kept["enum"] else [value]
    if each.for_each is not None:
        added |= _kept(connector, each.for_each, definitions)
    if details is not None:
        found = [_elements(connector.catalogue.get(details.operation), details.records, definitions)]
    else:
        operation = connector.catalogue.get(each.operation)
        found = [_elements(operation, place.path, definitions) for place in each.places]
    return _with_fields(_merged(found), added)


def _kept(connector: ConnectorFolder, each: ForEach, definitions: Schema) -> Schema:
    """Return the schemas of the fields that records keep of the value they were asked for."""
    if not each.keep:
        return {}
    if each.stream is not None:
        parent = next(stream for stream in connector.manifest.streams if stream.name == each.stream)
        source = record_schema(connector, parent)
        definitions |= source.get("$defs", {})
    else:
        source = _elements(connector.catalogue.get(each.operation or ""), each.records, definitions)
    return {name: _at(source, path, definitions) for name, path in each.keep.items()}


def _elements(operation: Operation, path: str | None, definitions: Schema) -> Schema:
    """Return the schema of what an answer lists at a path, or of the one object there."""
    schema = operation.response_schema
    if schema is None:
        raise Underivable(f"{operation.id} promises no answer")
    definitions |= schema.get("$defs", {})
    part = _resolved({key: value for key, value in schema.items() if key != "$defs"}, definitions)
    part = _at(part, path, definitions) if path else part
    return _resolved(part["items"], definitions) if "items" in part else part


def _at(schema: Schema, path: str, definitions: Schema) -> Schema:
    for step in path.split("."):
        schema = _resolved(schema, definitions)
        if step not in schema.get("properties", {}):
            raise Underivable(f"there is no {path} in what the catalogue promises")
        schema = schema["properties"][step]
    return _resolved(schema, definitions)


def _merged(shapes: Iterable[Schema]) -> Schema:
    """Return one object with the fields of all; required is what all of them require."""
    first, *others = shapes
    merged = copy.deepcopy(first)
    for other in others:
        properties = merged.setdefault("properties", {})
        for name, field in other.get("properties", {}).items():
            known = properties.setdefault(name, copy.deepcopy(field))
            if "enum" in known and "enum" in field:
                known["enum"] += [value for value in field["enum"] if value not in known["enum"]]
        required = [name for name in merged.pop("required", ()) if name in other.get("required", ())]
        merged |= {"required": required} if required else {}
    return merged


def _with_fields(schema: Schema, fields: Mapping[str, Any]) -> Schema:
    return {**schema, "properties": {**fields, **schema.get("properties", {})}} if fields else schema


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _used(schema: Any, definitions: Schema) -> set[str]:
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).rsplit("/", 1)[-1]
            if name in definitions and name not in found:
                found.add(name)
                waiting.append(definitions[name])
            waiting += part.values()
    return found


def main(check: bool) -> int:
    """Write or compare every stream's file; return the exit code."""
    connector = read_manifest(ROOT / "connector.yaml")
    stale = 0
    for stream in connector.manifest.streams:
        path = connector.path(stream.record_schema)
        try:
            schema = record_schema(connector, stream)
        except (Underivable, StopIteration, KeyError) as error:
            print(f"kept as it is: {stream.record_schema}: {error}", file=sys.stderr)
            continue
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
