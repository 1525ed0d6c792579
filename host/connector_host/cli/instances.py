"""Commands about instances: add one, see them, test one, remove one."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_host.contract.durations import duration
from connector_host.contract.errors import ConfigurationError, ConnectorHostError, CredentialsRejected

from .connectors import ConnectorName, JsonOption
from .exits import ExitCode
from .failures import say_error
from .inputs import json_object
from .output import say, write_facts, write_json, write_table
from .prompts import ask_for_form, ask_for_method, ask_to_confirm, somebody_is_there
from .state import HostState, state_of

if TYPE_CHECKING:
    from connector_host.connectors import Connector
    from connector_host.engine import QuotaInUse, Usage
    from connector_host.forms import Form
    from connector_host.instances import Instance, InstanceStore
    from connector_host.set_up import SetUp

__all__ = ["add_to", "facts_of", "outcome_of", "save", "tell_outcome"]

InstanceName = Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance, in any case.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands about instances, as a group."""
    from . import instance_changes  # noqa: PLC0415 -- it needs this module

    group = typer.Typer(no_args_is_help=True, help="Add, list, show, test and remove instances.")
    group.command("add")(add)
    group.command("list")(list_instances)
    group.command("show")(show)
    group.command("test")(retest)
    group.command("remove")(remove)
    instance_changes.add_to(group)
    app.add_typer(group, name="instance")


