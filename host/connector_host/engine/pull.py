"""Pulls a stream page by page: records stay the bytes that the vendor sent."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import AnswerUnreadable, CallFacts
from connector_host.contract.paths import set_path
from connector_host.contract.stream_models import Details, ForEach, Stream, StreamList

from .answer import Answer
from .envelope import EnvelopeError, fields_of, list_of, lists_of, value_of, wanted
from .paging import Found, Step, first_step, found_on, next_step, told_at
from .plan import Window, filled, input_of
from .splice import Prefix

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
    """One pull of one stream. `call` sends an operation; the window limits it in time; `streams` has the parents."""

    def __init__(
        self,
        call: Caller,
        stream: Stream,
        window: Window,
        *,
        settings: Mapping[str, Any],
        date_format: str,
        streams: Mapping[str, Stream],
    ) -> None:
        self._call = call
        self._stream = stream
        self._window = window
        self._settings = settings
        self._date_format = date_format
        self._streams = streams

    async def pages(self, limit: int | None = None) -> AsyncIterator[Page]:
        """Yield pages until the list or the limit ends; no more are asked for than the limit needs.

        Raises AnswerUnreadable when an answer has no list of records, or a page comes twice.
        """
        left = math.inf if limit is None else limit
        number = 0
        if left <= 0:
            return
        for each in self._stream.lists:
            details = self._stream.details
            source = self._listed(each) if details is None else self._detailed(each, details, left)
            async for page in source:
                records = self._taken_apart(page.records)
                number += 1
                yield Page(number, records if len(records) <= left else records[: int(left)], page.pages)
                left -= len(records)
                if left <= 0:
                    return

    def _taken_apart(self, records: list[msgspec.Raw]) -> list[msgspec.Raw]:
        """Return the elements inside the records, where the stream is about them."""
        path = self._stream.each
        if path is None:
            return records
        outer = self._stream.inherit
        found = []
        for record in records:
            fields = fields_of(record, (path, *outer.values()))
            prefix = Prefix({name: value_of(fields[field]) for name, field in outer.items()})
            found += [msgspec.Raw(prefix.on(each)) for each in list_of(fields[path])]
        return found

    async def _listed(self, each: StreamList) -> AsyncIterator[Page]:
        """Yield the pages of a list, or of every list where there is one for each of some values."""
        async for fields, kept in self._values(each.for_each):
            async for page in self._list(each, fields):
                yield Page(page.number, _added(page.records, Prefix(kept)), page.pages)

    async def _values(self, each: ForEach | None) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield the fields of the input that tell one list from another, and what its records keep of the value."""
        if each is None:
            yield {}, {}
            return
        batch: list[Any] = []
        async for record in self._sources(each):
            value = _value_in(each.operation or each.stream or "", record, each.value)
            if each.batch is None:
                found = fields_of(record, (*each.also.values(), *each.keep.values())) if each.also or each.keep else {}
                also = {field: value_of(found[path]) for field, path in each.also.items()}
                yield {each.into: value, **also}, {name: value_of(found[path]) for name, path in each.keep.items()}
            else:
                batch.append(value)
                if len(batch) == each.batch:
                    yield {each.into: batch}, {}
                    batch = []
        if batch:
            yield {each.into: batch}, {}

    async def _sources(self, each: ForEach) -> AsyncIterator[msgspec.Raw]:
        """Yield the records that have the values."""
        if each.stream is not None:
            parent = self._streams[each.stream]
            puller = Puller(
                self._call,
                parent,
                Window(),
                settings=self._settings,
                date_format=self._date_format,
                streams=self._streams,
            )
            async for page in puller.pages():
                for record in page.records:
                    yield record
        elif each.operation is not None:
            answer = await self._call(each.operation, filled(each.input, self._settings))
            for record in _rows_in(answer, each.records or ""):
                yield record

    async def _list(self, each: StreamList, fields: Mapping[str, Any]) -> AsyncIterator[Page]:
        """Yield the pages of one list."""
        step: Step | None = first_step(each.paging)
        before: tuple[msgspec.Raw | None, str | int | None] = (None, None)
        while step is not None:
            given = input_of(each, self._window, self._settings, {**step.fields, **fields}, self._date_format)
            answer = await self._call(each.operation, given)
            if answer.meaning.kind is MeaningKind.END_OF_LIST:
                return
            raw, rows, found = self._page_in(each, answer)
            if rows and raw == before[0]:
                raise _unreadable(answer, f"page {step.number} repeats the one before it")
            if found.token and found.token == before[1]:
                raise _unreadable(answer, f"page {step.number} leads to itself")
            before = (raw, found.token)
            yield Page(step.number, rows, found.total_pages)
            step = next_step(each.paging, step, found)

    def _page_in(self, each: StreamList, answer: Answer) -> tuple[msgspec.Raw | None, list[msgspec.Raw], Found]:
        """Return the lists as they came, their records, and what the answer tells about the rest."""
        if not answer.body.strip():
            return None, [], Found(0)
        told_path = told_at(each.paging)
        paths = tuple(place.path or "" for place in each.places)
        try:
            values = fields_of(answer.body, (*paths, told_path) if told_path else paths)
            rows = []
            for place, path in zip(each.places, paths, strict=True):
                rows += _added(list_of(wanted(values[path], path)), Prefix(place.add))
            told = value_of(values[told_path]) if told_path else None
            whole = values[paths[0]] if len(paths) == 1 else msgspec.Raw(answer.body)
            return whole, rows, found_on(each.paging, len(rows), told)
        except ValueError as error:
            raise _unreadable(answer, f"{error} in it") from None

    async def _detailed(self, each: StreamList, details: Details, limit: float) -> AsyncIterator[Page]:
        """Yield the full records for the ids that a list gives, in batches that may span its pages."""
        ids: list[Any] = []
        left = limit
        most = details.batch or 1
        async for page in self._listed(each):
            ids += [_value_in(each.operation, record, each.id) for record in page.records]
            # With a limit, what is at hand may be enough before a batch is full.
            while ids and len(ids) >= (size := int(min(most, left))):
                batch, ids = ids[:size], ids[size:]
                full = Page(0, await self._details_of(details, batch))
                left -= len(full.records)
                yield full
                if left <= 0:
                    return
        if ids:
            yield Page(0, await self._details_of(details, ids))

    async def _details_of(self, details: Details, ids: list[Any]) -> list[msgspec.Raw]:
        value = filled(details.input, self._settings)
        set_path(value, details.ids, ids if details.batch is not None else ids[0])
        answer = await self._call(details.operation, value)
        return _rows_in(answer, details.records or "", one=True, keyed=details.keyed)


