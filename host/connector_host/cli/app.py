"""The program: its options, its commands, and what all of them have in common."""

from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .environments import offer_environment
from .exits import MEANINGS
from .failures import reporting_errors
from .state import HostState, state_of

__all__ = ["app"]


class _Commands(TyperGroup):
    """Runs a command, and tells what went wrong; commands about an instance take an environment."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        offer_environment(self)

    def invoke(self, ctx: Any) -> Any:
        state = ctx.ensure_object(HostState)
        state.as_json = "--json" in takewhile(lambda word: word != "--", ctx.args)
        with reporting_errors(state):
            return super().invoke(ctx)


_EXIT_CODES = "Exit codes: " + "; ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items()) + "."

app = typer.Typer(
    name="connector-host",
    cls=_Commands,
    help="Set up connectors, keep their instances, call operations, and pull and push records.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"connector-host {version('connector-host')}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    *,
    home: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with instances and keys; default: CONNECTOR_HOST_HOME or the platform's data folder.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="Development folder of a connector; may be given several times.", show_default=False
        ),
    ] = None,
    log_level: Annotated[
        str, typer.Option(metavar="LEVEL", help="Log on stderr from this level on: debug, info, warning or error.")
    ] = "warning",
    trace_hooks: Annotated[bool, typer.Option("--trace-hooks", help="Log every hook call and its time.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    del show_version
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    if log_level.upper() not in levels:
        raise typer.BadParameter(f"Choose one of {', '.join(levels).lower()}.", param_hint="--log-level")
    state = state_of(context)
    state.home_path, state.folders = home, tuple(folder or ())
    handler = state.log_to_stderr(log_level.upper(), trace_hooks=trace_hooks)
    context.call_on_close(lambda: state.log.removeHandler(handler))


def _register() -> None:
    """Add the commands in the order in which the help lists them."""
    from . import (  # noqa: PLC0415 -- they need `app`'s module
        calls,
        connectors,
        demo,
        environments,
        instance_changes,
        instances,
        keys,
        operations,
        pulls,
        pushes,
        runs,
        sandboxes,
        schedules,
        serve,
    )

    connectors.add_to(app)
    operations.add_to(app)
    instance_changes.add_to(instances.add_to(app))
    calls.add_to(app)
    pulls.add_to(app)
    pushes.add_to(app)
    runs.add_to(app)
    schedules.add_to(app)
    environments.add_to(app)
    keys.add_to(app)
    sandboxes.add_to(app)
    demo.add_to(app)
    serve.add_to(app)


_register()
