"""What the commands of runs and of schedules share: their arguments, and how values are told."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .inputs import json_object
from .pulls import PullMode, columns_of, filters_of

if TYPE_CHECKING:
    from connector_host.runs import RunKind

__all__ = ["InstanceName", "Mode", "Parameters", "Since", "What", "kind_of", "parameters_of", "plain", "time_of"]

InstanceName = Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance, in any case.")]
What = Annotated[str, typer.Argument(metavar="STREAM|OPERATION", help="Name of a stream, or id of an operation.")]
Mode = Annotated[
    PullMode | None,
    typer.Option(help="auto, the default, reads what changed since the last run; full reads everything."),
]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="From this time on, or a span back such as 7d.")]
Parameters = Annotated[
    str | None,
    typer.Option(metavar="FILE|-", help="JSON object with the same of a stream, or with the input of an operation."),
]


def parameters_of(
    document: str | None, *, mode: PullMode | None, filters: Sequence[str] | None, columns: str | None, **options: Any
) -> dict[str, Any]:
    """Return the parameters of a run: those of a document, and options in their place. Raises InputInvalid."""
    given = json_object(document, option="--parameters") if document else {}
    chosen = mode.value if mode is not None else None
    named = {"mode": chosen, **options, "filters": filters_of(filters or []), "columns": columns_of(columns)}
    return {**given, **{name: value for name, value in named.items() if value}}


def kind_of(what: str) -> "RunKind":
    """Tell operations, whose ids have a dot, from streams."""
    from connector_host.runs import RunKind  # noqa: PLC0415 -- heavy

    return RunKind.OPERATION if "." in what else RunKind.STREAM


def time_of(moment: Any) -> str:
    """Return a time as text, empty when there is none."""
    return "" if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def plain(value: Any) -> dict[str, Any]:
    """Return a record as what JSON has."""
    made: dict[str, Any] = json.loads(json.dumps(asdict(value), default=time_of))
    return made