def _added(records: list[msgspec.Raw], prefix: Prefix) -> list[msgspec.Raw]:
    return [msgspec.Raw(prefix.on(record)) for record in records] if prefix else records


def _rows_in(answer: Answer, path: str, *, one: bool = False, keyed: bool = False) -> list[msgspec.Raw]:
    """Return the records of an answer that is a whole list, a list for each key, or where `one` is set one object."""
    if answer.meaning.kind is MeaningKind.END_OF_LIST or not answer.body.strip():
        return []
    try:
        raw = wanted(fields_of(answer.body, (path,))[path], path)
        if keyed:
            return [row for each in lists_of(raw) for row in each]
        return [raw] if one and bytes(raw).lstrip()[:1] == b"{" else list_of(raw)
    except EnvelopeError as error:
        raise _unreadable(answer, f"{error} in it") from None


def _value_in(operation: str, record: msgspec.Raw, path: str | None) -> Any:
    """Return the id in a listed record."""
    try:
        value = value_of(fields_of(record, (path or "",))[path or ""])
    except EnvelopeError:
        value = None
    if value is None:
        raise AnswerUnreadable(
            f"A record in the answer to {operation} has no {path or 'id'}.",
            next_step="Report it to the connector's author.",
            call=CallFacts(operation),
        )
    return value


def _unreadable(answer: Answer, why: str) -> AnswerUnreadable:
    return AnswerUnreadable(
        f"The answer to {answer.operation.id} is not what the stream expects: {why}.",
        next_step="Report it to the connector's author with the request id.",
        call=CallFacts(answer.operation.id, request_id=answer.request_id, status=answer.status),
    )
