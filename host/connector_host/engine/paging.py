"""The steps of a list: which fields of the input ask for the next page, and whether there is one. Pure functions.

A `Step` is plain data, so that a pull can stop after any page and go on from it later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector_host.contract.stream_models import CursorTokenPaging, NoPaging, OffsetPaging, PageNumberPaging, Paging

__all__ = ["Found", "Step", "first_step", "found_on", "next_step", "told_at"]


@dataclass(frozen=True, slots=True)
class Step:
    """One page to ask for: its place in the list, counted from 1, and the fields of the input that ask for it."""

    number: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0
    """The page's number, or the number of records before it, as the vendor counts."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a page showed: how many records, and what its answer says about the rest of the list."""

    records: int
    total_pages: int | None = None
    token: str | int | None = None


def first_step(paging: Paging) -> Step:
    """Return the first page."""
    match paging:
        case NoPaging():
            return Step(1)
        case PageNumberPaging():
            return _at(paging, 1, paging.first)
        case OffsetPaging():
            return _at(paging, 1, 0)
        case CursorTokenPaging():
            return Step(1, _size(paging))


def told_at(paging: Paging) -> str | None:
    """Return the path in an answer that tells about the rest of the list, None where nothing does."""
    match paging:
        case PageNumberPaging():
            return paging.total_pages
        case CursorTokenPaging():
            return paging.next
        case _:
            return None


def found_on(paging: Paging, records: int, told: Any) -> Found:
    """Return what a page showed, from the number of its records and the value at `told_at`.

    Raises ValueError when that value is no number of pages, or no token.
    """
    match paging:
        case PageNumberPaging(until="total_pages"):
            if not isinstance(told, int) or isinstance(told, bool) or told < 0:
                raise ValueError(f"{paging.total_pages} is no number of pages")
            return Found(records, total_pages=told)
        case CursorTokenPaging():
            if told is not None and (not isinstance(told, str | int) or isinstance(told, bool)):
                raise ValueError(f"{paging.next} is no token")
            return Found(records, token=told)
        case _:
            return Found(records)


def next_step(paging: Paging, step: Step, found: Found) -> Step | None:
    """Return the page after this one, None where the list has ended."""
    match paging:
        case PageNumberPaging():
            following = _at(paging, step.number + 1, step.position + 1) if _goes_on(paging, step, found) else None
        case OffsetPaging():
            full = found.records >= paging.page_size
            following = _at(paging, step.number + 1, step.position + found.records) if full else None
        case CursorTokenPaging():
            fields = {**_size(paging), paging.token: found.token}
            following = Step(step.number + 1, fields) if found.token not in (None, "") else None
        case NoPaging():
            following = None
    return following


def _goes_on(paging: PageNumberPaging, step: Step, found: Found) -> bool:
    if paging.until == "total_pages":
        return step.position < paging.first + (found.total_pages or 0) - 1
    return found.records >= (paging.page_size if paging.until == "short_page" else 1)


def _at(paging: PageNumberPaging | OffsetPaging, number: int, position: int) -> Step:
    where = paging.page if isinstance(paging, PageNumberPaging) else paging.offset
    return Step(number, {where: position, **_size(paging)}, position)


def _size(paging: PageNumberPaging | OffsetPaging | CursorTokenPaging) -> dict[str, Any]:
    return {paging.size: paging.page_size} if paging.size else {}
