"""Say what is different between two states of the catalogue, operation by operation."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scripts.catalogue.leniency import reachable

_PLAIN = {
    "summary": "title",
    "x-kind": "kind",
    "x-destructive": "destructive",
    "x-rate-limit": "rate limit",
    "x-encoding": "encoding",
    "x-wrapper": "wrapper",
    "x-paging": "paging",
    "x-batch": "batch",
    "deprecated": "deprecated",
    "tags": "tags",
}


@dataclass
class Changes:
    """Lines for the report: added and removed operations, and what changed by operation and by named schema.

    A heading of `schemas` names the operations that use the schema, so that a change in a shared one is read once.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    operations: dict[str, list[str]] = field(default_factory=dict)
    schemas: dict[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.operations or self.schemas)


@dataclass(frozen=True)
class _Located:
    """An operation with where it stands and the names of the schemas it can reach."""

    method: str
    path: str
    operation: dict[str, Any]
    schemas: set[str]


def compare(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Changes:
    """Compare two catalogues, each a document per area."""
    old, new = _by_id(before), _by_id(after)
    changes = Changes(
        added=[_headline(identifier, new[identifier]) for identifier in sorted(new.keys() - old.keys())],
        removed=[_headline(identifier, old[identifier]) for identifier in sorted(old.keys() - new.keys())],
    )
    for identifier in sorted(old.keys() & new.keys()):
        if lines := list(_differences(old[identifier], new[identifier])):
            changes.operations[identifier] = lines
    for area in sorted(before.keys() & after.keys()):
        _compare_schemas(area, before[area], after[area], new, changes)
    return changes


def _compare_schemas(
    area: str, before: dict[str, Any], after: dict[str, Any], operations: dict[str, _Located], changes: Changes
) -> None:
    old, new = (document["components"]["schemas"] for document in (before, after))
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            users = [id_ for id_, each in operations.items() if id_.startswith(f"{area}.") and name in each.schemas]
            changes.schemas[f"{name} of {', '.join(sorted(users))}"] = list(_inside(old[name], new[name]))


def _by_id(catalogue: dict[str, dict[str, Any]]) -> dict[str, _Located]:
    found = {}
    for document in catalogue.values():
        schemas = document["components"]["schemas"]
        for path, item in document["paths"].items():
            for method, operation in item.items():
                reached = reachable(operation, schemas)
                found[operation["operationId"]] = _Located(method.upper(), path, operation, reached)
    return found


def _headline(identifier: str, located: _Located) -> str:
    return f"{identifier}  {located.method} {located.path}  {_limit(located.operation.get('x-rate-limit'))}"


def _differences(old: _Located, new: _Located) -> Iterator[str]:
    if (old.method, old.path) != (new.method, new.path):
        yield f"address: {old.method} {old.path} -> {new.method} {new.path}"
    for key, name in _PLAIN.items():
        before, after = old.operation.get(key), new.operation.get(key)
        if before != after:
            show = _limit if key == "x-rate-limit" else _value
            yield f"{name}: {show(before)} -> {show(after)}"
    yield from _members("permission", *(dict.fromkeys(each.operation["x-permissions"]) for each in (old, new)))
    yield from _members("parameter", *(_parameters(each.operation) for each in (old, new)))
    if old.operation.get("requestBody") != new.operation.get("requestBody"):
        yield f"request body: {_value(old.operation.get('requestBody'))} -> {_value(new.operation.get('requestBody'))}"
    yield from _members("answer", old.operation["responses"], new.operation["responses"])


def _parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in operation.get("parameters", [])}


def _members(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in sorted(new.keys() - old.keys()):
        yield f"{what} added: {name}"
    for name in sorted(old.keys() - new.keys()):
        yield f"{what} removed: {name}"
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield f"{what} changed: {name}: {_value(old[name])} -> {_value(new[name])}"


def _inside(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """The fields of a schema one by one, then what else is different."""
    yield from _members("field", old.get("properties", {}), new.get("properties", {}))
    for key in sorted((old.keys() | new.keys()) - {"properties"}):
        if old.get(key) != new.get(key):
            yield f"{key}: {_value(old.get(key))} -> {_value(new.get(key))}"


def _limit(limit: dict[str, int] | None) -> str:
    return f"{limit['calls']} per {limit['seconds']} s" if limit else "no stated limit"


def _value(value: Any) -> str:
    return "none" if value is None else str(value)
