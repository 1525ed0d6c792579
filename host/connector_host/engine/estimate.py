"""What a run would take: requests, quota and time, told from as few requests as can be."""

import math
from collections import Counter
from dataclasses import dataclass, field

from connector_host.contract.errors import ConnectorHostError, SignInError
from connector_host.contract.stream_models import NoPaging, PageNumberPaging, Stream, StreamList

from .blocks import Reading
from .connection import Connection
from .lists import Part
from .plan import Window
from .preparation import Prepared
from .report import Estimate, OperationEstimate
from .selection import Selection
from .source import Source
from .steady import requests_for
from .totals import total_of
from .ways import Way, choose_way

__all__ = ["estimate_of"]


@dataclass(slots=True)
class _Count:
    """Requests by operation, and the records that they bring; `by_code` are operations whose number is not known.

    `likely` tells that what is not exact is what the vendor says that it is about.
    """

    requests: Counter[str] = field(default_factory=Counter)
    records: int = 0
    exact: bool = True
    likely: bool = True
    by_code: tuple[str, ...] = ()


async def estimate_of(connection: Connection, stream: Stream, prepared: Prepared) -> Estimate:
    """Return the requests of each operation. Asks for the first page of each list, for values, and for totals."""
    before, began = connection.stats.requests, connection.clock.monotonic()
    way = await choose_way(stream, connection.surroundings, Reading(prepared.window), prepared.state.way)
    count = await _count(connection, stream, prepared.window, prepared.selection, way)
    asked = connection.stats.requests - before
    latency = (connection.clock.monotonic() - began) / max(1, asked)
    rows = tuple(_row(connection, operation, number) for operation, number in count.requests.items())
    by_latency = latency * sum(count.requests.values()) / max(1, connection.surroundings.width)
    return Estimate(
        stream.name,
        prepared.state.mode,
        rows,
        count.records if count.exact or count.likely else None,
        max([by_latency, *(row.seconds for row in rows)]),
        count.exact,
        asked,
        tuple(_row(connection, operation, 0) for operation in count.by_code),
        None if count.exact or count.likely else _per_minute(connection, way),
        not count.exact and count.likely,
    )


async def _count(connection: Connection, stream: Stream, window: Window, selection: Selection, way: Way) -> _Count:
    """Count what one way to a stream takes, its parents included."""
    lists, details = way
    source = Source(stream, way, connection.surroundings, selection=selection, reading=Reading(window))
    count = _Count()
    if stream.code is not None:
        count.by_code, count.exact, count.likely = stream.code.operations, False, False
    for each in lists:
        if selection.skips(each):
            continue
        values, parts = await source.sample(each)
        if each.for_each is not None and each.for_each.operation is not None:
            count.requests[each.for_each.operation] += 1
        elif each.for_each is not None and each.for_each.stream is not None:
            parent = await _of_parent(connection, each.for_each.stream, window)
            count.requests += parent.requests
            count.by_code = tuple(dict.fromkeys((*count.by_code, *parent.by_code)))
            # Of a parent that code reads only those are known that were sampled.
            least = values if parent.by_code else 0
            values = max(least, math.ceil(parent.records / (each.for_each.batch or 1)))
            count.exact, count.likely = count.exact and parent.exact, count.likely and parent.likely
        pages, found, sure, likely = _of_list(each, parts, values)
        count.exact, count.likely = count.exact and sure, count.likely and likely
        count.requests[each.operation] += pages
        count.records += found
    total = await _total(connection, stream)
    if total is not None and stream.total is not None:
        count.requests[stream.total.operation] += 1
        count.records, count.exact = total, not count.by_code
        size = getattr(lists[0].paging, "page_size", None) if len(lists) == 1 else None
        if size is not None and lists[0].for_each is None:
            count.requests[lists[0].operation] = max(1, math.ceil(total / size))
    if details is not None:
        count.requests[details.operation] += math.ceil(count.records / (details.batch or 1))
    return count


async def _total(connection: Connection, stream: Stream) -> int | None:
    """Return the vendor's total, None where it cannot be had: then the list itself has to tell."""
    try:
        return await total_of(connection, stream)
    except SignInError:
        raise
    except ConnectorHostError:
        return None


async def _of_parent(connection: Connection, name: str, window: Window) -> _Count:
    around = connection.surroundings
    parent = around.streams[name]
    limited = window if parent.incremental else Window()
    way = await choose_way(parent, around, Reading(limited))
    return await _count(connection, parent, limited, Selection(), way)


def _of_list(each: StreamList, parts: list[Part], values: int) -> tuple[int, int, bool, bool]:
    """Return pages, records, and whether they are exact, and likely; what was sampled stands for all values."""
    pages, found, sure, likely = 0, 0, len(parts) == values, True
    for part in parts:
        if part.following is None or isinstance(each.paging, NoPaging):
            pages, found = pages + 1, found + part.size
        elif part.found.total_pages is not None and isinstance(each.paging, PageNumberPaging):
            pages += requests_for(each.paging, part.found, part.found.total_pages)
            found += part.found.total_records or part.found.total_pages * each.paging.page_size
        elif part.found.likely_records is not None:
            pages += part.found.pages_of(each.paging) or 1
            found, sure = found + part.found.likely_records, False
        else:
            pages, found, sure, likely = pages + 1, found + part.size, False, False
    factor = values / len(parts) if parts else 0
    return max(values, math.ceil(pages * factor)), math.ceil(found * factor), sure, likely


def _per_minute(connection: Connection, way: Way) -> int | None:
    """Return how many records the limits of a way's operations let through in a minute, None where there is none."""
    lists, details = way
    each_brings = [(each.operation, getattr(each.paging, "page_size", None)) for each in lists]
    if details is not None:
        each_brings.append((details.operation, details.batch or 1))
    rates = ((connection.connector.catalogue.get(operation).rate, size) for operation, size in each_brings)
    found = [rate.calls * 60 // rate.seconds * size for rate, size in rates if rate is not None and size is not None]
    return min(found, default=None)


def _row(connection: Connection, operation: str, number: int) -> OperationEstimate:
    rate = connection.connector.catalogue.get(operation).rate
    if rate is None:
        return OperationEstimate(operation, number, None, None, 0.0)
    # The first window's quota is there at once; every further request waits for its place.
    waited = max(0, math.ceil(number / rate.calls) - 1) * rate.seconds
    return OperationEstimate(operation, number, rate.calls, rate.seconds, float(waited))
