"""Commands about connectors: which there are, what one offers, what its form asks for, and whether it is sound."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_host.contract.errors import ConnectorHostError, ManifestInvalid, Problem, UnknownName

from .exits import ExitCode
from .output import say, write, write_facts, write_json, write_table
from .state import HostState, state_of

if TYPE_CHECKING:
    from connector_host.connectors import Connector, Found
    from connector_host.contract.action_models import Action
    from connector_host.contract.manifest import Manifest

__all__ = ["ConnectorName", "JsonOption", "add_to", "entry_of"]

ConnectorName = Annotated[str, typer.Argument(metavar="CONNECTOR", help="Name of a connector.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("connectors")(list_connectors)
    app.command("connector")(show_connector)
    app.command("form")(show_form)
    app.command("check")(check)


def list_connectors(
    context: typer.Context,
    load: Annotated[bool, typer.Option("--load", help="Load each one's code too, and see whether it works.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the installed connectors, with the reason where one cannot be used."""
    state = state_of(context)
    entries = [entry_of(found, _problem_of(found, load=load)) for found in state.find()]
    if as_json:
        write_json(entries)
        return
    if not entries:
        say("No connector is installed. Install one with pip, or name its folder with --folder.")
        return
    rows = [
        (entry["name"], entry["label"], entry["version_name"], entry["package"], entry["status"]) for entry in entries
    ]
    write_table(("name", "label", "version", "package", "status"), rows, wrap="package")
    for entry in entries:
        if entry["problem"]:
            say(f"{entry['name']} ({entry['package']}): {entry['problem']}", colour=typer.colors.YELLOW)


def _problem_of(found: "Found", *, load: bool) -> ConnectorHostError | None:
    from connector_host.connectors import load_found  # noqa: PLC0415 -- heavy

    if found.problem is None and load:
        try:
            load_found(found)
        except ConnectorHostError as problem:
            return problem
    return found.problem


def entry_of(found: "Found", problem: ConnectorHostError | None) -> dict[str, Any]:
    """Return what the list of connectors says of one, as plain data."""
    manifest = found.manifest
    return {
        "name": found.name,
        "label": manifest.label if manifest else "",
        "version": manifest.version if manifest else None,
        "version_name": manifest.version_name if manifest else "",
        "package": found.package,
        "package_version": found.package_version,
        "status": "broken" if problem else "ok",
        "problem": str(problem) if problem else None,
    }


def show_connector(context: typer.Context, name: ConnectorName, as_json: JsonOption = False) -> None:
    """Show what a connector is, how it signs in, and what can be pulled and called."""
    connector = state_of(context).connector(name)
    if as_json:
        areas = {area: len(connector.catalogue.search(area=area)) for area in connector.catalogue.areas}
        extensions = {name: str(problem) for name, problem in connector.broken_extensions.items()}
        manifest = connector.manifest.model_dump(mode="json", by_alias=True, exclude_none=True)
        for action in manifest["actions"]:
            action["record"] = connector.schema_file(action["record_schema"])
        write_json({**manifest, "package": connector.package, "areas": areas, "broken_extensions": extensions})
        return
    _show_header(connector)
    _show_methods(connector.manifest)
    if connector.manifest.streams:
        write("\nStreams")
        write_table(
            ("name", "title", "entity", "key", "description"),
            [
                (each.name, each.title, each.entity_type, ", ".join(each.primary_key), each.description)
                for each in connector.manifest.streams
            ],
        )
    if connector.manifest.actions:
        write("\nActions")
        write_table(
            ("name", "title", "entity", "record", "description"),
            [
                (each.name, each.title, each.entity_type, _fields_of(connector, each), each.description)
                for each in connector.manifest.actions
            ],
        )
    for extension, problem in connector.broken_extensions.items():
        say(f"The extension {extension} cannot be used: {problem}", colour=typer.colors.YELLOW)


def _fields_of(connector: "Connector", action: "Action") -> str:
    """Return the fields of an action's record; those that may be left out stand in brackets."""
    schema = connector.schema_file(action.record_schema)
    required = schema.get("required", ())
    return " ".join(each if each in required else f"[{each}]" for each in schema.get("properties", {}))


def _show_header(connector: "Connector") -> None:
    manifest = connector.manifest
    limit = manifest.rate_limit
    write_facts(
        {
            manifest.label: manifest.description,
            "version": f"{manifest.version_name} ({manifest.version}), package {connector.package}",
            "system": f"{manifest.system_type.value}, {manifest.protocol.value}",
            "rate limit": f"{limit.amount} requests a {limit.unit.value}, unless an instance changes it",
            "hosts": ", ".join(manifest.allowed_hosts),
            "operations": f"{len(connector.catalogue)} in {len(connector.catalogue.areas)} areas",
            "documentation": manifest.help_link,
        }
    )


