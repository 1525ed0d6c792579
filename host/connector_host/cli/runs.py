"""Commands about runs and schedules."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .connectors import JsonOption
from .exits import ExitCode
from .inputs import json_object
from .output import say, write, write_facts, write_json, write_table
from .state import HostState, state_of

if TYPE_CHECKING:
    from connector_host.runs import Run, Runner, Schedule

__all__ = ["add_to"]

RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run.")]
InstanceName = Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance, in any case.")]
What = Annotated[str, typer.Argument(metavar="STREAM|OPERATION", help="Name of a stream, or id of an operation.")]
Parameters = Annotated[
    str | None, typer.Option(metavar="FILE|-", help="JSON object: since, until and limit of a stream, or input.")
]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="From this time on, or a span back such as 7d.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module, as two groups."""
    runs = typer.Typer(no_args_is_help=True, help="Start, list, show, stop and resume runs.")
    runs.command("start")(start)
    runs.command("list")(list_runs)
    runs.command("show")(show)
    runs.command("stop")(stop)
    runs.command("resume")(resume)
    runs.command("retention")(retention)
    app.add_typer(runs, name="runs")
    schedules = typer.Typer(no_args_is_help=True, help="Plan runs; `serve` begins them.")
    schedules.command("add")(add_schedule)
    schedules.command("list")(list_schedules)
    schedules.command("remove")(remove_schedule)
    app.add_typer(schedules, name="schedule")


def start(
    context: typer.Context, name: InstanceName, what: What, since: Since = None, parameters: Parameters = None
) -> None:
    """Begin a run here and wait for its end; Ctrl-C interrupts it, and `runs resume` goes on."""
    given = _parameters(since, parameters)
    kind = _kind(what)

    async def work(runner: "Runner") -> "Run":
        run = await runner.start(name, kind, what, given)
        say(f"Run {run.id} has begun.")
        return await runner.wait(run.id)

    _end(_with_runner(state_of(context), work))


def list_runs(
    context: typer.Context,
    instance: Annotated[str | None, typer.Option(help="Only those of this instance.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as failure.")] = None,
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
        found = RunStore(store.database).list(instance_id=instance_id, state=wanted, limit=limit)
    if as_json:
        write_json([_plain(each) for each in found])
        return
    rows = [
        (
            each.id,
            each.instance,
            each.what,
            each.state.value,
            _time(each.started_at),
            str(each.counts.get("written", "")),
            each.message,
        )
        for each in found
    ]
    write_table(("run", "instance", "what", "state", "started", "written", "message"), rows)


def show(context: typer.Context, run_id: RunId, as_json: JsonOption = False) -> None:
    """Show a run with its counts, files and log."""
    from connector_host.runs import EventKind, RunStore  # noqa: PLC0415 -- heavy

    state = state_of(context)
    with state.store() as store:
        runs = RunStore(store.database)
        run = runs.get(run_id)
        log = runs.events(run_id, kinds=(EventKind.LOG, EventKind.STATE))
    if as_json:
        write_json({**_plain(run), "log": [_plain(each) for each in log]})
        return
    write_facts(
        {
            "run": run.id,
            "instance": run.instance,
            run.kind.value: run.what,
            "state": f"{run.state.value} {run.message}".rstrip(),
            "next step": run.next_step,
            "request id": run.request_id,
            "started": f"{_time(run.started_at)} by {run.started_by.value}",
            "finished": _time(run.finished_at),
            "counts": ", ".join(f"{name} {value:,}" for name, value in run.counts.items()),
            "files": "\n".join(str(state.home().runs / run.id / file.name) for file in run.files),
        }
    )
    for event in log:
        told = event.data.get("message") or event.data.get("state")
        write(f"{_time(event.at)}  {told} {event.data.get('request_id') or ''}".rstrip())


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


def add_schedule(
    context: typer.Context,
    *,
    name: InstanceName,
    what: What,
    every: Annotated[int | None, typer.Option(metavar="MINUTES", min=1, help="Minutes between two runs.")] = None,
    cron: Annotated[str | None, typer.Option(help='Cron expression, such as "30 6 * * mon-fri".')] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone of the cron expression; default: the instance's.")] = None,
    since: Since = None,
    parameters: Parameters = None,
    as_json: JsonOption = False,
) -> None:
    """Plan a run every so many minutes, or by a cron expression."""
    from connector_host.runs import ScheduleStore, check_work  # noqa: PLC0415 -- heavy

    state = state_of(context)
    given, kind = _parameters(since, parameters), _kind(what)
    with state.store() as store:
        instance = store.get(name)
        exact = check_work(state.connector(instance.connector), kind, what, given)
        made = ScheduleStore(store.database).add(
            instance, kind, exact, given, every_minutes=every, cron=cron, time_zone=time_zone
        )
    if as_json:
        write_json(_plain(made))
    say(f"The first run begins at {_time(made.due_at)}, if `connector-host serve` is up.", colour=typer.colors.GREEN)


def list_schedules(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the schedules, and when each begins its next run."""
    from connector_host.runs import ScheduleStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        found = ScheduleStore(store.database).list()
    if as_json:
        write_json([_plain(each) for each in found])
        return
    rows = [(each.id, each.instance, each.what, _when(each), _time(each.due_at)) for each in found]
    write_table(("schedule", "instance", "what", "when", "next"), rows)


def remove_schedule(
    context: typer.Context, schedule_id: Annotated[str, typer.Argument(metavar="SCHEDULE", help="Id of a schedule.")]
) -> None:
    """Remove a schedule; its runs stay."""
    from connector_host.runs import ScheduleStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        removed = ScheduleStore(store.database).remove(schedule_id)
    say(f'Removed the schedule of {removed.what} on "{removed.instance}".')


def _parameters(since: str | None, parameters: str | None) -> dict[str, Any]:
    given = json_object(parameters, option="--parameters") if parameters else {}
    return {**given, "since": since} if since else given


def _kind(what: str) -> Any:
    from connector_host.runs import RunKind  # noqa: PLC0415 -- heavy

    return RunKind.OPERATION if "." in what else RunKind.STREAM


def _with_runner(state: HostState, work: Any) -> "Run":
    import anyio  # noqa: PLC0415 -- only where something is awaited

    from connector_host.runs import Runner  # noqa: PLC0415 -- heavy

    async def run() -> "Run":
        async with Runner(state.home(), state.folders) as runner:
            ended: Run = await work(runner)
            return ended

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


def _when(schedule: "Schedule") -> str:
    if schedule.cron is None:
        return f"every {schedule.every_minutes} minutes"
    return f"{schedule.cron} ({schedule.time_zone})"


def _time(moment: Any) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(value), default=_time))
    return plain
