"""The answer to one call."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.catalogue import Operation
from connector_host.contract.errors import Problem
from connector_host.contract.schemas import problems_of, validator_for

from .stats import ConnectionStats

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["Answer", "is_json"]

_any_json = msgspec.json.Decoder(msgspec.Raw)


@lru_cache(maxsize=1024)
def _validator(operation: Operation) -> "Draft202012Validator | None":
    return None if operation.response_schema is None else validator_for(operation.response_schema)


def is_json(body: bytes) -> bool:
    """Tell whether the bytes are one JSON value, without decoding it."""
    try:
        _any_json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


@dataclass(frozen=True)
class Answer:
    """What the vendor answered to a call: `body` as bytes, `data` decoded when it is first asked for.

    `headers` are lower case, `attempts` counts the requests that were needed, `elapsed` is in seconds.
    `meaning` is success, or the end of a list.
    """

    operation: Operation = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str
    attempts: int
    elapsed: float
    meaning: Meaning
    _stats: ConnectionStats | None = field(default=None, repr=False)
    seen: Any = field(default=None, repr=False)
    """What the caller had looked for in the body; None where it could not be found."""

    @cached_property
    def data(self) -> Any:
        """The decoded body: None when it is empty, the text itself where no JSON was promised and none came."""
        if not self.body.strip():
            return None
        for body in (self.body, self.body.decode("utf-8", "replace")):
            # A text in another encoding than UTF-8 spoils only itself, not the whole answer.
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return msgspec.json.decode(body)
        return self.body.decode("utf-8", "replace")

    @cached_property
    def mismatches(self) -> list[Problem]:
        """Where the answer differs from the catalogue's schema; never a reason to fail, and counted in the statistics.

        Unknown fields are none; unknown values of an enumeration are. The answer that ends a list has another form.
        """
        if self.meaning.kind is MeaningKind.END_OF_LIST:
            return []
        validator = _validator(self.operation)
        found = [] if validator is None or self.data is None else problems_of(validator, self.data, forgive_null=True)
        if self._stats is not None and found:
            self._stats.mismatches[self.operation.id] += len(found)
        return found
