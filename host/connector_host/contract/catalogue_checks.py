"""What a host needs of the documents of a catalogue: each fault by line, in place of one that stops the reading."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .errors import ConnectorBroken, ManifestInvalid, Problem
from .manifest import BodyFormat, HttpMethod
from .manifest_file import ConnectorFolder
from .nearest import did_you_mean
from .problem_at import problem_at
from .schemas import problems_of, validator_for
from .yaml_source import YamlSource

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["documents_are_sound"]

_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 1}

DOCUMENT: Mapping[str, Any] = {
    "type": "object",
    "required": ["x-area", "x-base", "paths"],
    "properties": {
        "x-area": _TEXT,
        "x-base": _TEXT,
        "paths": {"type": "object", "additionalProperties": {"type": "object"}},
        "components": {"type": "object", "properties": {"schemas": {"type": "object"}}},
    },
}
"""What a document has beside its operations, as JSON Schema."""

OPERATION: Mapping[str, Any] = {
    "type": "object",
    "required": ["operationId", "x-kind", "responses"],
    "properties": {
        "operationId": {
            "type": "string",
            "pattern": r"^[^.\s]+\.\S+$",
            "x-message": "Write the area and a name, such as orders.GetOrder.",
        },
        "summary": {"type": "string"},
        "deprecated": {"type": "boolean"},
        "x-kind": {"enum": ["read", "write"], "x-message": "Write read or write."},
        "x-destructive": {"type": "boolean"},
        "x-base": _TEXT,
        "x-encoding": {"enum": [each.value for each in BodyFormat]},
        "x-wrapper": _TEXT,
        "x-permissions": {"type": "array", "items": _TEXT},
        "x-paging": {"type": "object"},
        "x-rate-limit": {
            "type": "object",
            "required": ["calls", "seconds"],
            "additionalProperties": False,
            "properties": {"calls": _COUNT, "seconds": _COUNT},
        },
        "x-batch": {
            "type": "object",
            "required": ["field", "max"],
            "properties": {"field": _TEXT, "max": _COUNT},
        },
        "parameters": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "in"],
                "properties": {
                    "name": _TEXT,
                    "in": {"enum": ["path", "query", "header"]},
                    "required": {"type": "boolean"},
                    "explode": {"type": "boolean"},
                    "schema": {"type": "object"},
                },
            },
        },
        "requestBody": {"type": "object"},
        "responses": {"type": "object"},
    },
}
"""What an operation has, as JSON Schema; other keys are left to OpenAPI."""

_METHODS = frozenset(method.value.lower() for method in HttpMethod)
_SCHEMAS = "#/components/schemas/"

Steps = tuple[str | int, ...]
Fault = tuple[Steps, str, str]
"""The place in the document, what is wrong, and the one fix."""


def documents_are_sound(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every document of the catalogue is as a host needs it, and no operation stands in two."""
    found = False
    for file in connector.documents:
        for problem in _problems_in(file, _name_of(connector, file)):
            found = True
            yield problem
    if not found:
        try:
            len(connector.catalogue)
        except ConnectorBroken as error:
            yield problem_at(connector, ["operations", "catalogue"], "catalogue", error.message, error.next_step)


def _name_of(connector: ConnectorFolder, file: Path) -> str:
    return str(PurePath(connector.name).parent / file.relative_to(connector.folder))


def _problems_in(file: Path, name: str) -> Iterator[Problem]:
    try:
        document = json.loads(file.read_text("utf-8"))
    except json.JSONDecodeError as error:
        yield Problem(
            f"{name}:{error.lineno}:{error.colno}", "not-json", f"This is not JSON: {error.msg}.", "Mend it here."
        )
        return
    except UnicodeDecodeError:
        yield Problem(f"{name}:1:1", "not-utf8", "The file is not UTF-8 text.", "Save it as UTF-8.")
        return
    except RecursionError:
        yield Problem(f"{name}:1:1", "not-json", "It is nested too deeply.", "Put inner schemas under components.")
        return
    except OSError as error:
        yield Problem(f"{name}:1:1", "file-exists", f"It cannot be read: {error.strerror}.", "Give access to it.")
        return
    faults = list(_faults(document))
    if faults:
        source = _with_positions(file, name)
        for path, sentence, fix in faults:
            yield Problem(source.where(path) if source else f"{name}:1:1", "catalogue", sentence, fix)


def _with_positions(file: Path, name: str) -> YamlSource | None:
    """Return the places of a JSON file, which is YAML too; None where a reader of YAML sees it otherwise."""
    try:
        return YamlSource(file, name)
    except ManifestInvalid:
        return None


def _faults(document: Any) -> Iterator[Fault]:
    wrong = problems_of(_validator("document"), document)
    for problem in wrong:
        yield _steps(problem.where), f"{problem.where or 'The document'}: {problem.sentence}", problem.fix
    if wrong:
        return
    for url, methods in document["paths"].items():
        for method, facts in methods.items():
            if method in _METHODS:
                yield from _faults_of_operation(url, method, facts)
    schemas = document.get("components", {}).get("schemas", {})
    for path, target in _references(document, ()):
        name = target.removeprefix(_SCHEMAS) if target.startswith(_SCHEMAS) else ""
        if name not in schemas:
            fix = did_you_mean(name, schemas) or f"Write {_SCHEMAS} and the name of one of the document's schemas."
            yield path, f'The reference "{target}" leads nowhere.', fix


def _faults_of_operation(url: str, method: str, facts: Any) -> Iterator[Fault]:
    for problem in problems_of(_validator("operation"), facts):
        sentence = f"{method.upper()} {url}: {problem.where}{': ' if problem.where else ''}{problem.sentence}"
        yield ("paths", url, method, *_steps(problem.where)), sentence, problem.fix


def _steps(where: str) -> Steps:
    return tuple(int(step) if step.isdecimal() else step for step in where.split(".") if step)


def _references(part: Any, path: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(part, Mapping):
        target = part.get("$ref")
        if isinstance(target, str):
            yield (*path, "$ref"), target
        entries: Sequence[tuple[str | int, Any]] = list(part.items())
    else:
        entries = list(enumerate(part)) if isinstance(part, list) else []
    for step, inner in entries:
        yield from _references(inner, (*path, step))


@cache
def _validator(of: str) -> "Draft202012Validator":
    return validator_for(DOCUMENT if of == "document" else OPERATION)
