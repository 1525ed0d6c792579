"""What a stream costs: how many requests of which operation a thousand of its units take.

A unit is what the vendor lists and counts: an order, a stock item. A stream about what hangs on units (their notes,
their prices) costs by the unit, because nobody knows beforehand how much hangs there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from connector_host.contract.catalogue import Catalogue
from connector_host.contract.manifest import Manifest
from connector_host.contract.stream_models import Stream, StreamList

THOUSAND = 1000
_FEW = {"shipping_integrations"}
"""Parents with a handful of records: what is listed for each of them counts by the records listed."""
_BY_CODE = "unknown: as often as the connector's code calls it"


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests of one operation: `requests` for a thousand units, None where `said` tells all."""

    operation: str
    requests: int | None
    said: str
    calls: int | None
    seconds: int = 60

    @property
    def by_code(self) -> bool:
        """Whether the connector's code makes the requests: nobody knows how many."""
        return self.said == _BY_CODE

    @property
    def minutes(self) -> float | None:
        """How many minutes of the operation's quota a thousand units take; None where nothing is counted."""
        if self.requests is None or self.calls is None:
            return None
        return self.requests / self.calls * self.seconds / 60


def unit_of(manifest: Manifest, stream: Stream) -> str:
    """Return the plural of what is counted: the title of the first stream that lists the same, or of one in code."""
    if stream.code is not None:
        return _plural(stream)
    first = stream.lists[0]
    if first.for_each is not None and first.for_each.stream is not None and first.for_each.stream not in _FEW:
        return unit_of(manifest, manifest.stream(first.for_each.stream))
    listing = (each for each in manifest.streams if each.lists)
    return _plural(next(each for each in listing if each.lists[0].operation == first.operation))


def _plural(stream: Stream) -> str:
    return stream.title[0].lower() + stream.title[1:]


def costs_of(manifest: Manifest, catalogue: Catalogue, stream: Stream, way: int = 0) -> list[Cost]:
    """Return the costs of one of the ways to a stream's records, in the order of the calls."""
    found: dict[str, Cost] = {}
    calls_made = list(_requests(manifest, stream, way))
    if stream.total is not None:
        calls_made.append((stream.total.operation, None, "1 in all"))
    if (look_up := stream.confirm_removed) is not None:
        calls_made.append((look_up.operation, None, f"1 for {look_up.batch or 1} that are gone"))
    for operation, requests, said in calls_made:
        rate = catalogue.get(operation).rate
        calls, seconds = (rate.calls, rate.seconds) if rate else (None, 60)
        found.setdefault(operation, Cost(operation, requests, said, calls, seconds))
    return list(found.values())


def _requests(manifest: Manifest, stream: Stream, way: int = 0) -> Iterator[tuple[str, int | None, str]]:
    lists, details = stream.ways[way]
    for each in lists:
        yield from _of_list(manifest, each)
    if details is not None:
        batch = details.batch or 1
        said = f"1 for {batch} of them" if batch > 1 else "1 for each of them"
        yield details.operation, -(-THOUSAND // batch), said
    for operation in stream.code.operations if stream.code is not None else ():
        yield operation, None, _BY_CODE


def _of_list(manifest: Manifest, each: StreamList) -> Iterator[tuple[str, int | None, str]]:
    values = each.for_each
    pages = _pages(each)
    if values is None:
        yield each.operation, pages, _said(each, pages, "")
    elif values.stream is not None and values.stream not in _FEW:
        yield from _requests(manifest, manifest.stream(values.stream))
        yield each.operation, THOUSAND, "1 for each of them, more where it has several pages" if pages else "1 for each"
    else:
        if values.operation is not None:
            yield values.operation, None, "1 in all"
        if values.stream is not None:
            yield from _requests(manifest, manifest.stream(values.stream))
        whose = "location" if values.operation is not None else "carrier"
        yield each.operation, pages, _said(each, pages, f" for each {whose}")


def _pages(each: StreamList) -> int | None:
    """Return the pages of a thousand records, None where there are no pages or the vendor chooses their size."""
    if each.paging.kind == "none" or each.paging.size is None:
        return None
    return -(-THOUSAND // each.paging.page_size)


def _said(each: StreamList, pages: int | None, whose: str) -> str:
    if each.paging.kind == "none":
        return f"1{whose or ' in all'}"
    size = f"of {each.paging.page_size}, at least 1" if pages is not None else "of the vendor's size, at least 2"
    return f"1 a page {size}{whose}"
