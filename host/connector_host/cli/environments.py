"""Commands about virtual environments."""

from typing import Annotated

import typer

from connector_host.contract.errors import InputInvalid, Problem

from .connectors import JsonOption
from .output import say, write_json, write_table
from .state import state_of

__all__ = ["add_to"]

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


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        old, equals, new = text.partition("=")
        if not (equals and old and new):
            problem = Problem(text, "pair", "This is no pair.", "Write live=sandbox.")
            raise InputInvalid("The replacements are not understood.", problems=[problem])
        pairs[old] = new
    return pairs
