"""The option of every command that takes an instance: in which virtual environment it is meant."""

from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperOption

from .state import state_of

__all__ = ["offer_environment"]

_KEY = "connector_host.environment"


def offer_environment(command: Any) -> None:
    """Give every command below that takes an INSTANCE the option --environment, which says which one is meant."""
    for inner in getattr(command, "commands", {}).values():
        offer_environment(inner)
    naming = [
        each
        for each in getattr(command, "params", ())
        if isinstance(each, (TyperArgument, TyperOption)) and each.metavar == "INSTANCE"
    ]
    if not naming:
        return
    for parameter in naming:
        parameter.callback = _resolve
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


def _resolve(context: Any, parameter: Any, value: str | None) -> str | None:
    """Return the name of the instance that stands for the one that was named."""
    del parameter
    environment = context.meta.get(_KEY)
    if environment is None or value is None or context.resilient_parsing:
        return value
    from connector_host.instances import EnvironmentStore  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        return EnvironmentStore(store).resolve(value, environment).name
