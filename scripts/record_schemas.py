"""Derives the JSON Schema of each stream's record from the catalogue's response types.

Run `python -m scripts.record_schemas` after the catalogue or a stream has changed; `--check` writes nothing and exits
1 when a file differs.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from connector_host.contract.manifest import Manifest
from connector_host.contract.manifest_file import ConnectorFolder, read_manifest
from connector_host.contract.stream_models import Stream

ROOT = Path(__file__).resolve().parent.parent


def record_schema(connector: ConnectorFolder, stream: Stream) -> dict[str, Any]:
    """Return the schema of a record: the element type of the list in the answer that gives the records."""
    source = stream.details or stream
    operation = connector.catalogue.get(source.operation)
    schema = operation.response_schema
    if schema is None:
        raise SystemExit(f"{operation.id} answers nothing, so the stream {stream.name} has no records.")
    definitions = schema.get("$defs", {})
    part = {key: value for key, value in schema.items() if key != "$defs"}
    for step in source.records.split(".") if source.records else ():
        part = _resolved(part, definitions)["properties"][step]
    element = _resolved(_resolved(part, definitions)["items"], definitions)
    record = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": stream.title,
        "description": stream.description,
        **element,
    }
    used = _used(record, definitions)
    return {**record, "$defs": {name: definitions[name] for name in sorted(used)}} if used else record


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _used(schema: Any, definitions: dict[str, Any]) -> set[str]:
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
    manifest: Manifest = connector.manifest
    stale = 0
    for stream in manifest.streams:
        path = connector.path(stream.record_schema)
        text = msgspec.json.format(msgspec.json.encode(record_schema(connector, stream)), indent=1) + b"\n"
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
