"""The command that pushes records by an action."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .collecting import collect_as_at_work
from .connectors import JsonOption
from .progress import ProgressKind, progress_of
from .pushing import Pushing, print_line
from .record_files import records_in
from .state import state_of

if TYPE_CHECKING:
    from connector_host.engine import PushReport

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("push")(push)


def push(
    context: typer.Context,
    *,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance.")],
    action: Annotated[str, typer.Argument(metavar="ACTION", help="An action of its connector.")],
    source: Annotated[
        str, typer.Option("--from", metavar="FILE|-", help="Records as JSON Lines or as a JSON list; - is stdin.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every record, and send nothing.")] = False,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that takes each record's result as it happens.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on behind the last record in the results file, if it is there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Push records to the vendor, one after another, and tell what became of each.

    A record that is refused stops no other. Nothing is sent twice by itself; where a record may have been written,
    its outcome is unknown. Ctrl-C stops after the record under way.
    """
    import anyio  # noqa: PLC0415 -- only where something is awaited

    if resume and results is None:
        raise typer.BadParameter("Name the results file to go on with, with --results.", param_hint="--resume")
    if dry_run and results is not None:
        raise typer.BadParameter("A dry run has no results to keep.", param_hint="--results")
    state = state_of(context)
    with records_in(source, option="--from") as records:
        work = Pushing(
            action,
            records,
            progress_of(ProgressKind.NONE if as_json else ProgressKind.AUTO),
            dry_run=dry_run,
            results=results,
            resume=resume,
            write=print_line if as_json else None,
        )

        async def run() -> "PushReport":
            async with state.open(instance) as connection:
                collect_as_at_work()
                return await work.run(connection)

        report = anyio.run(run)
    work.leave(report, state)
