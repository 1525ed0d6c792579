"""Commands that change an instance, copy it, or carry it to another host."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .connectors import JsonOption
from .inputs import json_object
from .instances import InstanceName, facts_of, tell_outcome
from .output import say, write_json
from .prompts import somebody_is_there
from .state import HostState, state_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from connector_host.set_up import SetUp

__all__ = ["add_to"]

_Values = Annotated[
    str,
    typer.Option(
        metavar="FILE|-",
        help="JSON object with what changes of {name, authentication, settings, credentials}; - is stdin.",
    ),
]
_Untested = Annotated[bool, typer.Option("--untested", help="Save without signing in; lists say so.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group of commands about instances."""
    group.command("edit")(edit)
    group.command("rename")(rename)
    group.command("duplicate")(duplicate)
    group.command("disable")(disable)
    group.command("enable")(enable)
    group.command("export")(export)
    group.command("import")(import_document)


def edit(
    context: typer.Context,
    name: InstanceName,
    values: _Values,
    untested: _Untested = False,
    as_json: JsonOption = False,
) -> None:
    """Change an instance. New credentials are tested before they replace the old ones, which stay if that fails.

    What is not given stays, secrets included; null clears a value.
    """
    from connector_host.set_up import edit_instance  # noqa: PLC0415 -- heavy

    state = state_of(context)
    given = json_object(values, option="--values")
    with state.store() as store:
        connector = state.connector(store.get(name).connector)
        _learn(state, given.get("credentials"))
        set_up = _awaited(lambda: edit_instance(store, connector, name, given, untested=untested))
    _told(set_up, as_json=as_json)
    say(f'Changed "{set_up.instance.name}".', colour=typer.colors.GREEN)


def rename(
    context: typer.Context, name: InstanceName, new_name: Annotated[str, typer.Argument(metavar="NEW-NAME")]
) -> None:
    """Give an instance another name; everything that belongs to it stays."""
    with state_of(context).store() as store:
        renamed = store.rename(name, new_name)
    say(f'It is "{renamed.name}" now.', colour=typer.colors.GREEN)


def duplicate(
    context: typer.Context,
    name: InstanceName,
    new_name: Annotated[str, typer.Argument(metavar="NEW-NAME")],
    as_json: JsonOption = False,
) -> None:
    """Add a copy of an instance without its secrets."""
    from connector_host.set_up import duplicate_instance  # noqa: PLC0415 -- heavy

    state = state_of(context)
    with state.store() as store:
        connector = state.connector(store.get(name).connector)
        copy = duplicate_instance(store, connector, name, new_name)
    if as_json:
        write_json(facts_of(copy))
    say(f'Added "{copy.name}". {copy.state_message}'.rstrip(), colour=typer.colors.GREEN)


def disable(context: typer.Context, name: InstanceName) -> None:
    """Keep an instance from being used."""
    from connector_host.set_up import disable_instance  # noqa: PLC0415 -- heavy

    with state_of(context).store() as store:
        disabled = disable_instance(store, name)
    say(f'"{disabled.name}" is disabled.')


def enable(context: typer.Context, name: InstanceName, untested: _Untested = False) -> None:
    """Let an instance be used again, and test it."""
    from connector_host.set_up import enable_instance  # noqa: PLC0415 -- heavy

    state = state_of(context)
    set_up = _awaited(lambda: enable_instance(state.home(), name, state.folders, untested=untested))
    tell_outcome(set_up)
    say(f'"{set_up.instance.name}" is enabled.', colour=typer.colors.GREEN)


def export(context: typer.Context, name: InstanceName) -> None:
    """Write an instance as a JSON document without secrets, for another host."""
    from connector_host.set_up import export_instance  # noqa: PLC0415 -- heavy

    state = state_of(context)
    with state.store() as store:
        connector = state.connector(store.get(name).connector)
        write_json(export_instance(store, connector, name))


def import_document(
    context: typer.Context,
    *,
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="What `instance export` wrote; - is stdin.")],
    name: Annotated[str | None, typer.Option(help="Another name than the document's.")] = None,
    secrets: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON object with the secrets; without it you are asked for them."),
    ] = None,
    untested: _Untested = False,
    as_json: JsonOption = False,
) -> None:
    """Add the instance of an exported document. Without secrets it is kept, and says that they are to be entered."""
    from connector_host.set_up import import_instance, missing_secrets  # noqa: PLC0415 -- heavy

    state = state_of(context)
    document = json_object(source, option="FILE")
    connector = state.connector(str(document.get("connector", "")))
    wanted = missing_secrets(connector, document)
    given = json_object(secrets, option="--secrets") if secrets else _ask_for(wanted, source)
    _learn(state, given)
    with state.store() as store:
        set_up = _awaited(
            lambda: import_instance(store, connector, document, secrets=given, name=name, untested=untested)
        )
    _told(set_up, as_json=as_json)
    say(f'Added "{set_up.instance.name}". {set_up.instance.state_message}'.rstrip(), colour=typer.colors.GREEN)


def _ask_for(keys: "Sequence[str]", source: str) -> dict[str, str]:
    if source == "-" or not somebody_is_there():
        return {}
    answers = {
        key: str(typer.prompt(key, default="", show_default=False, hide_input=True, err=True)).strip() for key in keys
    }
    return {key: answer for key, answer in answers.items() if answer}


def _learn(state: HostState, values: Any) -> None:
    """Keep what may be a secret out of every message."""
    if isinstance(values, dict):
        state.redactor.add(*(str(value).strip() for value in values.values()))


def _told(set_up: "SetUp", *, as_json: bool) -> None:
    tell_outcome(set_up)
    if as_json:
        write_json(facts_of(set_up.instance))


def _awaited(work: "Callable[[], Awaitable[SetUp]]") -> "SetUp":
    import anyio  # noqa: PLC0415 -- only where something is awaited

    async def run() -> "SetUp":
        return await work()

    return anyio.run(run)
