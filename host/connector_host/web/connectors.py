"""The pages of connectors: which there are, and what one offers."""

import math
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector, Found
from connector_host.contract.catalogue import Operation
from connector_host.contract.errors import ConnectorHostError
from connector_host.contract.inputs import example_input

from .host import host_of
from .pages import breakable, page, page_number, render
from .streams import streams_of

__all__ = ["OperationList", "operations_of", "routes"]

_OPERATIONS_PER_PAGE = 25
_ICON_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A connector's SVG may style itself and do nothing else."""


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/connectors", list_connectors),
        page("/connectors/{name}", show),
        page("/connectors/{name}/documentation", documentation),
        page("/connectors/{name}/operations", list_operations),
        page("/connectors/{name}/operations/{operation}", show_operation),
        page("/connectors/{name}/icon", icon),
    ]


@dataclass(frozen=True, slots=True)
class OperationList:
    """One page of the operations that a search found."""

    operations: list[Operation]
    total: int
    page: int
    pages: int
    areas: list[str]
    area: str
    search: str


def operations_of(connector: Connector, request: Request) -> OperationList:
    """Return the operations that the address asks for with `search`, `area` and `page`."""
    search, area = request.query_params.get("search", "").strip()[:200], request.query_params.get("area", "")
    catalogue = connector.catalogue
    found = catalogue.search(search, area or None)
    pages = max(1, math.ceil(len(found) / _OPERATIONS_PER_PAGE))
    number = min(page_number(request), pages)
    start = (number - 1) * _OPERATIONS_PER_PAGE
    shown = found[start : start + _OPERATIONS_PER_PAGE]
    return OperationList(shown, len(found), number, pages, catalogue.areas, area, search)


def list_connectors(request: Request) -> Response:
    """List the connectors; a broken one says why."""
    host = host_of(request)
    search = request.query_params.get("search", "").strip()
    found = [each for each in host.find() if search.lower() in _text_of(each)]
    return render(request, "connectors.html", connectors=found, search=search, hide=host.redactor)


def _text_of(found: Found) -> str:
    manifest = found.manifest
    words = [found.name, found.package]
    words += [manifest.label, manifest.description, *manifest.listing.keywords] if manifest else []
    return " ".join(words).lower()


def show(request: Request) -> Response:
    """Show what a connector is; one that cannot be used shows what is wrong with it."""
    host = host_of(request)
    found = host.found(request.path_params["name"])
    try:
        connector = host.connector(found.name)
        operations = operations_of(connector, request)
    except ConnectorHostError as problem:
        return render(request, "connector_broken.html", found=found, problem=problem, hide=host.redactor)
    return render(
        request,
        "connector.html",
        found=found,
        connector=connector,
        manifest=connector.manifest,
        listed=operations,
        streams=streams_of(connector, request),
        instances=host.store.list(connector=connector.name, limit=5),
        count=host.store.count(connector=connector.name),
        hide=host.redactor,
    )


def documentation(request: Request) -> Response:
    """Show the connector's documentation page, in the platform's layout."""
    connector = host_of(request).connector(request.path_params["name"])
    return render(request, "documentation.html", connector=connector, manifest=connector.manifest)


def list_operations(request: Request) -> Response:
    """List the operations by page; only the list itself where a part of the page is asked for."""
    connector = host_of(request).connector(request.path_params["name"])
    part = request.headers.get("hx-target") == "operations"
    return render(
        request,
        "_operations.html" if part else "connector_operations.html",
        connector=connector,
        manifest=connector.manifest,
        listed=operations_of(connector, request),
        base=f"/connectors/{connector.name}/operations",
    )


def show_operation(request: Request) -> Response:
    """Show what is known of an operation: its limits, permissions, input and answer."""
    host = host_of(request)
    connector = host.connector(request.path_params["name"])
    operation = connector.catalogue.get(request.path_params["operation"])
    return render(
        request,
        "connector_operation.html",
        connector=connector,
        manifest=connector.manifest,
        operation=operation,
        facts=facts_of(operation),
        example=example_input(operation),
        instances=host.store.list(connector=connector.name, limit=20),
    )


def facts_of(operation: Operation) -> dict[str, Any]:
    """Return what the page of an operation says of it, by name; nothing is said of what is not there."""
    rate, batch = operation.rate, operation.batch
    facts = {
        "Request": breakable(f"{operation.method.value} {operation.path}"),
        "Kind": "Changes data and cannot be undone"
        if operation.destructive
        else "Changes data"
        if operation.kind == "write"
        else "Reads data",
        "Rate limit": f"{rate.calls:,} calls in {rate.seconds} seconds" if rate else "",
        "Permission": breakable(", ".join(operation.permissions)),
        "At once": f"At most {batch.max:,} entries in {batch.field}" if batch else "",
        "Body": "Sent as a form" if operation.body is not None and operation.encoding.value == "form" else "",
        "Status": "Deprecated by the vendor" if operation.deprecated else "",
    }
    return {name: words for name, words in facts.items() if words}


def icon(request: Request) -> Response:
    """Return the connector's picture."""
    found = host_of(request).found(request.path_params["name"])
    if found.connector is None or found.manifest is None:
        return Response(status_code=404)
    path = found.connector.path(found.manifest.icon)
    if not path.is_file():
        return Response(status_code=404)
    kinds = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
    kind = kinds.get(path.suffix.lower(), "image/gif")
    headers = {"Content-Security-Policy": _ICON_POLICY, "Cache-Control": "private, max-age=3600"}
    return FileResponse(path, media_type=kind, headers=headers)
