"""Say what is different between two states of the catalogue, operation by operation."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scripts.catalogue.leniency import reachable

_JSON = "application/json"
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
    """Lines for the report: `added` and `removed` operations, and per operation what changed."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class _Located:
    """An operation with where it stands and the schemas it can reach."""

    method: str
    path: str
    operation: dict[str, Any]
    schemas: dict[str, Any]


def compare(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Changes:
    """Compare two catalogues, each a document per area."""
    old, new = _by_id(before), _by_id(after)
    changes = Changes(
        added=[_headline(identifier, new[identifier]) for identifier in sorted(new.keys() - old.keys())],
        removed=[_headline(identifier, old[identifier]) for identifier in sorted(old.keys() - new.keys())],
    )
    for identifier in sorted(old.keys() & new.keys()):
        if lines := list(_differences(old[identifier], new[identifier])):
            changes.changed[identifier] = lines
    return changes


def _by_id(catalogue: dict[str, dict[str, Any]]) -> dict[str, _Located]:
    found = {}
    for document in catalogue.values():
        schemas = document["components"]["schemas"]
        for path, item in document["paths"].items():
            for method, operation in item.items():
                names = reachable(operation, schemas)
                reached = {name: schemas[name] for name in sorted(names)}
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
    yield from _members("permission", *(dict.fromkeys(x.operation["x-permissions"]) for x in (old, new)))
    yield from _members("parameter", *(_parameters(x.operation) for x in (old, new)))
    yield from _bodies(old.operation, new.operation)
    yield from _members("schema", old.schemas, new.schemas)


def _bodies(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    if old.get("requestBody") != new.get("requestBody"):
        yield f"request body: {_value(old.get('requestBody'))} -> {_value(new.get('requestBody'))}"
    yield from _members("answer", old["responses"], new["responses"])


def _parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in operation.get("parameters", [])}


def _members(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in sorted(new.keys() - old.keys()):
        yield f"{what} added: {name}"
    for name in sorted(old.keys() - new.keys()):
        yield f"{what} removed: {name}"
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield from _inside(f"{what} {name}", old[name], new[name])


def _inside(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """A schema's fields are named one by one; anything else is shown whole."""
    if "properties" not in old or "properties" not in new:
        yield f"{what} changed: {_value(old)} -> {_value(new)}"
        return
    yield from _members(f"{what} field", old["properties"], new["properties"])
    rest = [{key: value for key, value in each.items() if key != "properties"} for each in (old, new)]
    if rest[0] != rest[1]:
        yield f"{what} changed: {_value(rest[0])} -> {_value(rest[1])}"


def _limit(limit: dict[str, int] | None) -> str:
    return f"{limit['calls']} per {limit['seconds']} s" if limit else "no stated limit"


def _value(value: Any) -> str:
    return "none" if value is None else str(value)
