"""Commands about schedules."""

from typing import TYPE_CHECKING, Annotated

import typer

from .connectors import JsonOption
from .output import say, write_json, write_table
from .pulls import Columns, Filters, Limit, Normalise, Until
from .run_parameters import InstanceName, Mode, Parameters, Since, What, kind_of, parameters_of, plain, time_of
from .state import state_of

if TYPE_CHECKING:
    from connector_host.runs import Schedule

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module, as a group."""
    schedules = typer.Typer(no_args_is_help=True, help="Plan runs; `serve` begins them.")
    schedules.command("add")(add_schedule)
    schedules.command("list")(list_schedules)
    schedules.command("remove")(remove_schedule)
    app.add_typer(schedules, name="schedule")


def add_schedule(
    context: typer.Context,
    *,
    name: InstanceName,
    what: What,
    every: Annotated[int | None, typer.Option(metavar="MINUTES", min=1, help="Minutes between two runs.")] = None,
    cron: Annotated[str | None, typer.Option(help='Cron expression, such as "30 6 * * mon-fri".')] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone of the cron expression; default: the instance's.")] = None,
    mode: Mode = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    filters: Filters = None,
    columns: Columns = None,
    normalise: Normalise = False,
    parameters: Parameters = None,
    as_json: JsonOption = False,
) -> None:
    """Plan a run every so many minutes, or by a cron expression."""
    from connector_host.runs import ScheduleStore, check_work  # noqa: PLC0415 -- heavy

    state = state_of(context)
    kind = kind_of(what)
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
    with state.store() as store:
        instance = store.get(name)
        exact = check_work(state.connector(instance.connector), kind, what, given)
        made = ScheduleStore(store.database).add(
            instance, kind, exact, given, every_minutes=every, cron=cron, time_zone=time_zone
        )
    if as_json:
        write_json(plain(made))
    say(f"The first run begins at {time_of(made.due_at)}, if `connector-host serve` is up.", colour=typer.colors.GREEN)


def list_schedules(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the schedules, and when each begins its next run."""
    from connector_host.runs import ScheduleStore, parameters_in_words  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        found = ScheduleStore(store.database).list()
    if as_json:
        write_json([plain(each) for each in found])
        return
    rows = [
        (
            each.id,
            each.instance,
            each.what,
            _when(each),
            time_of(each.due_at),
            "; ".join(f"{name}: {value}" for name, value in parameters_in_words(each.parameters)),
        )
        for each in found
    ]
    write_table(("schedule", "instance", "what", "when", "next", "parameters"), rows)


def remove_schedule(
    context: typer.Context, schedule_id: Annotated[str, typer.Argument(metavar="SCHEDULE", help="Id of a schedule.")]
) -> None:
    """Remove a schedule; its runs stay."""
    from connector_host.runs import ScheduleStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        removed = ScheduleStore(store.database).remove(schedule_id)
    say(f'Removed the schedule of {removed.what} on "{removed.instance}".')


def _when(schedule: "Schedule") -> str:
    if schedule.cron is None:
        return f"every {schedule.every_minutes} minutes"
    return f"{schedule.cron} ({schedule.time_zone})"
