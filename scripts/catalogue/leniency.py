"""Loosen what only answers use, so that an answer with more in it than the vendor wrote down is still valid."""

from collections.abc import Iterator
from typing import Any

_HOME = "#/components/schemas/"


def references(node: Any) -> Iterator[str]:
    """Names of the schemas that a piece of a document refers to, with repeats."""
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(_HOME)
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def reachable(start: Any, schemas: dict[str, Any]) -> set[str]:
    """Names of all schemas that can be reached from a piece of a document."""
    seen: set[str] = set()
    waiting = list(references(start))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(references(schemas[name]))
    return seen


def loosen_answers(document: dict[str, Any]) -> None:
    """In schemas that no request uses, allow unknown fields and let `oneOf` be `anyOf`.

    Closed schemas that are combined by `allOf` are opened everywhere: as written, each forbids the other's fields and
    nothing is valid.
    """
    schemas = document["components"]["schemas"]
    operations = [op for item in document["paths"].values() for op in item.values()]
    requested = reachable([[op.get("parameters", []), op.get("requestBody", {})] for op in operations], schemas)
    for name, schema in schemas.items():
        if name not in requested:
            _loosen(schema)
    for operation in operations:
        _loosen(operation["responses"])
    combined = {name for schema in schemas.values() if "allOf" in schema for name in references(schema["allOf"])}
    for name, schema in schemas.items():
        if (name in combined or "allOf" in schema) and schema.get("additionalProperties") is False:
            del schema["additionalProperties"]


def _loosen(node: Any) -> None:
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        if isinstance(node.get("oneOf"), list):
            node["anyOf"] = node.pop("oneOf")
        for child in node.values():
            _loosen(child)
    elif isinstance(node, list):
        for child in node:
            _loosen(child)
