"""What a run would take: requests, quota and time, told from as few requests as can be."""

import math
from collections import Counter

from connector_host.contract.stream_models import NoPaging, PageNumberPaging, Stream, StreamList

from .blocks import Reading
from .connection import Connection
from .lists import Part
from .preparation import Prepared
from .report import Estimate, OperationEstimate
from .source import Source
from .totals import total_of
from .ways import choose_way

__all__ = ["estimate_of"]


async def estimate_of(connection: Connection, stream: Stream, prepared: Prepared) -> Estimate:
    """Return the requests of each operation. Asks for the first page of each list, for values, and for totals."""
    before = connection.stats.requests
    began = connection.clock.monotonic()
    reading = Reading(prepared.window)
    way = await choose_way(stream, connection.surroundings, reading, prepared.state.way)
    source = Source(stream, way, connection.surroundings, selection=prepared.selection, reading=reading)
    lists, details = way
    requests: Counter[str] = Counter()
    records, exact, notes = 0, True, []
    for each in lists:
        if prepared.selection.skips(each):
            continue
        values, parts = await source.sample(each)
        if each.for_each is not None and each.for_each.operation is not None:
            requests[each.for_each.operation] += 1
        pages, found, sure = _of_list(each, parts, values)
        exact = exact and sure
        requests[each.operation] += pages
        records += found
        if each.for_each is not None and each.for_each.stream is not None:
            notes.append(f"Not counted: the requests of {each.for_each.stream}, whose records have the values.")
    total = await total_of(connection, stream)
    if total is not None and stream.total is not None:
        requests[stream.total.operation] += 1
        records, exact = total, True
        for each in lists:
            size = getattr(each.paging, "page_size", None)
            if size is not None and len(lists) == 1 and each.for_each is None:
                requests[each.operation] = max(1, math.ceil(total / size))
    if details is not None:
        requests[details.operation] += math.ceil(records / (details.batch or 1))
    asked = connection.stats.requests - before
    latency = (connection.clock.monotonic() - began) / max(1, asked)
    rows = tuple(_row(connection, operation, number) for operation, number in requests.items())
    by_latency = latency * sum(requests.values()) / max(1, connection.surroundings.width)
    return Estimate(
        stream.name,
        prepared.state.mode,
        rows,
        records if exact else None,
        max([by_latency, *(row.seconds for row in rows)]),
        exact,
        asked,
        tuple(dict.fromkeys(notes)),
    )


def _of_list(each: StreamList, parts: list[Part], values: int) -> tuple[int, int, bool]:
    """Return pages, records, and whether they are exact; what was sampled stands for all values."""
    pages, found, sure = 0, 0, len(parts) == values
    for part in parts:
        if part.following is None or isinstance(each.paging, NoPaging):
            pages, found = pages + 1, found + part.size
        elif part.found.total_pages is not None and isinstance(each.paging, PageNumberPaging):
            pages += part.found.total_pages
            found += part.found.total_records or part.found.total_pages * each.paging.page_size
        else:
            pages, found, sure = pages + 1, found + part.size, False
    factor = values / len(parts) if parts else 0
    return max(values, math.ceil(pages * factor)), math.ceil(found * factor), sure


def _row(connection: Connection, operation: str, number: int) -> OperationEstimate:
    rate = connection.connector.catalogue.get(operation).rate
    if rate is None:
        return OperationEstimate(operation, number, None, None, 0.0)
    # The first window's quota is there at once; every further request waits for its place.
    waited = max(0, math.ceil(number / rate.calls) - 1) * rate.seconds
    return OperationEstimate(operation, number, rate.calls, rate.seconds, float(waited))
