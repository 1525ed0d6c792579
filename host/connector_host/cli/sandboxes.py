"""The command that runs a connector's stand-in for its vendor until the person has had enough."""

import json
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_host.contract.errors import InputInvalid, Problem

from .collecting import collect_as_at_work
from .connectors import JsonOption
from .output import say, write, write_facts, write_json, write_table
from .state import HostState, state_of

if TYPE_CHECKING:
    from connector_host.connectors import Connector
    from connector_host.contract.sandbox import RunningSandbox

__all__ = ["add_to", "values_for"]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module; options of the connector's own follow it, so it takes any."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("sandbox", context_settings=settings)(run_sandbox)


def run_sandbox(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="CONNECTOR", help="Name of a connector.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0 takes a free one.")] = 0,
    as_json: JsonOption = False,
    show_help: Annotated[
        bool, typer.Option("--help", "-h", help="Show this, and after a connector's name the options of its sandbox.")
    ] = False,
) -> None:
    """Run a connector's local stand-in for its vendor until Ctrl-C.

    Options of the sandbox itself follow the connector's name, as --OPTION VALUE.
    """
    if name is None or show_help:
        typer.echo(context.get_help())
        if name is not None:
            _show_options(state_of(context), name)
        return
    state = state_of(context)
    connector = state.connector(name)
    sandbox = connector.sandbox()
    options = options_from(context.args, sandbox.options_schema)
    running = sandbox.start(options, port=port)
    try:
        _tell(connector, running, as_json=as_json)
        collect_as_at_work()
        _until_stopped()
    finally:
        running.close()
    say("\nThe sandbox has stopped.")


def values_for(connector: "Connector", running: "RunningSandbox", name: str) -> dict[str, Any]:
    """Return the values with which `instance add` sets up an instance of a sandbox."""
    return {
        "name": name,
        "authentication": connector.method().name,
        "settings": dict(running.settings),
        "credentials": dict(running.credentials),
    }


def options_from(arguments: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that `--name value` arguments give, each as its schema's type; lists may be repeated.

    Raises InputInvalid for an unknown option, and for one without a value.
    """
    from connector_host.forms import value_from_text  # noqa: PLC0415 -- heavy

    known: Mapping[str, Any] = schema.get("properties", {})
    definitions = schema.get("$defs", {})
    options: dict[str, Any] = {}
    for key, text in _pairs(arguments, known):
        value = value_from_text(text, known[key], definitions)
        if isinstance(value, list) and isinstance(options.get(key), list):
            value = [*options[key], *value]
        options[key] = value
    return options


def _pairs(arguments: Sequence[str], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        name, equals, text = argument.removeprefix("--").partition("=")
        key = name.replace("-", "_")
        if not argument.startswith("--"):
            raise _wrong(argument, "This belongs to no option.", known)
        if key not in known and key.startswith("no_") and _is_switch(known.get(key[3:])):
            yield key[3:], "false"
        elif key not in known:
            raise _wrong(f"--{name}", "The sandbox has no such option.", known)
        elif equals:
            yield key, text
        elif _is_switch(known[key]) and (not waiting or waiting[0].startswith("--")):
            yield key, "true"
        elif waiting:
            yield key, waiting.pop(0)
        else:
            raise _wrong(f"--{name}", "A value is missing.", known)


def _is_switch(rule: Any) -> bool:
    return isinstance(rule, Mapping) and rule.get("type") == "boolean"


def _wrong(where: str, sentence: str, known: Mapping[str, Any]) -> InputInvalid:
    from connector_host.contract.nearest import did_you_mean  # noqa: PLC0415 -- only when it is needed

    flags = [_flag(key) for key in known]
    fix = did_you_mean(where, flags) or (f"There are: {', '.join(flags)}." if flags else "It has no options.")
    return InputInvalid(
        "The options of the sandbox are not understood.", problems=[Problem(where, "sandbox-option", sentence, fix)]
    )


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _show_options(state: HostState, name: str) -> None:
    schema = state.connector(name).sandbox().options_schema
    rows = [
        (_flag(key), _shown(rule.get("default")), str(rule.get("description", rule.get("title", ""))))
        for key, rule in schema.get("properties", {}).items()
    ]
    write(f"Options of the sandbox of {name}:")
    write_table(("option", "default", "meaning"), rows)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _tell(connector: "Connector", running: "RunningSandbox", *, as_json: bool) -> None:
    values = values_for(connector, running, f"{connector.manifest.label} sandbox")
    if as_json:
        write_json({"address": running.address, "values": values})
        return
    say(f"The sandbox of {connector.manifest.label} listens on {running.address}", colour=typer.colors.GREEN, bold=True)
    write_facts({key: str(value) for key, value in {**running.settings, **running.credentials}.items()})
    say("\nSet up an instance of it from another terminal:", bold=True)
    write(f"connector-host instance add {connector.name} --values - <<'END'\n{json.dumps(values)}\nEND")
    say("\nCtrl-C stops it.")


def _until_stopped() -> None:
    """Wait for Ctrl-C, or for the signal that asks a process to end."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
