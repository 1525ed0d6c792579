"""Pulls a stream page by page: records stay the bytes that the vendor sent."""

import copy
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import AnswerUnreadable, CallFacts
from connector_host.contract.paths import set_path
from connector_host.contract.stream_models import CursorTokenPaging, PageNumberPaging, Stream

from .answer import Answer
from .envelope import EnvelopeError, fields_of, list_of, value_of, wanted
from .paging import Found, Step, first_step, next_step
from .plan import Window, input_of

__all__ = ["Page", "Puller"]

Caller = Callable[[str, Mapping[str, Any]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Page:
    """Records that came together, each as the vendor's bytes; `pages` is how many there are, where the vendor says."""

    number: int
    records: list[msgspec.Raw] = field(repr=False)
    pages: int | None = None

    def lines(self) -> bytes:
        """Return the records as JSON Lines; a line break can only be blank space between their parts."""
        parts = [
            part.translate(_BLANKS) if b"\n" in part or b"\r" in part else part for part in map(bytes, self.records)
        ]
        return b"".join(part + b"\n" for part in parts)

    def decoded(self) -> list[Any]:
        """Return the records decoded."""
        return [value_of(record) for record in self.records]


_BLANKS = bytes.maketrans(b"\r\n", b"  ")


class Puller:
    """One pull of one stream. `call` sends an operation; the window limits it in time."""

    def __init__(
        self, call: Caller, stream: Stream, window: Window, settings: Mapping[str, Any], date_format: str
    ) -> None:
        self._call = call
        self._stream = stream
        self._window = window
        self._settings = settings
        self._date_format = date_format

    async def pages(self, limit: int | None = None) -> AsyncIterator[Page]:
        """Yield pages until the list or the limit ends; no more are asked for than the limit needs.

        Raises AnswerUnreadable when an answer has no list of records, or a page comes twice.
        """
        if limit is not None and limit <= 0:
            return
        source = self._listed() if self._stream.details is None else self._detailed(limit)
        left = limit
        async for page in source:
            if left is None:
                yield page
                continue
            yield page if len(page.records) <= left else Page(page.number, page.records[:left], page.pages)
            left -= len(page.records)
            if left <= 0:
                return

    async def _listed(self) -> AsyncIterator[Page]:
        paging, records = self._stream.paging, self._stream.records or ""
        extra = {
            PageNumberPaging: getattr(paging, "total_pages", None),
            CursorTokenPaging: getattr(paging, "next", None),
        }.get(type(paging))
        paths = (records, extra) if extra else (records,)
        step: Step | None = first_step(paging)
        before: tuple[msgspec.Raw | None, Any] = (None, None)
        while step is not None:
            value = input_of(self._stream, self._window, self._settings, step.fields, self._date_format)
            answer = await self._call(self._stream.operation, value)
            if answer.meaning.kind is MeaningKind.END_OF_LIST:
                return
            raw, rows, other = self._read(answer, paths)
            if rows and raw == before[0]:
                raise _unreadable(answer, f"page {step.number} repeats the one before it")
            token = other if isinstance(paging, CursorTokenPaging) else None
            if token is not None and token == before[1]:
                raise _unreadable(answer, f"page {step.number} repeats the token of the one before it")
            pages = other if isinstance(paging, PageNumberPaging) and isinstance(other, int) else None
            before = (raw, token)
            if rows or step.number == 1:
                yield Page(step.number, rows, pages)
            step = next_step(paging, step, Found(len(rows), pages, token))

    async def _detailed(self, limit: int | None) -> AsyncIterator[Page]:
        """Yield the full records for the ids that the list gives, in batches that may span its pages."""
        details = self._stream.details
        if details is None:  # pragma: no cover -- the caller has looked
            return
        ids: list[Any] = []
        number, left = 0, math.inf if limit is None else limit
        async for page in self._listed():
            ids += [_id_of(record, details.id) for record in page.records]
            # With a limit, what is at hand may be enough before a batch is full.
            while len(ids) >= min(details.batch, left) and ids:
                size = int(min(details.batch, left))
                batch, ids = ids[:size], ids[size:]
                number += 1
                full = await self._details_of(batch, number)
                left -= len(full.records)
                yield full
                if left <= 0:
                    return
        if ids:
            yield await self._details_of(ids, number + 1)

    async def _details_of(self, ids: list[Any], number: int) -> Page:
        details = self._stream.details
        if details is None:  # pragma: no cover -- the caller has looked
            raise AssertionError("no details")
        value = copy.deepcopy(details.input)
        set_path(value, details.ids, ids)
        answer = await self._call(details.operation, value)
        if answer.meaning.kind is MeaningKind.END_OF_LIST:
            return Page(number, [])
        return Page(number, self._read(answer, (details.records or "",))[1])

    def _read(self, answer: Answer, paths: tuple[str, ...]) -> tuple[msgspec.Raw | None, list[msgspec.Raw], Any]:
        """Return the list as it came, its records, and the other value that was asked for."""
        if not answer.body.strip():
            return None, [], None
        try:
            found = fields_of(answer.body, paths)
            raw = wanted(found[paths[0]], paths[0])
            return raw, list_of(raw), value_of(found[paths[1]]) if len(paths) > 1 else None
        except EnvelopeError as error:
            raise _unreadable(answer, f"{error} in it") from None


def _id_of(record: msgspec.Raw, path: str | None) -> Any:
    return value_of(fields_of(record, (path or "",))[path or ""])


def _unreadable(answer: Answer, why: str) -> AnswerUnreadable:
    return AnswerUnreadable(
        f"The answer to {answer.operation.id} is not what the stream expects: {why}.",
        next_step="Report it to the connector's author with the request id.",
        call=CallFacts(answer.operation.id, request_id=answer.request_id, status=answer.status),
    )