def _show_methods(manifest: "Manifest") -> None:
    for method in manifest.authentication:
        write(f"\nAuthentication method {method.name}: {method.description}")
        rows = [
            (each.key, each.label, _traits(required=each.required, secret=each.secret, locked=each.locked), each.help)
            for each in method.credentials
        ]
        write_table(("credential", "label", "traits", "help"), rows)


def _traits(**traits: bool) -> str:
    return ", ".join(name for name, holds in traits.items() if holds)


def show_form(
    context: typer.Context,
    name: ConnectorName,
    method: Annotated[str | None, typer.Option(help="Authentication method; default: the preferred one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the form that adds an instance; as JSON it is {schema, uiSchema, formData} of react-jsonschema-form.

    formData is what `instance add --values` takes, with the defaults filled in.
    """
    from connector_host.forms import fields_of, form_for  # noqa: PLC0415 -- heavy

    connector = state_of(context).connector(name)
    form = form_for(connector.folder, connector.method(method))
    if as_json:
        write_json(form.as_json())
        return
    rows = []
    for field in fields_of(form):
        traits = _traits(required=field.required, secret=field.secret, locked=field.locked, advanced=field.advanced)
        default = "" if field.default is None else str(field.default)
        rows.append((".".join(field.path), field.label, traits, default, field.help))
    write_table(("field", "label", "traits", "default", "help"), rows)


def check(
    context: typer.Context,
    connector: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="A connector's name, or its folder.")],
    as_json: JsonOption = False,
) -> None:
    """Check a connector, for its author: every problem with file, line and column."""
    found = _found(state_of(context), connector)
    problems = list(_problems(found))
    if as_json:
        listed = [{"where": p.where, "rule": p.rule, "sentence": p.sentence, "fix": p.fix} for p in problems]
        write_json({"name": found.name, "ok": not problems, "problems": listed})
    else:
        for problem in problems:
            write(str(problem))
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}" if problems else "no problem"
        say(f"{found.name}: {count}.", colour=typer.colors.RED if problems else typer.colors.GREEN)
    if problems:
        raise typer.Exit(ExitCode.INPUT)


def _found(state: HostState, name: str) -> "Found":
    from connector_host.connectors import find_connectors  # noqa: PLC0415 -- heavy
    from connector_host.contract.nearest import did_you_mean  # noqa: PLC0415 -- only when it is needed

    folder = Path(name)
    if folder.is_dir():
        return next(each for each in find_connectors([folder]) if each.package == str(folder))
    known = state.find()
    for each in known:
        if each.name == name:
            return each
    hint = did_you_mean(name, [each.name for each in known]) or "Name an installed connector, or a folder."
    raise UnknownName(f'There is no connector and no folder "{name}".', next_step=hint)


def _problems(found: "Found") -> Iterator[Problem]:
    """Yield what is wrong with the manifest, its files and forms, by line; and, where it can be read, with its code."""
    from connector_host.connectors import load_found  # noqa: PLC0415 -- heavy

    if found.file is not None:
        yield from _problems_of_file(found.file, found.package)
    if found.problem is not None and not isinstance(found.problem, ManifestInvalid):
        yield from _as_problems(found.problem, found.package)
    elif found.problem is None:
        try:
            connector = load_found(found)
            _ = connector.catalogue
            for error in connector.code_problems():
                yield from _as_problems(error, found.module)
        except ConnectorHostError as error:
            yield from _as_problems(error, found.module)


def _problems_of_file(file: Path, package: str) -> list[Problem]:
    from connector_host.contract.manifest_checks import problems_of_connector  # noqa: PLC0415 -- heavy
    from connector_host.contract.manifest_draft import read_parts  # noqa: PLC0415 -- heavy
    from connector_host.contract.manifest_file import MANIFEST_NAME, by_line  # noqa: PLC0415 -- heavy
    from connector_host.forms import problems_of_forms  # noqa: PLC0415 -- heavy

    try:
        connector, shapes = read_parts(file, f"{package}/{MANIFEST_NAME}")
    except ManifestInvalid as error:
        return list(error.problems)
    return by_line([*shapes, *problems_of_connector(connector), *problems_of_forms(connector)])


def _as_problems(error: ConnectorHostError, where: str) -> Iterable[Problem]:
    if error.problems:
        return error.problems
    detail = f" {error.detail.rstrip('.')}." if error.detail else ""
    return [Problem(where, "connector-loads", f"{error.message}{detail}", error.next_step)]
