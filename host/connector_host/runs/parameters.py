"""The parameters of a run: checked when it is asked for, and read against the clock when it begins."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_host.connectors import Connector
from connector_host.contract.errors import ConnectorHostError, InputInvalid, Problem, UnknownName
from connector_host.contract.inputs import check_input
from connector_host.contract.moments import moment_of, zone_of
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.record_fields import fields_of_record, unknown_columns
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.contract.stream_models import Stream
from connector_host.engine.plan import window_of
from connector_host.engine.preparation import Mode, is_incremental, limited_by
from connector_host.engine.selection import selection_of

from .run import RunKind

__all__ = [
    "OPERATION_PARAMETERS",
    "STREAM_PARAMETERS",
    "Wanted",
    "check_work",
    "modes_of",
    "wanted_of",
]

_MOMENT = {
    "type": "string",
    "maxLength": 40,
    "pattern": r"^(\d{1,6}\s*[mhdw]|\d{4}-\d{2}-\d{2}([T ][0-9:.]{5,15}(Z|[+-]\d{2}:?\d{2})?)?)$",
    "x-message": "Write 2026-01-31, 2026-01-31T09:30:00Z, or a span back from the run's start such as 7d, 12h or 30m.",
}

STREAM_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "mode": {
            "description": "auto reads what changed since the last run, as incremental or else as changes does; "
            "full reads everything.",
            "type": "string",
            "enum": ["auto", "incremental", "changes", "full"],
            "default": "auto",
        },
        "since": {"description": "From this time on.", **_MOMENT},
        "until": {"description": "Up to this time, included.", **_MOMENT},
        "limit": {"description": "At most this many records.", "type": "integer", "minimum": 1, "maximum": 2**53},
        "filters": {
            "description": "Only some records: values by the names of the stream's filters.",
            "type": "object",
            "maxProperties": 50,
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 500},
        },
        "columns": {
            "description": "Fields to keep, beside those of the primary key.",
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 200},
            "minItems": 1,
            "maxItems": 500,
            "uniqueItems": True,
        },
        "normalise": {"description": "Write dates as RFC 3339 in UTC, and null for no date.", "type": "boolean"},
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
class Wanted:
    """What a stream's run is to read, and how; `mode` is the engine's."""

    mode: Mode
    since: datetime.datetime | None
    until: datetime.datetime | None
    limit: int | None
    filters: Mapping[str, str]
    columns: tuple[str, ...]
    normalise: bool


def check_work(connector: Connector, kind: RunKind, what: str, parameters: Mapping[str, Any]) -> str:
    """Return the exact name of what is to run, if its connector has it and it takes these parameters.

    Raises UnknownName with the nearest name, and InputInvalid with every problem.
    """
    if kind is RunKind.OPERATION:
        _check_schema(kind, OPERATION_PARAMETERS, parameters)
        operation = connector.catalogue.get(what)
        check_input(operation, parameters.get("input") or {}, connector=connector.manifest.name)
        return operation.id
    _check_schema(kind, STREAM_PARAMETERS, parameters)
    streams = {stream.name: stream for stream in connector.manifest.streams}
    if what not in streams:
        raise UnknownName(
            f'{connector.manifest.label} has no stream "{what}".',
            next_step=did_you_mean(what, streams) or f"It has: {', '.join(streams) or 'none'}.",
        )
    if problems := _problems_of(connector, streams[what], streams, parameters):
        raise InputInvalid(f"{what} cannot be pulled like this.", problems=problems)
    return what


def modes_of(stream: Stream, streams: Mapping[str, Stream]) -> tuple[Mode, ...]:
    """Return the modes that a stream can be run with; the first is that of `auto`."""
    return ("incremental", "changes", "full") if is_incremental(stream, streams) else ("changes", "full")


def wanted_of(
    stream: Stream,
    streams: Mapping[str, Stream],
    parameters: Mapping[str, Any],
    *,
    zone: datetime.tzinfo | str,
    now: datetime.datetime,
) -> Wanted:
    """Return what a stream's run that begins now is to read. Raises InputInvalid for a time that is none."""
    zone = zone_of(zone) if isinstance(zone, str) else zone
    since, until = parameters.get("since"), parameters.get("until")
    mode: Mode = parameters.get("mode", "auto")
    return Wanted(
        modes_of(stream, streams)[0] if mode == "auto" else mode,
        moment_of(since, option="parameters.since", zone=zone, now=now) if since else None,
        moment_of(until, option="parameters.until", zone=zone, now=now, end=True) if until else None,
        parameters.get("limit"),
        dict(parameters.get("filters", {})),
        tuple(parameters.get("columns", ())),
        bool(parameters.get("normalise")),
    )


def _check_schema(kind: RunKind, schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    if problems := problems_of(validator_for(schema), dict(parameters), at="parameters"):
        raise InputInvalid(f"The parameters of a {kind.value}'s run are not valid.", problems=problems)


def _problems_of(
    connector: Connector, stream: Stream, streams: Mapping[str, Stream], parameters: Mapping[str, Any]
) -> list[Problem]:
    """Return what this stream cannot do of what its run is asked for."""
    found: list[Problem] = []
    now = datetime.datetime.now(datetime.UTC)
    try:
        wanted = wanted_of(stream, streams, parameters, zone=datetime.UTC, now=now)
        window_of(limited_by(stream, streams), wanted.since, wanted.until, now.timestamp())
    except InputInvalid as error:
        found += [_below(each) for each in error.problems]
    mode = parameters.get("mode", "auto")
    if mode != "auto" and mode not in modes_of(stream, streams):
        sentence = "The vendor cannot list only what changed."
        found.append(Problem("parameters.mode", "mode", sentence, "Choose changes, full or auto."))
    for name, value in parameters.get("filters", {}).items():
        try:
            selection_of(stream, {name: value})
        except InputInvalid as error:
            found += [_below(each) for each in error.problems]
        except ConnectorHostError as error:
            found.append(Problem(f"parameters.filters.{name}", "unknown-filter", error.message, error.next_step))
    known = fields_of_record(connector.folder, stream)
    return [*found, *unknown_columns(parameters.get("columns", ()), known, "parameters.columns")]


def _below(problem: Problem) -> Problem:
    """Return the problem with its place among the parameters."""
    if problem.where.startswith("parameters."):
        return problem
    return Problem(f"parameters.{problem.where}", problem.rule, problem.sentence, problem.fix)
