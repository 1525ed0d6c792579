"""Commands about runs."""

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from .collecting import collect_as_at_work
from .connectors import JsonOption
from .exits import ExitCode
from .output import say, write, write_facts, write_json, write_table
from .pulls import Columns, Filters, Limit, Normalise, Until
from .run_parameters import InstanceName, Mode, Parameters, Since, What, kind_of, parameters_of, plain, time_of
from .state import HostState, state_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connector_host.runs import Run, Runner

__all__ = ["add_to"]

_Result = TypeVar("_Result")
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module, as a group."""
    runs = typer.Typer(no_args_is_help=True, help="Start, list, show, stop and resume runs.")
    runs.command("start")(start)
    runs.command("list")(list_runs)
    runs.command("show")(show)
    runs.command("stop")(stop)
    runs.command("resume")(resume)
    runs.command("state")(show_states)
    runs.command("reset")(reset)
    runs.command("retention")(retention)
    app.add_typer(runs, name="runs")


def start(
    context: typer.Context,
    *,
    name: InstanceName,
    what: What,
    mode: Mode = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    filters: Filters = None,
    columns: Columns = None,
    normalise: Normalise = False,
    parameters: Parameters = None,
) -> None:
    """Begin a run here and wait for its end; Ctrl-C interrupts it, and `runs resume` goes on."""
    given = parameters_of(
        parameters,
        mode=mode,
        since=since,
        until=until,
        limit=limit,
        filters=filters,
        columns=columns,
        normalise=normalise,
    )
    kind = kind_of(what)

    async def work(runner: "Runner") -> "Run":
        run = await runner.start(name, kind, what, given)
        say(f"Run {run.id} has begun.")
        return await runner.wait(run.id)

    _end(_with_runner(state_of(context), work))


def list_runs(
    context: typer.Context,
    *,
    instance: Annotated[str | None, typer.Option(metavar="INSTANCE", help="Only those of this instance.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as failure.")] = None,
    search: Annotated[
        str,
        typer.Option(
            help="Only those with each of these words in the stream, operation or instance.", show_default=False
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List runs, the newest first."""
    from connector_host.runs import RunState, RunStore  # noqa: PLC0415 -- heavy

    if state is not None and state not in [each.value for each in RunState]:
        raise typer.BadParameter(f"Choose one of {', '.join(each.value for each in RunState)}.", param_hint="--state")
    with state_of(context).store() as store:
        instance_id = store.get(instance).id if instance else None
        wanted = RunState(state) if state else None
        found = RunStore(store.database).list(instance_id=instance_id, state=wanted, search=search, limit=limit)
    if as_json:
        write_json([plain(each) for each in found])
        return
    rows = [
        (
            each.id,
            each.instance,
            each.what,
            each.state.value,
            time_of(each.started_at),
            str(each.counts.get("written", "")),
            each.message,
        )
        for each in found
    ]
    write_table(("run", "instance", "what", "state", "started", "written", "message"), rows)


def show(context: typer.Context, run_id: RunId, as_json: JsonOption = False) -> None:
    """Show a run with what it reads, its counts, files and log."""
    from connector_host.runs import (  # noqa: PLC0415 -- heavy
        EventKind,
        RunStore,
        parameters_in_words,
        reach_in_words,
    )

    state = state_of(context)
    with state.store() as store:
        runs = RunStore(store.database)
        run = runs.get(run_id)
        log = runs.events(run_id, kinds=(EventKind.LOG, EventKind.STATE))
    if as_json:
        write_json({**plain(run), "log": [plain(each) for each in log]})
        return
    write_facts(
        {
            "run": run.id,
            "instance": run.instance,
            run.kind.value: run.what,
            "state": f"{run.state.value} {run.message}".rstrip(),
            "next step": run.next_step,
            "request id": run.request_id,
            "started": f"{time_of(run.started_at)} by {run.started_by.value}",
            "finished": time_of(run.finished_at),
            "parameters": "\n".join(f"{each}: {value}" for each, value in parameters_in_words(run.parameters)),
            "reads": "\n".join(reach_in_words(run, str.format, time_of, "run {}".format)),
            "counts": ", ".join(f"{name} {value:,}" for name, value in run.counts.items()),
            "files": "\n".join(str(state.home().runs / run.id / file.name) for file in run.files),
        }
    )
    for event in log:
        told = event.data.get("message") or event.data.get("state")
        write(f"{time_of(event.at)}  {told} {event.data.get('request_id') or ''}".rstrip())


