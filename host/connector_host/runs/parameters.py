"""The parameters of a run: checked when it is asked for, and read against the clock when it begins."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_host.connectors import Connector
from connector_host.contract.errors import InputInvalid, UnknownName
from connector_host.contract.inputs import check_input
from connector_host.contract.moments import moment_of, zone_of
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.schemas import problems_of, validator_for

from .run import RunKind

__all__ = ["OPERATION_PARAMETERS", "STREAM_PARAMETERS", "Window", "check_work", "window_of_parameters"]

_MOMENT = {
    "type": "string",
    "maxLength": 40,
    "pattern": r"^(\d{1,6}\s*[mhdw]|\d{4}-\d{2}-\d{2}([T ][0-9:.]{5,15}(Z|[+-]\d{2}:?\d{2})?)?)$",
    "x-message": "Write 2026-01-31, 2026-01-31T09:30:00Z, or a span back from the run's start such as 7d, 12h or 30m.",
}

STREAM_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "since": {"description": "From this time on.", **_MOMENT},
        "until": {"description": "Up to this time, included.", **_MOMENT},
        "limit": {"description": "At most this many records.", "type": "integer", "minimum": 1, "maximum": 2**53},
    },
    "additionalProperties": False,
}
"""JSON Schema of a stream's run. A time without an offset is in the instance's zone."""

OPERATION_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"input": {"description": "The operation's input.", "type": "object"}},
    "additionalProperties": False,
}
"""JSON Schema of an operation's run; `input` is checked by the operation's own schema."""


@dataclass(frozen=True, slots=True)
class Window:
    """What a stream's run is limited to."""

    since: datetime.datetime | None
    until: datetime.datetime | None
    limit: int | None


def check_work(connector: Connector, kind: RunKind, what: str, parameters: Mapping[str, Any]) -> str:
    """Return the exact name of what is to run, if its connector has it and it takes these parameters.

    Raises UnknownName with the nearest name, and InputInvalid with every problem.
    """
    schema = STREAM_PARAMETERS if kind is RunKind.STREAM else OPERATION_PARAMETERS
    if problems := problems_of(validator_for(schema), dict(parameters), at="parameters"):
        raise InputInvalid(f"The parameters of a {kind.value}'s run are not valid.", problems=problems)
    if kind is RunKind.OPERATION:
        operation = connector.catalogue.get(what)
        check_input(operation, parameters.get("input") or {})
        return operation.id
    names = [stream.name for stream in connector.manifest.streams]
    if what not in names:
        raise UnknownName(
            f'{connector.manifest.label} has no stream "{what}".',
            next_step=did_you_mean(what, names) or f"It has: {', '.join(names) or 'none'}.",
        )
    zone, now = datetime.UTC, datetime.datetime.now(datetime.UTC)
    window_of_parameters(parameters, zone, now)
    return what


def window_of_parameters(parameters: Mapping[str, Any], zone: datetime.tzinfo | str, now: datetime.datetime) -> Window:
    """Return the limits of a stream's run that begins now. Raises InputInvalid for a time that is none."""
    zone = zone_of(zone) if isinstance(zone, str) else zone
    since, until = parameters.get("since"), parameters.get("until")
    return Window(
        moment_of(since, option="parameters.since", zone=zone, now=now) if since else None,
        moment_of(until, option="parameters.until", zone=zone, now=now, end=True) if until else None,
        parameters.get("limit"),
    )
