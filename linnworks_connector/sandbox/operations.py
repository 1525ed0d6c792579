"""The catalogue of operations, as the sandbox needs it: what an address calls, and what may go in and come out."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

Base = Literal["auth", "session", "v1", "v2"]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PACKAGE: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `schemas` are the named schemas of its document, which `$ref`s point into."""

    id: str
    method: str
    path: str
    base: Base
    write: bool
    encoding: str
    calls: int | None
    seconds: float
    permissions: tuple[str, ...]
    wrapper: str | None
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    multipart: bool
    status: int
    answer: dict[str, Any] | None
    schemas: dict[str, Any]


def catalogue_folder() -> Path:
    """Return where the catalogue stands: in the installed package or beside it. Raises FileNotFoundError."""
    for folder in (_PACKAGE / "schemas" / "operations", _PACKAGE.parent / "schemas" / "operations"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the catalogue of operations (schemas/operations) is neither in the package nor beside it")


class Operations:
    """All operations by id and by address."""

    def __init__(self, folder: Path) -> None:
        self.by_id: dict[str, Operation] = {}
        self._classic: dict[str, Operation] = {}
        self._gateway: list[tuple[re.Pattern[str], Operation]] = []
        for file in sorted(folder.glob("*.json")):
            for operation in _read(msgspec.json.decode(file.read_bytes())):
                self._add(operation)

    def _add(self, operation: Operation) -> None:
        self.by_id[operation.id] = operation
        if operation.base in ("v1", "v2"):
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(f"/{operation.base}{operation.path}"))
            self._gateway.append((re.compile(pattern, re.IGNORECASE), operation))
        else:
            self._classic[operation.path.lower()] = operation

    def classic(self, path: str) -> Operation | None:
        """Return the operation of an `/api/...` path, in any case."""
        return self._classic.get(path.rstrip("/").lower())

    def gateway(self, method: str, path: str) -> tuple[Operation | None, dict[str, str], tuple[str, ...]]:
        """Return the operation of a `/v1` or `/v2` path, the values in the path, and the methods the path allows."""
        found: list[tuple[Operation, dict[str, str]]] = []
        for pattern, operation in self._gateway:
            match = pattern.fullmatch(path.rstrip("/"))
            if match:
                found.append((operation, match.groupdict()))
        found.sort(key=lambda pair: len(pair[1]))
        for operation, values in found:
            if operation.method == method:
                return operation, values, ()
        return None, {}, tuple(operation.method for operation, _ in found)


@cache
def load_operations() -> Operations:
    """Read the catalogue, once."""
    return Operations(catalogue_folder())


def _read(document: dict[str, Any]) -> list[Operation]:
    schemas = document.get("components", {}).get("schemas", {})
    return [
        _operation(document, path, method, item, schemas)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]


def _operation(
    document: dict[str, Any], path: str, method: str, item: dict[str, Any], schemas: dict[str, Any]
) -> Operation:
    spec = item[method]
    limit = spec.get("x-rate-limit") or {}
    status, answer = _answer(spec["responses"])
    content = spec.get("requestBody", {}).get("content", {})
    return Operation(
        id=spec["operationId"],
        method=method.upper(),
        path=path,
        base=spec.get("x-base") or document.get("x-base", "session"),
        write=spec.get("x-kind") == "write",
        encoding=spec.get("x-encoding", "json"),
        calls=limit.get("calls"),
        seconds=limit.get("seconds", 60),
        permissions=tuple(spec.get("x-permissions") or ()),
        wrapper=spec.get("x-wrapper"),
        parameters=(*item.get("parameters", ()), *spec.get("parameters", ())),
        body=next((media.get("schema") for media in content.values()), None),
        multipart="multipart/form-data" in content,
        status=status,
        answer=answer,
        schemas=schemas,
    )


def _answer(responses: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    for status, response in responses.items():
        if status.startswith("2"):
            schema = next((media.get("schema") for media in response.get("content", {}).values()), None)
            return int(status), schema
    return 200, None