def stop(context: typer.Context, run_id: RunId) -> None:
    """Ask a run to stop, whichever process works on it."""
    from connector_host.runs import RunStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        run = RunStore(store.database).request_stop(run_id)
    say("It stops within seconds." if run.stop_requested else f"It has ended already: {run.state.value}.")


def resume(context: typer.Context, run_id: RunId) -> None:
    """Go on with a run that ended early, here, and wait for its end."""

    async def work(runner: "Runner") -> "Run":
        run = await runner.resume(run_id)
        return await runner.wait(run.id)

    _end(_with_runner(state_of(context), work))


def show_states(context: typer.Context, name: InstanceName, as_json: JsonOption = False) -> None:
    """Show how far the incremental runs of an instance's streams have come."""
    from connector_host.runs import RunStore, StreamStates, parameters_in_words  # noqa: PLC0415 -- heavy

    state = state_of(context)
    with state.store() as store:
        home = state.home()
        found = StreamStates(home.states, home.runs, RunStore(store.database)).list(store.get(name).id)
    if as_json:
        write_json([plain(each) for each in found])
        return
    rows = [
        (
            each.stream,
            each.mode,
            time_of(each.until),
            each.run_id,
            "; ".join(f"{key}: {value}" for key, value in parameters_in_words(each.parameters)),
        )
        for each in found
    ]
    write_table(("stream", "mode", "read up to", "last run", "parameters"), rows)


def reset(
    context: typer.Context,
    name: InstanceName,
    stream: Annotated[str, typer.Argument(metavar="STREAM", help="Name of a stream.")],
) -> None:
    """Let the next run of a stream read everything; past runs and their files stay."""

    async def work(runner: "Runner") -> int:
        return await runner.reset(name, stream)

    forgotten = _with_runner(state_of(context), work)
    say(f"The next run of {stream} reads everything." if forgotten else f"No run of {stream} has left a state.")


def retention(
    context: typer.Context,
    log_days: Annotated[int | None, typer.Option(min=1, help="Days that logs and files are kept.")] = None,
    sample_hours: Annotated[int | None, typer.Option(min=0, help="Hours that samples of records are kept.")] = None,
) -> None:
    """Show or set how long logs, files and samples of runs are kept."""
    from connector_host.runs import RetentionStore  # noqa: PLC0415 -- heavy

    state = state_of(context)
    changes = {"log_days": log_days, "sample_hours": sample_hours}
    with state.store() as store:
        kept = RetentionStore(store.database, state.home()).set(
            {key: value for key, value in changes.items() if value is not None}
        )
    write_facts({"logs and files": f"{kept.log_days} days", "samples": f"{kept.sample_hours} hours"})


def _with_runner(state: HostState, work: "Callable[[Runner], Awaitable[_Result]]") -> "_Result":
    import anyio  # noqa: PLC0415 -- only where something is awaited

    from connector_host.runs import Runner  # noqa: PLC0415 -- heavy

    async def run() -> "_Result":
        async with Runner(state.home(), state.folders) as runner:
            collect_as_at_work()
            return await work(runner)

    return anyio.run(run)


def _end(run: "Run") -> None:
    """Tell how a run ended, and leave with the code that says so."""
    from connector_host.runs import RunState  # noqa: PLC0415 -- heavy

    write(run.id)
    say(f"{run.state.value}: {run.counts.get('written', 0):,} written. {run.message} {run.next_step}".rstrip())
    if run.state is RunState.FAILURE:
        raise typer.Exit(ExitCode.VENDOR)
    if run.state is not RunState.SUCCESS:
        raise typer.Exit(ExitCode.PARTIAL)
