"""Put the operations of an area together into one OpenAPI 3.1 document, and write documents as files."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.catalogue.convert import UnknownKeywordError, convert
from scripts.catalogue.decisions import Decision
from scripts.catalogue.facts import UnreadableFactError
from scripts.catalogue.leniency import loosen_answers, reachable
from scripts.catalogue.operations import build
from scripts.catalogue.vendor import VendorFile, VendorFileError

_SIGN_IN_AREA = "auth"


def build_document(
    file: VendorFile, decisions: dict[tuple[str, str, str], Decision], shapes: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """The catalogue's document of one area, with keys in the order they are written in.

    Raises:
        VendorFileError: something that no rule covers; the message names the operation or schema it stands in.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in sorted(file.operations, key=lambda each: (each.path.lower(), each.path, each.method)):
        decision = decisions[operation.key]
        with _located(decision.id):
            built = build(file, operation, decision, shapes.get(decision.id, {}))
        paths.setdefault(operation.path, {})[operation.method.lower()] = built
    schemas = {}
    for name, schema in sorted(file.schemas.items()):
        with _located(f"{file.area}, schema {name}"):
            schemas[name] = convert(schema)
    used = reachable(paths, schemas)
    document = {
        "openapi": "3.1.1",
        "info": {"title": f"Linnworks {file.title}", "version": file.version},
        "servers": [_server(file)],
        "security": [{"session": []}],
        "x-area": file.area,
        "x-base": file.base,
        # Swagger 2 has no way to say that a value may be null, so a null that is not announced is no mistake.
        "x-null": "unstated" if file.is_swagger else "stated",
        "paths": paths,
        "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "header", "name": "Authorization"}},
            "schemas": {name: schema for name, schema in schemas.items() if name in used},
        },
    }
    loosen_answers(document)
    return document


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Say in which operation or schema the vendor's file could not be understood."""
    try:
        yield
    except (UnknownKeywordError, UnreadableFactError) as error:
        raise VendorFileError(f"{where}: {error}") from error


def _server(file: VendorFile) -> dict[str, Any]:
    if file.area == _SIGN_IN_AREA:
        return {"url": f"https://{file.host}"}
    if file.base == "session":
        clusters = {"default": "eu-ext", "enum": ["eu-ext", "us-ext", "as-ext"]}
        return {"url": "https://{cluster}.linnworks.net", "variables": {"cluster": clusters}}
    regions = {"default": "eu", "enum": ["eu", "us", "as"]}
    return {"url": f"https://{{region}}-api.linnworks.net/{file.base}", "variables": {"region": regions}}


def permission_counts(documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The permission nodes that operations name, sorted, each with the number of operations."""
    operations = [op for document in documents for item in document["paths"].values() for op in item.values()]
    counts = Counter(node for operation in operations for node in operation["x-permissions"])
    return [{"node": node, "operations": counts[node]} for node in sorted(counts)]


def text_of(document: Any) -> str:
    """A document as it stands in its file."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read_documents(folder: Path) -> dict[str, dict[str, Any]]:
    """The committed documents by area; an empty folder is an empty catalogue."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
