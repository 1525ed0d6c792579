"""The command that shows the main job from end to end, against a connector's own sandbox and without an account."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_host.contract.errors import ConnectorHostError, UnknownName

from .connectors import entry_of
from .failures import interrupted
from .instances import outcome_of, save
from .output import say
from .progress import ProgressKind, progress_of
from .pulling import Order, Pull
from .sandboxes import values_for
from .state import HostState, state_of

if TYPE_CHECKING:
    from rich.console import Console

    from connector_host.connectors import Connector
    from connector_host.contract.catalogue import Operation
    from connector_host.contract.sandbox import RunningSandbox, Sandbox
    from connector_host.contract.stream_models import Stream
    from connector_host.engine import Answer, Connection

__all__ = ["add_to"]

_INSTANCE = "demo shop"
_FIELDS_OF_RECORD = 12
_LINES_OF_ANSWER = 18
_MOST_STREAMS = 3


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[CONNECTOR]", help="Default: the first one that has a sandbox.")
    ] = None,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pulled files.")] = Path("demo-data"),
) -> None:
    """Show the main job against a connector's sandbox: add an instance, test it, pull streams, call an operation.

    Instances and keys of your own are not touched: the demo keeps its own in a folder that is removed afterwards.
    """
    from rich.console import Console  # noqa: PLC0415 -- only where a terminal shows it

    outer = state_of(context)
    with tempfile.TemporaryDirectory(prefix="connector-host-demo-") as home:
        state = HostState(home_path=Path(home), folders=outer.folders, redactor=outer.redactor)
        show = _Show(Console(width=None if Console().is_terminal else 110, highlight=False))
        _list(show, state)
        connector, sandbox = _choose(state, name)
        with _running(show, connector, sandbox) as running:
            _set_up(show, state, connector, running)
            _pull_and_call(show, state, connector, to)
        show.summary(connector)


@dataclass
class _Show:
    """Writes each step under the command that a person would type for it, and remembers what came of it."""

    console: "Console"
    steps: list[tuple[str, str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str, command: str) -> Iterator[list[str]]:
        """Show one step; what the block puts into the list goes into the summary."""
        from rich.text import Text  # noqa: PLC0415 -- only where a terminal shows it

        self.console.print()
        self.console.rule(Text(f" {len(self.steps) + 1}  {title} ", style="bold"), align="left", style="dim")
        self.console.print(Text(f"$ {command}", style="cyan"))
        outcome: list[str] = []
        started = time.perf_counter()
        yield outcome
        self.steps.append((command, "; ".join(outcome), time.perf_counter() - started))

    def json(self, value: Any, lines: int) -> None:
        """Show the beginning of a JSON value, coloured."""
        from rich.syntax import Syntax  # noqa: PLC0415 -- only where a terminal shows it

        text = json.dumps(value, indent=2, ensure_ascii=False).splitlines()
        self.console.print(Syntax("\n".join(text[:lines]), "json", theme="ansi_dark", word_wrap=True))
        if len(text) > lines:
            self.console.print(f"  ... {len(text) - lines} more lines", style="dim")

    def record(self, record: Any, fields: int) -> None:
        """Show a record's plain fields, those with a value first, and how much there is in the others."""
        if not isinstance(record, dict):
            self.json(record, fields)
            return
        from rich.text import Text  # noqa: PLC0415 -- only where a terminal shows it

        plain = {key: value for key, value in record.items() if not isinstance(value, dict | list | None)}
        nested = {key: value for key, value in record.items() if isinstance(value, dict | list) and value}
        width = max(map(len, record), default=0)
        shown = sorted(plain, key=lambda key: plain[key] in ("", 0, False))[:fields]
        for key in [*shown, *nested]:
            words, style = _words_of(record[key])
            line = Text(f"  {key.ljust(width)}  ").append(words, style=style)
            self.console.print(line, no_wrap=True, overflow="ellipsis")

    def summary(self, connector: "Connector") -> None:
        """Show what was done, and what comes next."""
        from rich import box  # noqa: PLC0415 -- only where a terminal shows it
        from rich.table import Table  # noqa: PLC0415 -- as above
        from rich.text import Text  # noqa: PLC0415 -- as above

        table = Table(box=box.SIMPLE_HEAD, title="What was done", title_justify="left", title_style="bold")
        table.add_column("command", style="cyan", overflow="fold")
        table.add_column("outcome", overflow="fold")
        table.add_column("seconds", justify="right")
        for command, outcome, seconds in self.steps:
            table.add_row(Text(command), Text(outcome), f"{seconds:.1f}")
        self.console.print()
        self.console.print(table)
        self.console.print("With an account of your own:", style="bold")
        self.console.print(Text(f"$ connector-host instance add {connector.name}", style="cyan"))


def _words_of(value: Any) -> tuple[str, str]:
    """Return how a field's value is shown in one line, and in which style."""
    if isinstance(value, dict | list):
        what = "fields" if isinstance(value, dict) else "entry" if len(value) == 1 else "entries"
        return f"{len(value)} {what}", "dim"
    return json.dumps(value, ensure_ascii=False), "green"


def _list(show: _Show, state: HostState) -> None:
    from rich import box  # noqa: PLC0415 -- only where a terminal shows it
    from rich.table import Table  # noqa: PLC0415 -- as above

    with show.step("The connectors that are installed here", "connector-host connectors") as outcome:
        entries = [entry_of(found, found.problem) for found in state.find()]
        table = Table(box=box.SIMPLE_HEAD)
        for column in ("name", "label", "version", "package", "status"):
            table.add_column(column)
        for entry in entries:
            style = "green" if entry["status"] == "ok" else "red"
            cells = (entry["name"], entry["label"], entry["version_name"], entry["package"])
            table.add_row(*cells, f"[{style}]{entry['status']}[/]")
        show.console.print(table)
        outcome.append(f"{len(entries)} found")


