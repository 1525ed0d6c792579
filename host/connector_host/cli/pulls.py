"""The command that pulls streams into files."""

import datetime
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector_host.contract.errors import ConfigurationError, InputInvalid, Problem, UnknownName
from connector_host.contract.moments import moment_of, zone_of

from .exits import ExitCode
from .failures import tell_error
from .output import say, write_json
from .plans import facts_of_plan, write_plan
from .progress import ProgressKind, progress_of
from .pulling import Order, Pull, facts_of_pull
from .state import HostState, state_of

if TYPE_CHECKING:
    from connector_host.contract.manifest import Manifest
    from connector_host.contract.stream_models import Stream

__all__ = [
    "Columns",
    "Filters",
    "Limit",
    "Normalise",
    "PullMode",
    "Until",
    "add_to",
    "columns_of",
    "filters_of",
    "streams_of",
]

_STDOUT = Path("-")


Until = Annotated[str | None, typer.Option(metavar="TIME", help="Up to this time, included.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most this many records of each stream.")]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="NAME=VALUE", help="Only some records; may be given several times."),
]
Columns = Annotated[
    str | None, typer.Option(metavar="FIELD,...", help="Fields to keep, beside those of the primary key.")
]
Normalise = Annotated[bool, typer.Option("--normalise", help="Write dates as RFC 3339 in UTC, and null for no date.")]


class PullMode(StrEnum):
    """The ways to pull."""

    AUTO = "auto"
    FULL = "full"
    INCREMENTAL = "incremental"
    CHANGES = "changes"


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("pull")(pull)


def pull(
    context: typer.Context,
    *,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance.")],
    names: Annotated[list[str], typer.Argument(metavar="STREAM...", help="Streams of its connector.")],
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the files, made when missing; - is standard output.")
    ],
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From this time on: 2026-01-31, or a span back such as 7d or 12h."),
    ] = None,
    until: Until = None,
    limit: Limit = None,
    mode: Annotated[
        PullMode,
        typer.Option(help="auto reads what changed since the last time; full replaces what is there."),
    ] = PullMode.AUTO,
    filters: Filters = None,
    columns: Columns = None,
    normalise: Normalise = False,
    dedupe: Annotated[
        bool,
        typer.Option("--dedupe", help="Let no record come twice on standard output either; in a folder none does."),
    ] = False,
    file_format: Annotated[str, typer.Option("--format", help="jsonl, jsonl.gz, jsonl.zst or parquet.")] = "jsonl",
    plan: Annotated[bool, typer.Option("--plan", help="Tell requests, quota and time, and pull nothing.")] = False,
    progress: Annotated[
        ProgressKind, typer.Option(help="auto shows bars on a terminal; json writes a line for each event.")
    ] = ProgressKind.AUTO,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the report of every stream at the end as JSON, for programs.")
    ] = False,
) -> None:
    """Pull streams into files, and the next time what has changed since.

    Dates are in the instance's time zone. Ctrl-C stops where everything is safe; the same command goes on from there.
    """
    import anyio  # noqa: PLC0415 -- only where something is awaited

    if as_json and to == _STDOUT:
        raise _both_on_stdout()
    state = state_of(context)
    with state.store() as store:
        saved = store.get(instance)
    connector = state.connector(saved.connector)
    zone, now = zone_of(str(saved.settings.get("time_zone", "UTC"))), datetime.datetime.now(datetime.UTC)
    order = Order(
        folder=None if to == _STDOUT else to,
        file_format=file_format,
        mode=mode.value,
        since=moment_of(since, option="--since", zone=zone, now=now) if since else None,
        until=moment_of(until, option="--until", zone=zone, now=now, end=True) if until else None,
        limit=limit,
        filters=filters_of(filters or []),
        columns=columns_of(columns),
        normalise=normalise,
        dedupe=dedupe,
    )
    streams = streams_of(connector.manifest, names)
    order.check(streams, connector)
    work = Pull(order, connector, progress_of(progress, results_on_stdout=order.folder is None or as_json))

    async def run() -> None:
        async with state.open(instance) as connection:
            if plan:
                estimates = await work.plan(connection, streams)
                write_json(facts_of_plan(estimates)) if as_json else write_plan(estimates)
                return
            if order.folder is not None:
                _make(order.folder)
            await work.run(connection, streams)

    anyio.run(run)
    if plan:
        return
    if as_json:
        write_json(facts_of_pull(work, hide=state.redactor))
    _leave(work, state, as_json=as_json)


def streams_of(manifest: "Manifest", names: Sequence[str]) -> "list[Stream]":
    """Return the streams of these names, once each. Raises UnknownName."""
    from connector_host.contract.nearest import did_you_mean  # noqa: PLC0415 -- only when it is needed

    known = {stream.name: stream for stream in manifest.streams}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"{manifest.label} has: {', '.join(known) or 'none'}."
            raise UnknownName(f'There is no stream "{name}".', next_step=hint)
    return [known[name] for name in dict.fromkeys(names)]


def _leave(work: Pull, state: HostState, *, as_json: bool) -> None:
    """Tell how it ended, and leave with the code that says so; the report for programs has the sentences already."""
    for report in work.done if not as_json else ():
        for sentence in (*report.failures, *report.warnings):
            say(state.redactor(f"{report.stream}: {sentence}"), colour=typer.colors.YELLOW)
    error = work.error
    if error is not None and not any(each.written or each.counts.removed for each in work.done):
        raise error
    if error is not None:
        tell_error(error, state)
    if work.stopped and not as_json:
        say("Interrupted. What is written is safe; the same command goes on from there.", colour=typer.colors.YELLOW)
    if work.stopped or any(each.state.value != "success" for each in work.done):
        raise typer.Exit(ExitCode.PARTIAL)


def filters_of(given: Sequence[str]) -> dict[str, str]:
    """Return the filters of options NAME=VALUE. Raises InputInvalid."""
    filters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            problem = Problem("--filter", "filter", f'"{text}" is no filter.', "Write NAME=VALUE.")
            raise InputInvalid("This cannot be pulled.", problems=[problem])
        filters[name.strip()] = value
    return filters


def columns_of(given: str | None) -> list[str]:
    """Return the names of an option FIELD,...; none where it was not given."""
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def _both_on_stdout() -> InputInvalid:
    problem = Problem(
        "--json",
        "one-output",
        "Standard output takes the records, and the report too.",
        "Name a folder with --to, or leave out --json.",
    )
    return InputInvalid("This cannot be pulled.", problems=[problem])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written: {error.strerror}.",
            next_step="Name a folder that you may write to, with --to.",
        ) from error
