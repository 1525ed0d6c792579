"""The program: its options, its commands, and what all of them have in common."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from .environment_option import offer_environment
from .exits import MEANINGS
from .failures import reporting_errors
from .state import HostState, state_of

__all__ = ["app"]


_MODULES = {
    "connectors": "connectors",
    "connector": "connectors",
    "form": "connectors",
    "check": "connectors",
    "operations": "operations",
    "operation": "operations",
    "scope": "operations",
    "call": "calls",
    "pull": "pulls",
    "push": "pushes",
    "sandbox": "sandboxes",
    "demo": "demo",
    "serve": "serve",
    "instance": "instances",
    "runs": "runs",
    "schedule": "schedules",
    "environment": "environments",
    "keys": "keys",
    "token": "keys",
}
"""The module of each command, in the order in which the help lists them."""


class _Commands(Mapping[str, Any]):
    """The commands by name; a module is imported when one of its commands is wanted."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            made = typer.Typer()
            import_module(f".{_MODULES[name]}", __package__).add_to(made)
            commands = typer.main.get_group(made).commands
            for command in commands.values():
                offer_environment(command)
            self._made |= commands
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


class _Program(TyperGroup):
    """Runs a command, and tells what went wrong."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.commands = cast("Any", _Commands())

    def invoke(self, ctx: Any) -> Any:
        state = ctx.ensure_object(HostState)
        state.as_json = "--json" in takewhile(lambda word: word != "--", ctx.args)
        with reporting_errors(state):
            return super().invoke(ctx)


_EXIT_CODES = "Exit codes: " + "; ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items()) + "."

app = typer.Typer(
    name="connector-host",
    cls=_Program,
    help="Set up connectors, keep their instances, call operations, and pull and push records.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 -- heavy

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