def add(
    context: typer.Context,
    *,
    name: ConnectorName,
    values: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-",
            help="JSON object {name, authentication, settings, credentials}, for programs; - is stdin.",
        ),
    ] = None,
    method: Annotated[str | None, typer.Option(help="Authentication method, when you are asked for values.")] = None,
    advanced: Annotated[bool, typer.Option("--advanced", help="Ask for the advanced values too.")] = False,
    untested: Annotated[bool, typer.Option("--untested", help="Save without signing in; lists say so.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add an instance: its values are checked, tested by a real sign-in, and saved, the credentials encrypted.

    Without --values you are asked. Secrets are never arguments.
    """
    state = state_of(context)
    connector = state.connector(name)
    if values is not None:
        set_up = save(state, connector, json_object(values, option="--values"), untested=untested)
    else:
        set_up = _ask_and_save(state, connector, method, advanced=advanced, untested=untested)
    tell_outcome(set_up)
    if as_json:
        write_json(_facts_of_test(set_up))
    say(f'Added "{set_up.instance.name}". {outcome_of(set_up)}', colour=typer.colors.GREEN)


def save(state: HostState, connector: "Connector", given: Mapping[str, Any], *, untested: bool = False) -> "SetUp":
    """Check, test and save the values of one form."""
    import anyio  # noqa: PLC0415 -- only where something is awaited

    from connector_host.set_up import add_instance  # noqa: PLC0415 -- heavy

    _learn_secrets(state, connector, given)
    with state.store() as store:

        async def run() -> "SetUp":
            return await add_instance(store, connector, given, untested=untested)

        return anyio.run(run)


def _learn_secrets(state: HostState, connector: "Connector", given: Mapping[str, Any]) -> None:
    """Keep what may be a secret out of every message, before anything is known to be valid."""
    credentials = given.get("credentials")
    if isinstance(credentials, Mapping):
        secret = {key for method in connector.manifest.authentication for key in method.secret_keys}
        state.redactor.add(*(str(value).strip() for key, value in credentials.items() if key in secret))


def _ask_and_save(
    state: HostState, connector: "Connector", method: str | None, *, advanced: bool, untested: bool
) -> "SetUp":
    """Ask for the values, again with the last ones as defaults when the vendor rejects the credentials."""
    from connector_host.forms import form_for  # noqa: PLC0415 -- heavy

    if not somebody_is_there():
        raise ConfigurationError(
            "Nobody is there to be asked: stdin is no terminal.",
            next_step=f"Give the values with --values FILE, or --values - for stdin; see: connector-host form "
            f"{connector.name} --json",
        )
    chosen = connector.method(method) if method else ask_for_method(connector.manifest.authentication)
    form = form_for(connector.folder, chosen)
    say(f"{form.schema['title']}: {form.schema['description']}", bold=True)
    while True:
        given = ask_for_form(form, advanced=advanced)
        try:
            return save(state, connector, given, untested=untested)
        except CredentialsRejected as error:
            say_error(error, state)
            if not typer.confirm("Correct the values?", default=True, err=True):
                raise typer.Exit(ExitCode.CREDENTIALS) from None
            form = _with_values(form, given)


def _with_values(form: "Form", given: Mapping[str, Any]) -> "Form":
    """Return the form with what was given as its defaults; secrets are to be given again."""
    from dataclasses import replace  # noqa: PLC0415 -- only when it is needed

    from connector_host.forms import fields_of  # noqa: PLC0415 -- heavy

    data: dict[str, Any] = {**form.form_data, "settings": {**form.form_data["settings"]}, "credentials": {}}
    for field in fields_of(form):
        *sections, key = field.path
        target, source = data, dict(given)
        for section in sections:
            target, source = target.setdefault(section, {}), source.get(section, {})
        if key in source and not field.secret:
            target[key] = source[key]
    return replace(form, form_data=data)


def tell_outcome(set_up: "SetUp") -> None:
    """Tell how a test went: each area of the vendor that was read, and what looks odd."""
    from connector_host.set_up import AreaOutcome  # noqa: PLC0415 -- heavy

    colours = {AreaOutcome.PASSED: typer.colors.GREEN, AreaOutcome.SKIPPED: typer.colors.BRIGHT_BLACK}
    for check in set_up.checks:
        say(
            f"  {check.area}: {check.outcome.value}. {check.message}",
            colour=colours.get(check.outcome, typer.colors.RED),
        )
    for warning in set_up.warnings:
        say(f"Note: {warning}", colour=typer.colors.YELLOW)


def outcome_of(set_up: "SetUp") -> str:
    """Return the sentence that tells whether the vendor let the credentials in."""
    from connector_host.set_up import AreaOutcome  # noqa: PLC0415 -- heavy

    signed_in = set_up.signed_in
    if signed_in is None:
        return "It is untested."
    if signed_in.verified:
        return f"Signed in to {signed_in.account}." if signed_in.account else "Signed in."
    if any(check.outcome is AreaOutcome.PASSED for check in set_up.checks):
        return "The vendor lets it in."
    return "Nothing was asked of the vendor: its first call will show whether the credentials are right."


def list_instances(
    context: typer.Context,
    search: Annotated[str | None, typer.Option(help="Only those with this in name, account or connector.")] = None,
    connector: Annotated[str | None, typer.Option(help="Only those of this connector.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the instances, and whether each can be used as far as is known."""
    with state_of(context).store() as store:
        found = store.list(search, connector)
    if as_json:
        write_json([facts_of(instance) for instance in found])
        return
    if not found:
        nothing = "There is no instance. Add one with: connector-host instance add CONNECTOR"
        say("No instance fits." if search or connector else nothing)
        return
    rows = [
        (each.name, each.connector, each.account, each.state.value, _time(each.tested_at), each.state_message)
        for each in found
    ]
    write_table(("name", "connector", "account", "state", "tested", "message"), rows)


def show(context: typer.Context, name: InstanceName, as_json: JsonOption = False) -> None:
    """Show an instance with its settings and how much of its quota is in use now; secrets stay hidden."""
    from connector_host.engine import QuotaInUse  # noqa: PLC0415 -- heavy

    state = state_of(context)
    shown: dict[str, str] = {}
    quota, problem = QuotaInUse(None, {}), None
    with state.store() as store:
        instance = store.get(name)
        try:
            shown = _shown_credentials(state, store, instance)
            quota = _quota_of(state, store, instance)
        except ConnectorHostError as error:
            problem = str(error)
    if as_json:
        known = {"settings": dict(instance.settings), "credentials": shown, "quota": asdict(quota), "problem": problem}
        write_json({**facts_of(instance), **known})
        return
    connector, version = instance.connector, instance.connector_version
    write_facts(
        {
            "name": instance.name,
            "connector": f"{connector} (version {version})",
            "authentication": instance.authentication,
            "account": instance.account,
            "state": f"{instance.state.value} {instance.state_message}".strip(),
            "tested": _time(instance.tested_at),
            "added": _time(instance.created_at),
            **{f"settings.{key}": str(value) for key, value in instance.settings.items()},
            **{f"credentials.{key}": value for key, value in shown.items()},
            "quota": _used(quota.instance) if quota.instance else None,
            **{f"quota.{operation}": _used(usage) for operation, usage in quota.operations.items()},
        }
    )
    if problem:
        say(problem, colour=typer.colors.YELLOW)


def _shown_credentials(state: HostState, store: "InstanceStore", instance: "Instance") -> dict[str, str]:
    """Return the credentials with secrets hidden."""
    method = state.connector(instance.connector).method(instance.authentication)
    credentials = store.credentials(instance.name, method.secret_keys)
    state.redactor.add(*credentials.secret_values)
    return credentials.shown()


def _quota_of(state: HostState, store: "InstanceStore", instance: "Instance") -> "QuotaInUse":
    from connector_host.embedding import quota_in_use  # noqa: PLC0415 -- heavy

    return quota_in_use(store, instance, state.connector(instance.connector), state.home(), state.redactor)


def _used(usage: "Usage") -> str:
    """Return how much of a quota is in use, and when there is room and all of it is free again."""
    words = f"{usage.used:,} of {usage.limit:,}" if usage.limit else f"{usage.used:,}, no limit of its own"
    for seconds, what in ((usage.room_in, "next call"), (usage.free_in, "all free again")):
        words += f", {what} in {duration(math.ceil(seconds))}" if seconds > 0 else ""
    return words


def retest(context: typer.Context, name: InstanceName, as_json: JsonOption = False) -> None:
    """Test an instance by signing in now, and remember how it went."""
    import anyio  # noqa: PLC0415 -- only where something is awaited

    from connector_host.set_up import retest_instance  # noqa: PLC0415 -- heavy

    state = state_of(context)
    set_up = anyio.run(retest_instance, state.home(), name, state.folders)
    tell_outcome(set_up)
    if as_json:
        write_json(_facts_of_test(set_up))
    say(f'"{set_up.instance.name}": {outcome_of(set_up)}', colour=typer.colors.GREEN)


def remove(
    context: typer.Context,
    name: InstanceName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for programs.")] = False,
) -> None:
    """Remove an instance with its credentials."""
    with state_of(context).store() as store:
        instance = store.get(name)
        if not yes:
            if not somebody_is_there():
                raise ConfigurationError(
                    "Nobody is there to confirm: stdin is no terminal.", next_step="Add --yes to remove it unasked."
                )
            if not ask_to_confirm(f'This removes the instance "{instance.name}" and its credentials.'):
                say("Nothing was removed.")
                raise typer.Exit(ExitCode.INPUT)
        store.remove(name)
    say(f'Removed "{instance.name}".')


def facts_of(instance: "Instance") -> dict[str, Any]:
    """Return what lists show of an instance, as plain data without anything secret."""
    return {
        "name": instance.name,
        "connector": instance.connector,
        "connector_version": instance.connector_version,
        "authentication": instance.authentication,
        "account": instance.account,
        "state": instance.state.value,
        "state_message": instance.state_message,
        "tested_at": _time(instance.tested_at) or None,
        "created_at": _time(instance.created_at),
        "updated_at": _time(instance.updated_at),
        "id": instance.id,
    }


def _facts_of_test(set_up: "SetUp") -> dict[str, Any]:
    """Return the instance, and what its test showed, as plain data."""
    checks = [
        {
            "area": each.area,
            "operation": each.operation,
            "outcome": each.outcome.value,
            "message": each.message,
            "permissions": list(each.permissions),
        }
        for each in set_up.checks
    ]
    return {**facts_of(set_up.instance), "checks": checks, "warnings": list(set_up.warnings)}


def _time(moment: Any) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
