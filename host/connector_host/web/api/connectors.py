"""Connectors, their forms and their operations."""

from typing import Any

from connector_host.connectors import Found
from connector_host.forms import form_for

from .endpoint import Call, Endpoint
from .schemas import LIMIT, OFFSET, page_of, ref

__all__ = ["ENDPOINTS"]

_TEXT = {"type": "string", "maxLength": 200}


def list_connectors(call: Call) -> Any:
    """List every connector, broken ones included."""
    found = [_facts(each) for each in call.host.found()]
    return {"total": len(found), "items": found}


def show_connector(call: Call) -> Any:
    """Show one connector."""
    connector = call.host.connector(call.path["connector"])
    return next(_facts(each) for each in call.host.found() if each.name == connector.name)


def show_form(call: Call) -> Any:
    """Give the form that sets up an instance."""
    connector = call.host.connector(call.path["connector"])
    return form_for(connector.folder, connector.method(call.query.get("authentication"))).as_json()


def list_operations(call: Call) -> Any:
    """List the operations of a connector."""
    catalogue = call.host.connector(call.path["connector"]).catalogue
    found = sorted(catalogue.search(call.query.get("search", ""), call.query.get("area")), key=lambda each: each.id)
    start = call.query["offset"]
    return {"total": len(found), "items": [each.facts() for each in found[start : start + call.query["limit"]]]}


def show_operation(call: Call) -> Any:
    """Show one operation with the schemas of its input and answer."""
    operation = call.host.connector(call.path["connector"]).catalogue.get(call.path["operation"])
    return {
        **operation.facts(),
        "input_schema": operation.input_schema,
        "response_schema": operation.response_schema,
    }


def _facts(found: Found) -> dict[str, Any]:
    manifest = found.manifest
    streams = manifest.streams if manifest else ()
    return {
        "name": found.name,
        "label": manifest.label if manifest else found.name,
        "version": manifest.version if manifest else None,
        "version_name": manifest.version_name if manifest else "",
        "description": manifest.description if manifest else "",
        "problem": str(found.problem) if found.problem else "",
        "streams": [{"name": s.name, "title": s.title, "description": s.description} for s in streams],
        "authentication": [method.name for method in manifest.authentication] if manifest else [],
    }


_TAG = "connectors"
ENDPOINTS = (
    Endpoint("GET", "/connectors", list_connectors, "List connectors", _TAG, gives=page_of("Connector")),
    Endpoint("GET", "/connectors/{connector}", show_connector, "Show a connector", _TAG, gives=ref("Connector")),
    Endpoint(
        "GET",
        "/connectors/{connector}/form",
        show_form,
        "Give the form of an instance",
        _TAG,
        gives=ref("Form"),
        query={"authentication": {**_TEXT, "description": "Authentication method; the preferred one by default."}},
    ),
    Endpoint(
        "GET",
        "/connectors/{connector}/operations",
        list_operations,
        "List operations",
        _TAG,
        gives=page_of("Operation"),
        query={"search": _TEXT, "area": _TEXT, "offset": OFFSET, "limit": LIMIT},
    ),
    Endpoint(
        "GET",
        "/connectors/{connector}/operations/{operation}",
        show_operation,
        "Show an operation",
        _TAG,
        gives=ref("Operation"),
    ),
)