def _choose(state: HostState, name: str | None) -> "tuple[Connector, Sandbox]":
    """Return the connector of that name, or the first one that works and has a sandbox, with its sandbox."""
    if name is not None:
        connector = state.connector(name)
        return connector, connector.sandbox()
    for found in state.find():
        try:
            connector = state.connector(found.name)
            return connector, connector.sandbox()
        except ConnectorHostError as problem:
            say(f"{found.name} is passed over: {problem.message}")
    raise UnknownName("No installed connector has a sandbox.", next_step="Install one, or name its folder: --folder.")


@contextmanager
def _running(show: _Show, connector: "Connector", sandbox: "Sandbox") -> "Iterator[RunningSandbox]":
    with show.step("A stand-in for the vendor on this machine", f"connector-host sandbox {connector.name}") as outcome:
        running = sandbox.start({})
        show.console.print(f"{connector.manifest.label} is played by {running.address}")
        outcome.append(f"listening on {running.address}")
    try:
        yield running
    finally:
        running.close()


def _set_up(show: _Show, state: HostState, connector: "Connector", running: "RunningSandbox") -> None:
    import anyio  # noqa: PLC0415 -- only where something is awaited

    from connector_host.set_up import retest_instance  # noqa: PLC0415 -- heavy

    command = f"connector-host instance add {connector.name}"
    with show.step("An instance: checked, tested by a real sign-in, saved encrypted", command) as outcome:
        values = values_for(connector, running, _INSTANCE)
        labels = {each.key: each.label for each in connector.method().credentials}
        hidden = connector.method().secret_keys
        for key, value in values["credentials"].items():
            show.console.print(f"  {labels.get(key, key)}: {'•' * 8 if key in hidden else value}", markup=False)
        set_up = save(state, connector, values)
        outcome.append(outcome_of(set_up))
        show.console.print(f'Added "{set_up.instance.name}". {outcome[-1]}', style="green", markup=False)
    with show.step(
        "The same test again, as often as you like", f'connector-host instance test "{_INSTANCE}"'
    ) as outcome:
        tested = anyio.run(retest_instance, state.home(), _INSTANCE, state.folders)
        outcome.append(outcome_of(tested))
        for check in tested.checks:
            show.console.print(f"  {check.area}: {check.outcome.value}. {check.message}", markup=False)
        show.console.print(outcome[-1], style="green", markup=False)


def _pull_and_call(show: _Show, state: HostState, connector: "Connector", to: Path) -> None:
    import anyio  # noqa: PLC0415 -- only where something is awaited

    streams = _streams_to_pull(connector)
    to.mkdir(parents=True, exist_ok=True)
    # The shop is a new one each time, so what an earlier demo has left there must not count.
    work = Pull(Order(to, mode="full"), connector, progress_of(ProgressKind.AUTO))

    async def pull() -> "Connection":
        async with state.open(_INSTANCE) as connection:
            await work.run(connection, streams)
            return connection

    names = " ".join(stream.name for stream in streams)
    with show.step(
        "Records, page by page into files", f'connector-host pull "{_INSTANCE}" {names} --to {to} --mode full'
    ) as outcome:
        stats = anyio.run(pull).stats
        if work.stopped:
            interrupted()
        if work.error is not None:
            raise work.error
        outcome.append(", ".join(f"{each.written:,} {each.stream}" for each in work.done))
        outcome.append(f"{stats.requests} requests")
    first = next((each for each in work.done if each.written), None)
    if first is not None:
        with show.step(f"The first of {first.written:,} {first.stream}", f"head -1 {first.place}") as outcome:
            with Path(first.place).open(encoding="utf-8") as file:
                record = json.loads(next(file))
            show.record(record, _FIELDS_OF_RECORD)
            outcome.append(f"a record of {len(record)} fields" if isinstance(record, dict) else "a record")
    operation = _operation_to_call(connector)
    if operation is not None:
        _call(show, state, connector, operation)


def _call(show: _Show, state: HostState, connector: "Connector", operation: "Operation") -> None:
    import anyio  # noqa: PLC0415 -- only where something is awaited

    async def call() -> "Answer":
        async with state.open(_INSTANCE) as connection:
            return await connection.call(operation.id)

    title = f"Any of the {len(connector.catalogue)} operations by name"
    with show.step(title, f'connector-host call "{_INSTANCE}" {operation.id}') as outcome:
        answer = anyio.run(call)
        show.json(answer.data, _LINES_OF_ANSWER)
        outcome.append(f"{operation.method.value} {operation.path} answered {answer.status}")


def _streams_to_pull(connector: "Connector") -> "list[Stream]":
    """Return the first stream of each of the first entity types: those that a connector is used for most."""
    by_entity: dict[str, Stream] = {}
    for stream in connector.manifest.streams:
        by_entity.setdefault(stream.entity_type, stream)
    return list(by_entity.values())[:_MOST_STREAMS]


def _operation_to_call(connector: "Connector") -> "Operation | None":
    """Return an operation that reads and needs no input: of those that an access check names, or else any."""
    known = [connector.catalogue.get(check.operation) for check in connector.manifest.checks if not check.input]
    areas = {check.operation.partition(".")[0] for check in connector.manifest.checks}
    known += sorted(connector.catalogue, key=lambda each: (each.area not in areas, each.deprecated, each.id))
    return next((each for each in known if each.kind == "read" and not each.input_schema.get("required")), None)
