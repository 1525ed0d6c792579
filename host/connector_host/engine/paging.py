"""The steps of a list: which fields of the input ask for the next page, and whether there is one. Pure functions.

A `Step` is plain data, so that a pull can stop after any page and go on from it later.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector_host.contract.stream_models import CursorTokenPaging, NoPaging, OffsetPaging, PageNumberPaging, Paging

__all__ = ["Found", "Step", "first_step", "found_on", "next_step", "step_after_full", "step_to_compare", "told_at"]


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
    total_records: int | None = None
    token: str | int | None = None
    likely_records: int | None = None

    def pages_of(self, paging: Paging) -> int | None:
        """Return how many pages the list has, as far as its answers tell; for people, as it may be about so many."""
        if self.likely_records is None or not isinstance(paging, CursorTokenPaging):
            return self.total_pages
        return max(1, math.ceil(self.likely_records / paging.page_size))


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


def told_at(paging: Paging) -> tuple[str, ...]:
    """Return the paths in an answer that tell about the rest of the list."""
    match paging:
        case PageNumberPaging():
            return tuple(path for path in (paging.total_pages, paging.total_records) if path is not None)
        case CursorTokenPaging():
            return (paging.next,) if paging.likely_records is None else (paging.next, paging.likely_records)
        case _:
            return ()


def found_on(paging: Paging, records: int, told: Mapping[str, Any]) -> Found:
    """Return what a page showed, from the number of its records and the values at the paths of `told_at`.

    Raises ValueError when a value is no number, or no token.
    """
    match paging:
        case PageNumberPaging():
            pages, whole = (
                None if path is None else _count(told.get(path), path)
                for path in (paging.total_pages, paging.total_records)
            )
            return Found(records, total_pages=pages, total_records=whole)
        case CursorTokenPaging():
            token = told.get(paging.next)
            if token is not None and (not isinstance(token, str | int) or isinstance(token, bool)):
                raise ValueError(f"{paging.next} is no token")
            likely = told.get(paging.likely_records) if paging.likely_records is not None else None
            return Found(records, token=token, likely_records=likely if type(likely) is int and likely >= 0 else None)
        case _:
            return Found(records)


def _count(value: Any, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{path} is no number")
    return value


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


def step_after_full(paging: Paging, step: Step) -> Step | None:
    """Return the page after this one if it is full, where that can be told before it has come."""
    match paging:
        case PageNumberPaging():
            return _at(paging, step.number + 1, step.position + 1)
        case OffsetPaging():
            return _at(paging, step.number + 1, step.position + paging.page_size)
        case _:
            return None


def step_to_compare(paging: Paging, found: Found) -> Step | None:
    """Return the last page of a list whose first page tells only how many there are, None for every other list."""
    if not isinstance(paging, PageNumberPaging) or paging.total_records is not None or not found.total_pages:
        return None
    return _at(paging, found.total_pages, paging.first + found.total_pages - 1)


def _goes_on(paging: PageNumberPaging, step: Step, found: Found) -> bool:
    if paging.until == "total_pages":
        return step.position < paging.first + (found.total_pages or 0) - 1
    return found.records >= (paging.page_size if paging.until == "short_page" else 1)


def _at(paging: PageNumberPaging | OffsetPaging, number: int, position: int) -> Step:
    where = paging.page if isinstance(paging, PageNumberPaging) else paging.offset
    return Step(number, {where: position, **_size(paging)}, position)


def _size(paging: PageNumberPaging | OffsetPaging | CursorTokenPaging) -> dict[str, Any]:
    return {paging.size: paging.page_size} if paging.size else {}
