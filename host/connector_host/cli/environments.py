"""Virtual environments: their commands, and the option of every command that takes an instance."""

from typing import Annotated, Any

import typer
from typer.core import TyperArgument

from connector_host.contract.errors import InputInvalid, Problem

from .connectors import JsonOption
from .output import say, write_json, write_table
from .state import state_of

__all__ = ["add_to", "offer_environment"]

_KEY = "connector_host.environment"
EnvironmentName = Annotated[str, typer.Argument(metavar="NAME", help="Name of an environment.")]
Pairs = Annotated[
    list[str],
    typer.Argument(
        metavar="INSTANCE=REPLACEMENT...", help="An instance, and the one in its place.", show_default=False
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module, as a group."""
    group = typer.Typer(no_args_is_help=True, help="Named sets of replacements, such as the sandbox for the live shop.")
    group.command("add")(add)
    group.command("set")(replace)
    group.command("list")(list_environments)
    group.command("remove")(remove)
    app.add_typer(group, name="environment")


def add(context: typer.Context, name: EnvironmentName, pairs: Pairs) -> None:
    """Add an environment."""
    from connector_host.instances import EnvironmentStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        made = EnvironmentStore(store).add(name, _pairs(pairs))
    say(f'Added "{made.name}". Use it with: --environment {made.name}', colour=typer.colors.GREEN)


def replace(context: typer.Context, name: EnvironmentName, pairs: Pairs) -> None:
    """Put other replacements in place of those that an environment has."""
    from connector_host.instances import EnvironmentStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        changed = EnvironmentStore(store).replace(name, _pairs(pairs))
    count = len(changed.replacements)
    say(
        f'"{changed.name}" has {count} {"replacement" if count == 1 else "replacements"} now.',
        colour=typer.colors.GREEN,
    )


def list_environments(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the environments and their replacements."""
    from connector_host.instances import EnvironmentStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        found = EnvironmentStore(store).list()
    if as_json:
        write_json([{"name": each.name, "replacements": dict(each.replacements)} for each in found])
        return
    rows = [(each.name, old, new) for each in found for old, new in each.replacements.items()]
    rows += [(each.name, "", "") for each in found if not each.replacements]
    write_table(("environment", "instance", "replaced by"), rows)


def remove(context: typer.Context, name: EnvironmentName) -> None:
    """Remove an environment; the instances stay."""
    from connector_host.instances import EnvironmentStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        removed = EnvironmentStore(store).remove(name)
    say(f'Removed "{removed.name}".')


def offer_environment(command: Any) -> None:
    """Give every command below that takes an INSTANCE the option --environment, which says which one is meant."""
    for inner in getattr(command, "commands", {}).values():
        offer_environment(inner)
    arguments = [
        each
        for each in getattr(command, "params", ())
        if isinstance(each, TyperArgument) and each.metavar == "INSTANCE"
    ]
    if not arguments:
        return
    for argument in arguments:
        argument.callback = _resolve
    command.params.append(_option())


def _option() -> Any:
    """Return the option as typer makes it; its value goes to `_resolve` and not to the command."""
    app = typer.Typer()

    @app.command()
    def _command(
        environment: Annotated[
            str | None,
            typer.Option(metavar="NAME", help="Virtual environment whose replacements are used.", is_eager=True),
        ] = None,
    ) -> None:
        del environment

    option = next(each for each in typer.main.get_command(app).params if each.name == "environment")
    option.expose_value, option.callback = False, _choose
    return option


def _choose(context: Any, parameter: Any, value: str | None) -> str | None:
    del parameter
    context.meta[_KEY] = value
    return value


def _resolve(context: Any, parameter: Any, value: str) -> str:
    """Return the name of the instance that stands for the one that was named."""
    from connector_host.instances import EnvironmentStore  # noqa: PLC0415 -- heavy

    del parameter
    environment = context.meta.get(_KEY)
    if environment is None or context.resilient_parsing:
        return value
    with state_of(context).store() as store:
        return EnvironmentStore(store).resolve(value, environment).name


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        old, equals, new = text.partition("=")
        if not (equals and old and new):
            problem = Problem(text, "pair", "This is no pair.", "Write live=sandbox.")
            raise InputInvalid("The replacements are not understood.", problems=[problem])
        pairs[old] = new
    return pairs
