"""The second operation of a stream: full records for ids, and what becomes of ids that give none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import (
    ConnectorHostError,
    QuotaExhausted,
    RecordRejected,
    StopError,
    TemporaryError,
    VendorFault,
)
from connector_host.contract.paths import set_path
from connector_host.contract.stream_models import Details

from .envelope import EnvelopeError, fields_of, list_of, lists_of, page_of, wanted
from .lists import Caller, unreadable
from .plan import filled
from .shape import Shape

__all__ = ["DetailsReader", "Given"]

_REFUSALS = (StopError, RecordRejected)
_PASSING = (TemporaryError, QuotaExhausted)
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(slots=True)
class Given:
    """What some ids gave: records, ids without a record, ids that are refused and why, and ids that failed in passing.

    `error` is why some failed, or why nothing came, and `barren` tells the latter: then it is not about single records.
    """

    records: list[msgspec.Raw] = field(default_factory=list)
    missing: list[Any] = field(default_factory=list)
    refused: list[tuple[Any, str]] = field(default_factory=list)
    failed: list[Any] = field(default_factory=list)
    error: ConnectorHostError | None = None
    barren: bool = False


class DetailsReader:
    """Asks for records by id. `primary_key` is the field of a record that has its id, None where no single one has."""

    def __init__(self, call: Caller, details: Details, settings: Mapping[str, Any], primary_key: str | None) -> None:
        self._call = call
        self._details = details
        self._settings = settings
        self._shape = Shape((primary_key,)) if primary_key is not None else None

    async def ask(self, ids: Sequence[Any]) -> Given:
        """Return the records of at most a batch of ids. Raises what `call` raises."""
        try:
            records = await self._records(ids)
        except StopError as error:
            if len(ids) == 1 and error.call.status in _NOT_THERE:
                return Given(missing=list(ids))
            raise
        return Given(records, self._missing(ids, records))

    async def ask_apart(self, ids: Sequence[Any]) -> Given:
        """Return the records of at most a batch of ids; where it fails, find out which of its ids are to blame.

        Smaller and smaller parts are asked for. Raises only errors after which nothing else can be had either.
        """
        given, error = Given(), None
        parts: list[Sequence[Any]] = [ids]
        most, in_a_row = _most_in_a_row(len(ids)), 0
        while parts and in_a_row < most:
            part = parts.pop()
            try:
                some = await self.ask(part)
            except (*_REFUSALS, *_PASSING) as found:
                error = found
                in_a_row += _weight(found, most)
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                elif isinstance(found, _PASSING):
                    given.failed += part
                else:
                    given.refused.append((part[0], found.message))
            else:
                in_a_row = 0
                given.records += some.records
                given.missing += some.missing
        # What was not asked for comes first the next time, lest it waits for ever behind what always fails.
        given.failed = [each for part in reversed(parts) for each in part] + given.failed
        alone = len(ids) == 1 and not given.failed
        given.barren = error is not None and not (given.records or given.missing or alone)
        given.error = error if given.barren or given.failed else None
        return given

    async def _records(self, ids: Sequence[Any]) -> list[msgspec.Raw]:
        value = filled(self._details.input, self._settings)
        set_path(value, self._details.ids, list(ids) if self._details.batch is not None else ids[0])
        path = self._details.records or ""
        look = None if self._details.keyed else partial(page_of, lists=(path,), told=())
        answer = await self._call(self._details.operation, value, look)
        if answer.meaning.kind is MeaningKind.END_OF_LIST or not answer.body.strip():
            return []
        if answer.seen is not None:
            records: list[msgspec.Raw] = answer.seen[0][0]
            return records
        try:
            raw = wanted(fields_of(answer.body, (path,))[path], path)
            if self._details.keyed:
                return [row for each in lists_of(raw) for row in each]
            return [raw] if bytes(raw).lstrip()[:1] == b"{" else list_of(raw)
        except EnvelopeError as error:
            raise unreadable(answer, f"{error} in it") from None

    def _missing(self, ids: Sequence[Any], records: Sequence[msgspec.Raw]) -> list[Any]:
        """Return the ids without a record; where records do not carry their ids, only none at all can be told."""
        if not records:
            return list(ids)
        if self._shape is None or len(records) >= len(ids) or (keys := self._shape.keys(records)) is None:
            return []
        found = {key.lower() for key in keys}
        missing = [each for each in ids if msgspec.json.encode(each).lower() not in found]
        return missing if len(missing) < len(ids) else []


def _most_in_a_row(number: int) -> int:
    """Return how many requests may fail one after another: halving comes down to a single id, and to one beside it."""
    return number.bit_length() + 2


def _weight(error: ConnectorHostError, most: int) -> int:
    """Return how much of the patience an error takes: refusals none, two time-outs in a row or a used quota all."""
    match error:
        case VendorFault():
            return 1
        case TemporaryError():
            return (most + 1) // 2
        case QuotaExhausted():
            return most
        case _:
            return 0
