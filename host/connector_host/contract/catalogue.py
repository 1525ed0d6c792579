"""Operations of a vendor's API, read from OpenAPI 3.1 documents, one per area."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from .errors import ConnectorBroken, UnknownName
from .manifest import BodyFormat, HttpMethod
from .nearest import did_you_mean

__all__ = ["BatchCap", "Catalogue", "Operation", "OperationRate", "Parameter"]

_METHODS = {method.value.lower() for method in HttpMethod}


@dataclass(frozen=True, slots=True)
class OperationRate:
    """The vendor's limit for one operation and session: at most `calls` in any `seconds`."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class BatchCap:
    """The most entries that an operation takes at once: `field` is a dotted path into its body."""

    field: str
    max: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path, the query or a header."""

    name: str
    place: Literal["path", "query", "header"]
    required: bool
    schema: Mapping[str, Any]
    explode: bool = True


@dataclass(frozen=True, eq=False)
class Operation:
    """One call of the vendor's API. Facts come from the catalogue; `components` are the schemas it may refer to."""

    id: str
    area: str
    title: str
    method: HttpMethod
    path: str
    base: str
    kind: Literal["read", "write"]
    destructive: bool
    deprecated: bool
    rate: OperationRate | None
    permissions: tuple[str, ...]
    encoding: BodyFormat
    wrapper: str | None
    paging: Mapping[str, Any] | None
    batch: BatchCap | None
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Any] | None = field(repr=False)
    body_required: bool
    response: Mapping[str, Any] | None = field(repr=False)
    components: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The part of the id after the area."""
        return self.id.partition(".")[2]

    def facts(self) -> dict[str, Any]:
        """Return what lists show, as plain data."""
        return {
            "id": self.id,
            "area": self.area,
            "title": self.title,
            "method": self.method.value,
            "path": self.path,
            "base": self.base,
            "kind": self.kind,
            "destructive": self.destructive,
            "rate_limit": {"calls": self.rate.calls, "seconds": self.rate.seconds} if self.rate else None,
            "permissions": list(self.permissions),
            "deprecated": self.deprecated,
        }

    @cached_property
    def body_fields_at_top(self) -> bool:
        """Whether the body's own fields stand beside the parameters in an input, or together under `body`."""
        fields = self.resolved(self.body or {}).get("properties")
        return bool(fields) and not {parameter.name for parameter in self.parameters} & set(fields or ())

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of an input: one object, closed, with the parameters by name and the body.

        The body's fields stand beside the parameters; where a name would collide, or the body is no object, the body
        stands under `body`. Fields that the vendor marks as read-only are accepted.
        """
        properties: dict[str, Any] = {parameter.name: dict(parameter.schema) for parameter in self.parameters}
        required = [parameter.name for parameter in self.parameters if parameter.required]
        if self.body is not None and self.body_fields_at_top:
            body = self.resolved(self.body)
            properties |= body["properties"]
            required += body.get("required", [])
        elif self.body is not None:
            properties["body"] = dict(self.body)
            required += ["body"] if self.body_required else []
        schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            schema["required"] = required
        return self._with_definitions(schema, close=True)

    @cached_property
    def response_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of a successful answer, open to more fields; None where the answer is empty."""
        return None if self.response is None else self._with_definitions(dict(self.response), close=False)

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema that a chain of plain references leads to."""
        while "$ref" in schema:
            schema = self.components[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def _with_definitions(self, schema: dict[str, Any], *, close: bool) -> dict[str, Any]:
        definitions: dict[str, Any] = {}
        waiting = [schema := _localise(schema, close=close)]
        while waiting:
            for name in _references(waiting.pop()):
                if name not in definitions:
                    definitions[name] = _localise(self.components[name], close=close)
                    waiting.append(definitions[name])
        return {**schema, "$defs": definitions} if definitions else schema


class Catalogue:
    """All operations of a connector, by id.

    A document whose name is the part of an id before the dot is read when one of its operations is asked for, and kept
    whole once a second one is: most streams call a single one. Every document is read where that does not find one,
    and for a list of all.

    `connector` is what the check command takes, a name or a folder, for the errors of documents that cannot be read.
    """

    def __init__(self, documents: Iterable[Path], *, connector: str = "CONNECTOR") -> None:
        self._documents = tuple(documents)
        self._connector = connector
        self._read: dict[Path, tuple[Operation, ...]] = {}
        self._asked: dict[str, Operation] = {}
        self._opened: set[Path] = set()

    @cached_property
    def _by_id(self) -> dict[str, Operation]:
        found: dict[str, Operation] = {}
        for document in self._documents:
            for operation in self._operations_in(document):
                if operation.id in found:
                    raise ConnectorBroken(
                        f"The operation {operation.id} stands in the catalogue twice.",
                        next_step=f"Rename the one in {document.name}.",
                    )
                found[operation.id] = operation
        return found

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, operation_id: object) -> bool:
        return isinstance(operation_id, str) and (self._near(operation_id) is not None or operation_id in self._by_id)

    def get(self, operation_id: str) -> Operation:
        """Return the operation, whatever the case of its id. Raises UnknownName with the nearest ids."""
        operation = self._near(operation_id)
        if operation is None:
            operation = self._by_id.get(operation_id) or self._by_lower.get(operation_id.lower())
        if operation is None:
            raise UnknownName(
                f'There is no operation "{operation_id}".',
                next_step=did_you_mean(operation_id, self._by_id) or "List them with the operations command.",
            )
        return operation

    def _near(self, operation_id: str) -> Operation | None:
        """Return the operation if the document that is called as its area has it."""
        operation = self._asked.get(operation_id)
        if operation is not None:
            return operation
        area = operation_id.partition(".")[0]
        for document in self._documents:
            if document.stem == area:
                found = self._found_in(document, operation_id)
                if found is not None:
                    return self._asked.setdefault(operation_id, found)
        return None

    def _found_in(self, document: Path, operation_id: str) -> Operation | None:
        first = document not in self._opened
        self._opened.add(document)
        operations = _read_document(document, self._connector) if first else self._operations_in(document)
        found = next((each for each in operations if each.id == operation_id), None)
        return _alone(found) if first and found is not None else found

    def _operations_in(self, document: Path) -> tuple[Operation, ...]:
        if document not in self._read:
            self._opened.add(document)
            operations = _read_document(document, self._connector)
            self._read[document] = tuple(self._asked.get(each.id, each) for each in operations)
        return self._read[document]

    def search(self, text: str = "", area: str | None = None) -> list[Operation]:
        """Return the operations of an area in whose id, title, path or permissions every word of the text occurs."""
        words = text.lower().split()
        found = []
        for operation in self:
            if area and operation.area.lower() != area.lower():
                continue
            haystack = " ".join((operation.id, operation.title, operation.path, *operation.permissions)).lower()
            if all(word in haystack for word in words):
                found.append(operation)
        return found

    @property
    def areas(self) -> list[str]:
        """The areas, in order."""
        return sorted({operation.area for operation in self})

    @cached_property
    def _by_lower(self) -> dict[str, Operation]:
        return {operation_id.lower(): operation for operation_id, operation in self._by_id.items()}


def _read_document(path: Path, connector: str) -> Iterator[Operation]:
    try:
        document = msgspec.json.decode(path.read_bytes())
        components = document.get("components", {}).get("schemas", {})
        for url, methods in document["paths"].items():
            for method, facts in methods.items():
                if method in _METHODS:
                    yield _operation(document, components, url, method, facts)
    except OSError as error:
        raise ConnectorBroken(f"{path.name} of the catalogue cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ConnectorBroken(
            f"{path.name} of the catalogue is no OpenAPI document of the expected form.",
            detail=f"{type(error).__name__}: {error}",
            next_step=f"See every fault with: connector-host check {connector}",
        ) from None


def _operation(
    document: Mapping[str, Any], components: Mapping[str, Any], path: str, method: str, facts: Mapping[str, Any]
) -> Operation:
    area = document["x-area"]
    rate, batch, body = facts.get("x-rate-limit"), facts.get("x-batch"), facts.get("requestBody")
    return Operation(
        id=facts["operationId"],
        area=area,
        title=facts.get("summary", ""),
        method=HttpMethod(method.upper()),
        path=path,
        base=facts.get("x-base", document["x-base"]),
        kind=facts["x-kind"],
        destructive=facts.get("x-destructive", False),
        deprecated=facts.get("deprecated", False),
        rate=OperationRate(rate["calls"], rate["seconds"]) if rate else None,
        permissions=tuple(facts.get("x-permissions", ())),
        encoding=BodyFormat(facts.get("x-encoding", "json")),
        wrapper=facts.get("x-wrapper"),
        paging=facts.get("x-paging"),
        batch=BatchCap(batch["field"], batch["max"]) if batch else None,
        parameters=tuple(
            Parameter(
                name=parameter["name"],
                place=parameter["in"],
                required=parameter.get("required", False),
                schema=parameter.get("schema", {}),
                explode=parameter.get("explode", True),
            )
            for parameter in facts.get("parameters", ())
        ),
        body=_json_schema_in(body) if body else None,
        body_required=bool(body and body.get("required")),
        response=_response_schema(facts["responses"]),
        components=components,
    )


def _alone(operation: Operation) -> Operation:
    """Return an operation that keeps no more of its document than it refers to."""
    components: dict[str, Any] = {}
    waiting = [operation.body, operation.response, *(dict(parameter.schema) for parameter in operation.parameters)]
    while waiting:
        for name in _references(waiting.pop()):
            if name not in components and name in operation.components:
                components[name] = operation.components[name]
                waiting.append(components[name])
    return replace(operation, components=components)


def _json_schema_in(content_holder: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for media_type, content in content_holder.get("content", {}).items():
        if "json" in media_type:
            schema: Mapping[str, Any] = content.get("schema", {})
            return schema
    return None


def _response_schema(responses: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for status, response in sorted(responses.items()):
        if status.startswith("2"):
            schema = _json_schema_in(response)
            if schema is not None:
                return schema
    return None


def _localise(schema: Mapping[str, Any], *, close: bool) -> dict[str, Any]:
    """Return a copy whose references point to `#/$defs`, with objects closed where asked."""
    copied: dict[str, Any] = copy.deepcopy(dict(schema))
    for part in _parts(copied):
        if "$ref" in part:
            part["$ref"] = f"#/$defs/{part['$ref'].rsplit('/', 1)[-1]}"
        if close and "properties" in part and "allOf" not in part:
            part.setdefault("additionalProperties", False)
    return copied


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema inside a schema, itself first."""
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("items", "additionalProperties", "not"):
        yield from _parts(schema.get(key))
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, ()):
            yield from _parts(part)
    for part in schema.get("properties", {}).values():
        yield from _parts(part)


def _references(schema: Any) -> Iterator[str]:
    for part in _parts(schema):
        if "$ref" in part:
            yield part["$ref"].rsplit("/", 1)[-1]
