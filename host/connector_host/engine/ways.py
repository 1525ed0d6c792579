"""Chooses between the two ways that a stream may have to its records."""

from http import HTTPStatus

from connector_host.contract.errors import AnswerUnreadable, PermissionMissing, VendorFault, VendorRefused
from connector_host.contract.stream_models import Details, Stream, StreamList

from .blocks import Reading
from .lists import Lists
from .surroundings import Surroundings

__all__ = ["Way", "choose_way", "name_of", "way_named"]

Way = tuple[tuple[StreamList, ...], Details | None]

_DOES_NOT_WORK = (VendorRefused, AnswerUnreadable, PermissionMissing, VendorFault)
_IS_DOWN = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What says nothing about the way: the vendor is there again later, and the choice would stay."""


def way_named(stream: Stream, name: str | None) -> Way | None:
    """Return the way of that name, None where the stream has no such name."""
    if stream.fallback is None:
        return stream.ways[0]
    names = (stream.fallback.first, stream.fallback.second)
    return stream.ways[names.index(name)] if name in names else None


def name_of(stream: Stream, way: Way) -> str | None:
    """Return what a way is called, None where there is only one."""
    if stream.fallback is None:
        return None
    return stream.fallback.first if way == stream.ways[0] else stream.fallback.second


async def choose_way(stream: Stream, around: Surroundings, reading: Reading, known: str | None = None) -> Way:
    """Return the way that the instance's setting names, or that is known to work; otherwise try the first.

    Raises what the first way raises where it is not about the way, such as a vendor that cannot be reached.
    """
    if stream.fallback is None:
        return stream.ways[0]
    chosen = way_named(stream, str(around.settings.get(stream.fallback.setting, ""))) or way_named(stream, known)
    if chosen is not None:
        return chosen
    try:
        await _try(stream.ways[0], around, reading)
    except _DOES_NOT_WORK as error:
        if error.call.status in _IS_DOWN:
            raise
        return stream.ways[1]
    return stream.ways[0]


async def _try(way: Way, around: Surroundings, reading: Reading) -> None:
    """Ask for the first page of a way's first list that needs no values."""
    lists, _ = way
    each = next((each for each in lists if each.for_each is None), lists[0])
    pages = Lists(
        around.call,
        settings=around.settings,
        date_format=around.date_format,
        width=1,
        ahead=0,
        inputs=lambda _: {},
    )
    await pages.page(each, reading.window, {})
