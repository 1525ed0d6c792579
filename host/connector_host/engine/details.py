"""The second operation of a stream: full records for ids, and what becomes of ids that give none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec

from connector_host.contract.answers import MeaningKind
from connector_host.contract.errors import AnswerUnreadable, ConnectorHostError, VendorFault, VendorRefused
from connector_host.contract.paths import set_path
from connector_host.contract.stream_models import Details

from .blocks import Dead
from .envelope import EnvelopeError, fields_of, list_of, lists_of, page_of, wanted
from .lists import Caller, unreadable
from .plan import filled
from .shape import Shape

__all__ = ["DetailsReader", "Given"]

_ABOUT_A_RECORD = (VendorRefused, AnswerUnreadable, VendorFault)
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(slots=True)
class Given:
    """What some ids gave: records, ids without a record, and ids that the vendor fails on."""

    records: list[msgspec.Raw] = field(default_factory=list)
    missing: list[Any] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)


class DetailsReader:
    """Asks for records by id. `primary_key` is the field of a record that has its id, None where no single one has."""

    def __init__(self, call: Caller, details: Details, settings: Mapping[str, Any], primary_key: str | None) -> None:
        self._call = call
        self._details = details
        self._settings = settings
        self._shape = Shape((primary_key,)) if primary_key is not None else None

    async def ask(self, ids: Sequence[Any], *, tolerant: bool) -> Given:
        """Return the records of at most a batch of ids.

        Where the vendor refuses a batch, `tolerant` finds out which of its ids are to blame. Raises what `call`
        raises; a refusal that is not about single records is raised as it is.
        """
        try:
            records = await self._records(ids)
        except _ABOUT_A_RECORD as error:
            if len(ids) == 1 and error.call.status in _NOT_THERE:
                return Given(missing=list(ids))
            if not tolerant:
                raise
            return await self._without_culprits(ids, error)
        return Given(records, self._missing(ids, records))

    async def _without_culprits(self, ids: Sequence[Any], error: ConnectorHostError) -> Given:
        """Ask for smaller and smaller parts; what fails alone is dead. If everything fails, it is not the records."""
        if len(ids) == 1:
            return Given(dead=[Dead(error.message, ids=list(ids))])
        middle = len(ids) // 2
        given = Given()
        for part in (ids[:middle], ids[middle:]):
            some = await self.ask(part, tolerant=True)
            given.records += some.records
            given.missing += some.missing
            given.dead += some.dead
        if not given.records and not given.missing:
            raise error
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
        keys = self._shape.keys(records) if self._shape is not None else None
        if keys is None or len(records) >= len(ids):
            return []
        found = {key.lower() for key in keys}
        missing = [each for each in ids if msgspec.json.encode(each).lower() not in found]
        return missing if len(missing) < len(ids) else []
