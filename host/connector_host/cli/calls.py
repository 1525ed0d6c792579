"""The command that calls an operation."""

import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from connector_host.contract.durations import seconds_of
from connector_host.contract.errors import QuotaExhausted

from .inputs import input_of, json_object
from .output import say, write
from .state import HostState, state_of

if TYPE_CHECKING:
    from connector_host.engine import Answer

__all__ = ["add_to"]

_LONG_MINUTES = 180
"""From here on hours are easier to read."""


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("call")(call)


def call(
    context: typer.Context,
    *,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance.")],
    operation_id: Annotated[str, typer.Argument(metavar="OPERATION", help="Id of an operation, in any case.")],
    pairs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Fields of the input, such as pageNumber=1.", show_default=False),
    ] = None,
    given: Annotated[
        str | None, typer.Option("--input", metavar="FILE|-", help="JSON object with the input; - is stdin.")
    ] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Send fields too that the catalogue does not know.")
    ] = False,
    _json: Annotated[bool, typer.Option("--json", help="Write JSON, as without it.")] = False,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS|SPAN",
            help="Give up after so long, waiting for the quota included: 90, 10m or 24h; default: 5m.",
            show_default=False,
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Write the answer's bytes as they came.")] = False,
) -> None:
    """Call any operation, and write its answer as JSON.

    A value is read as the type that the operation wants; a dotted key reaches into objects, a repeated one makes a
    list.
    """
    import anyio  # noqa: PLC0415 -- only where something is awaited

    state = state_of(context)
    total = None if timeout is None else seconds_of(timeout, option="--timeout")

    async def run() -> "Answer":
        async with state.open(instance) as connection:
            operation = connection.connector.catalogue.get(operation_id)
            base = json_object(given, option="--input") if given else {}
            value = input_of(operation, base, pairs or ())
            return await connection.call(operation.id, value, allow_unknown=allow_unknown, total_timeout=total)

    try:
        answer = anyio.run(run)
    except QuotaExhausted as error:
        if error.retry_after is not None:
            error.next_step = (
                f"{error.next_step} To wait for it, add --timeout {_span_for(error.retry_after)}.".lstrip()
            )
        raise
    if raw:
        sys.stdout.buffer.write(answer.body)
        sys.stdout.buffer.flush()
    else:
        write(_pretty(answer.body))
    tries = f", {answer.attempts} attempts" if answer.attempts > 1 else ""
    say(f"{answer.status} in {answer.elapsed:.2f} s, request id {answer.request_id}{tries}.")
    _tell_mismatches(state, answer)


def _span_for(seconds: float) -> str:
    """Return what --timeout takes to outlast a wait, with a minute to spare."""
    minutes = math.ceil(seconds / 60) + 1
    return f"{minutes}m" if minutes < _LONG_MINUTES else f"{math.ceil(minutes / 60)}h"


def _tell_mismatches(state: HostState, answer: "Answer") -> None:
    """Tell in how many places the answer differs from the catalogue, and log where.

    What ends a list is a message; the catalogue describes the list.
    """
    if not (found := answer.mismatches):
        return
    state.log.info("The answer differs from the catalogue: %s", "; ".join(map(str, found)))
    places = "1 place" if len(found) == 1 else f"{len(found)} places"
    say(f"It differs from the catalogue's schema in {places}; --log-level info shows what differs.")


def _pretty(body: bytes) -> str:
    """Return JSON with line breaks, its numbers and order untouched; anything else is the text itself as JSON."""
    import json  # noqa: PLC0415 -- only when it is needed

    import msgspec  # noqa: PLC0415 -- as above

    if not body.strip():
        return "null"
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.dumps(body.decode("utf-8", "replace"), ensure_ascii=False)
