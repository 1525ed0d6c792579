"""The lists of streams, of a connector and on an instance: searched and paged."""

import math
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector
from connector_host.contract.stream_models import Stream

from .host import host_of
from .instances import instance_of, zone_of
from .pages import page, page_number, render

__all__ = ["StreamList", "routes", "streams_of"]

_PER_PAGE = 25


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/connectors/{name}/streams", list_of_connector),
        page("/instances/{id}/streams", list_of_instance),
    ]


@dataclass(frozen=True, slots=True)
class StreamList:
    """One page of the streams that a search found. `kinds` are the entity types that there are."""

    streams: list[Stream]
    total: int
    page: int
    pages: int
    kinds: list[str]
    kind: str
    search: str


def streams_of(connector: Connector, request: Request) -> StreamList:
    """Return the streams that the address asks for with `search`, `kind` and `page`."""
    search, kind = request.query_params.get("search", "").strip()[:200], request.query_params.get("kind", "")
    every, words = connector.manifest.streams, search.lower().split()
    found = [each for each in every if kind in ("", each.entity_type) and all(word in _text_of(each) for word in words)]
    pages = max(1, math.ceil(len(found) / _PER_PAGE))
    number = min(page_number(request), pages)
    shown = found[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    kinds = sorted({each.entity_type for each in every})
    return StreamList(shown, len(found), number, pages, kinds, kind, search)


def _text_of(stream: Stream) -> str:
    return f"{stream.name} {stream.title} {stream.description} {stream.entity_type}".lower()


def list_of_connector(request: Request) -> Response:
    """List what can be pulled with a connector; only the list itself where a part of the page is asked for."""
    connector = host_of(request).connector(request.path_params["name"])
    return render(
        request,
        "_streams.html" if _is_part(request) else "connector_streams.html",
        connector=connector,
        manifest=connector.manifest,
        streams=streams_of(connector, request),
        base=f"/connectors/{connector.name}/streams",
    )


def list_of_instance(request: Request) -> Response:
    """List what can be pulled from an instance, with the last run of each."""
    host, instance = host_of(request), instance_of(request)
    connector = host.connector(instance.connector)
    streams, runs = streams_of(connector, request), request.app.state.runner.store
    last = {
        each.name: next(iter(runs.list(instance_id=instance.id, what=each.name, limit=1)), None)
        for each in streams.streams
    }
    return render(
        request,
        "_streams.html" if _is_part(request) else "instance_streams.html",
        instance=instance,
        connector=connector,
        streams=streams,
        last=last,
        zone=zone_of(instance),
        base=f"/instances/{instance.id}/streams",
        tab="streams",
    )


def _is_part(request: Request) -> bool:
    return request.headers.get("hx-target") == "streams"
