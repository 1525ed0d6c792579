"""The OpenAPI 3.1 document, made of the endpoints themselves."""

import importlib.metadata
import re
from collections.abc import Sequence
from typing import Any

from .endpoint import Endpoint
from .schemas import COMPONENTS, ref

__all__ = ["document_of"]

_PROBLEM = {"content": {"application/problem+json": {"schema": ref("Problem")}}}
_WORDS = {
    400: "The request is not understood.",
    401: "There is no valid token.",
    404: "Something that is named is not there.",
    409: "It is there already, is in use, or is not in a state for it.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Values are not valid, or the vendor does not let them in.",
    500: "A fault of the host or of a connector.",
    502: "The vendor refused, failed, or its answer is not readable.",
    503: "Quota, network or a busy database: try later.",
}


def document_of(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document of these endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "connector-host",
            "version": importlib.metadata.version("connector-host"),
            "description": "Connectors, instances, calls, runs, schedules and upkeep of this host, for programs.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made with: connector-host token add NAME",
                }
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    statuses = {*endpoint.errors, 500} | (set() if endpoint.is_open else {401})
    if endpoint.query or endpoint.body is not None:
        statuses |= {422}
    if endpoint.body is not None:
        statuses |= {400, 413, 415}
    if "{" in endpoint.path:
        statuses |= {404}
    statuses |= {422}
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status): _success(endpoint),
            **{str(status): {"description": _WORDS[status], **_PROBLEM} for status in sorted(statuses)},
        },
    }
    if endpoint.is_open:
        operation["security"] = []
    if endpoint.body is not None:
        required = bool(endpoint.body.get("required"))
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": endpoint.body}}}
    return operation


def _success(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.gives is None:
        return {"description": "Done."}
    return {"description": "As asked for.", "content": {endpoint.media_type: {"schema": endpoint.gives}}}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    query = [
        {"name": name, "in": "query", "required": False, "schema": dict(schema)}
        for name, schema in endpoint.query.items()
    ]
    return [*path, *query]
