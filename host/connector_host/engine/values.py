"""The values that a list is asked for one by one, or some at a time."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import AnswerUnreadable, CallFacts
from connector_host.contract.stream_models import ForEach

from .answer import Answer
from .envelope import EnvelopeError, fields_of, page_of, value_of
from .lists import Caller, unreadable
from .plan import Window, filled

__all__ = ["Value", "Values"]

_MOST_REMEMBERED = 200_000
"""Values that are looked for among those before them; of more, one that is listed twice may be asked for twice."""

Value = tuple[dict[str, Any], dict[str, Any], Any]
"""Fields of the list's input, fields that its records keep, and the value or values themselves."""

Parents = Callable[[str, Window], AsyncGenerator[Sequence[bytes | msgspec.Raw], None]]


class Values:
    """Lists values. `parents` yields the records of another stream, limited in time where it can be."""

    def __init__(self, call: Caller, settings: Mapping[str, Any], parents: Parents) -> None:
        self._call: Callable[[str, Mapping[str, Any]], Awaitable[Answer]] = call
        self._settings = settings
        self._parents = parents

    async def of(self, each: ForEach, window: Window) -> AsyncGenerator[Value, None]:
        """Yield each value, in the order in which it is listed; one that is listed twice comes once."""
        seen: set[int] = set()
        batch: list[Any] = []
        async with aclosing(self._records(each, window)) as pages:
            async for records in pages:
                for record in records:
                    value = _value_in(each, record)
                    also, kept = _fields(record, each.also), _fields(record, each.keep)
                    mark = hash(msgspec.json.encode((value, also, kept)))
                    if mark in seen:
                        continue
                    if len(seen) < _MOST_REMEMBERED:
                        seen.add(mark)
                    if each.batch is None:
                        yield {each.into: value, **also}, kept, [value, also] if also else value
                        continue
                    batch.append(value)
                    if len(batch) == each.batch:
                        yield {each.into: batch}, {}, batch
                        batch = []
        if batch:
            yield {each.into: batch}, {}, batch

    async def _records(self, each: ForEach, window: Window) -> AsyncGenerator[Sequence[bytes | msgspec.Raw], None]:
        if each.stream is not None:
            async with aclosing(self._parents(each.stream, window)) as pages:
                async for records in pages:
                    yield records
            return
        answer = await self._call(each.operation or "", filled(each.input, self._settings))
        if answer.meaning.kind is MeaningKind.END_OF_LIST or not answer.body.strip():
            return
        try:
            lists, _ = page_of(answer.body, (each.records or "",), ())
        except EnvelopeError as error:
            raise unreadable(answer, f"{error} in it") from None
        yield lists[0]


def _value_in(each: ForEach, record: bytes | msgspec.Raw) -> Any:
    path = each.value or ""
    try:
        value = value_of(fields_of(record, (path,))[path])
    except EnvelopeError:
        value = None
    if value is None:
        raise AnswerUnreadable(
            f"A record of {each.operation or each.stream} has no {path or 'value'}.",
            next_step="Report it to the connector's author.",
            call=CallFacts(each.operation or ""),
        )
    return value


def _fields(record: bytes | msgspec.Raw, paths: Mapping[str, str]) -> dict[str, Any]:
    if not paths:
        return {}
    found = fields_of(record, tuple(paths.values()))
    return {name: value_of(found[path]) for name, path in paths.items()}
