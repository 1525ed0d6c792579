"""Commands about operations: which there are, what one takes, and which permissions it needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_host.contract.errors import UnknownName

from .connectors import ConnectorName, JsonOption
from .output import say, write, write_facts, write_json, write_table
from .state import state_of

if TYPE_CHECKING:
    from connector_host.connectors import Connector
    from connector_host.contract.catalogue import Operation
    from connector_host.contract.permissions import PermissionNames

__all__ = ["add_to"]

_DEPTH_SHOWN = 4


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("operations")(list_operations)
    app.command("operation")(show_operation)
    app.command("scope")(show_scope)


def list_operations(
    context: typer.Context,
    name: ConnectorName,
    area: Annotated[str | None, typer.Option(help="Only those of this area.")] = None,
    search: Annotated[str, typer.Option(help="Only those with these words in id, title, path or permission.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the operations of a connector's API; each can be called by its id."""
    from connector_host.contract.nearest import did_you_mean  # noqa: PLC0415 -- only when it is needed

    catalogue = state_of(context).connector(name).catalogue
    if area is not None and area.lower() not in map(str.lower, catalogue.areas):
        raise UnknownName(
            f'There is no area "{area}".',
            next_step=did_you_mean(area, catalogue.areas) or f"There are: {', '.join(catalogue.areas)}.",
        )
    found = sorted(catalogue.search(search, area), key=lambda operation: operation.id)
    if as_json:
        write_json([operation.facts() for operation in found])
        return
    rows = [(each.id, _kind(each), _limit(each), each.title) for each in found]
    if rows:
        write_table(("operation", "kind", "limit", "title"), rows)
    say(f"{len(found)} of {len(catalogue)} operations.")


def _kind(operation: "Operation") -> str:
    kind = "destructive" if operation.destructive else operation.kind
    return f"{kind}, deprecated" if operation.deprecated else kind


def _limit(operation: "Operation") -> str:
    rate = operation.rate
    return f"{rate.calls} in {rate.seconds} s" if rate else ""


def show_operation(
    context: typer.Context,
    name: ConnectorName,
    operation_id: Annotated[str, typer.Argument(metavar="OPERATION", help="Id of an operation, in any case.")],
    as_json: JsonOption = False,
) -> None:
    """Show what an operation takes, its limits, the permission that it needs, and an example input."""
    from connector_host.contract.inputs import example_input  # noqa: PLC0415 -- heavy

    operation = state_of(context).connector(name).catalogue.get(operation_id)
    example = example_input(operation)
    if as_json:
        write_json(_in_full(operation, example))
        return
    batch = operation.batch
    write_facts(
        {
            operation.id: operation.title,
            "request": f"{operation.method.value} {operation.path} (base {operation.base}, {operation.encoding.value})",
            "kind": _kind(operation),
            "limit": f"{_limit(operation)} for each session" if operation.rate else "none is stated",
            "permission": ", ".join(operation.permissions) or "none is stated",
            "paging": ", ".join(f"{key} {value}" for key, value in (operation.paging or {}).items()),
            "batch": f"at most {batch.max} entries in {batch.field}" if batch else None,
        }
    )
    rows = list(_input_rows(operation))
    if rows:
        write()
        write_table(("input", "type", "required", "in"), rows, wrap="type")
    write("\nExample input")
    write_json(example)
    hint = "--input FILE" if any(isinstance(value, dict | list) for value in example.values()) else "key=value ..."
    say(f"Call it with: connector-host call INSTANCE {operation.id} {hint if rows else ''}".rstrip())


def _in_full(operation: "Operation", example: Mapping[str, Any]) -> dict[str, Any]:
    batch = operation.batch
    return {
        **operation.facts(),
        "encoding": operation.encoding.value,
        "wrapper": operation.wrapper,
        "paging": operation.paging,
        "batch": {"field": batch.field, "max": batch.max} if batch else None,
        "parameters": [
            {"name": each.name, "in": each.place, "required": each.required, "schema": each.schema}
            for each in operation.parameters
        ],
        "input_schema": operation.input_schema,
        "example_input": example,
        "response_schema": operation.response_schema,
    }


def _input_rows(operation: "Operation") -> Iterator[tuple[str, str, str, str]]:
    places = {parameter.name: parameter.place for parameter in operation.parameters}
    schema = operation.input_schema
    for path, rule, required in _fields(schema, schema.get("$defs", {}), (), ()):
        place = places.get(path.partition(".")[0], "body")
        yield path, _type_of(rule, schema.get("$defs", {})), "yes" if required else "", place


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], path: Sequence[str], open_names: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield every field with its dotted path; `[]` stands for each entry of a list."""
    required = schema.get("required", ())
    for key, rule in schema.get("properties", {}).items():
        yield ".".join((*path, key)), rule, key in required
        step, inner = key, rule
        if "items" in inner:
            step, inner = f"{key}[]", inner["items"]
        name = str(inner.get("$ref", "")).rsplit("/", 1)[-1]
        if name and name not in open_names:
            inner = definitions.get(name, {})
        if len(path) + 1 < _DEPTH_SHOWN:
            yield from _fields(inner, definitions, (*path, step), (*open_names, name) if name else open_names)


def _type_of(rule: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    name = str(rule.get("$ref", "")).rsplit("/", 1)[-1]
    if name:
        return _type_of(definitions.get(name, {}), definitions)
    if "enum" in rule:
        return "one of " + ", ".join(map(str, rule["enum"]))
    kind = rule.get("type", "any")
    kinds = [each for each in kind if each != "null"] if isinstance(kind, list) else [kind]
    if kinds == ["array"]:
        return f"list of {_type_of(rule.get('items', {}), definitions)}"
    form = f" ({rule['format']})" if "format" in rule else ""
    return " or ".join(kinds) + form


def show_scope(
    context: typer.Context,
    name: ConnectorName,
    wanted: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="NAME", help="A stream, action or operation that the instance will use."),
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Further ones.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the least scope for streams, actions and operations, and the block for the vendor's developer portal."""
    connector = state_of(context).connector(name)
    names = [*(wanted or ()), *(more or ())]
    if not names:
        raise typer.BadParameter("Name at least one stream, action or operation.", param_hint="--for")
    needs = [(each, operation) for each in names for operation in _operations_of(connector, each)]
    nodes = _least([node for _, operation in needs for node in operation.permissions], connector.permission_names)
    short = [connector.permission_names.short(node) for node in nodes]
    section = connector.manifest.permissions
    if as_json:
        listed = [
            {"name": each, "operation": operation.id, "permissions": list(operation.permissions)}
            for each, operation in needs
        ]
        portal = {section.portal_key: nodes} if section else {}
        write_json({"scope": ", ".join(short), "nodes": nodes, "portal": portal, "needs": listed})
        return
    rows = [(each, operation.id, ", ".join(operation.permissions) or "none is stated") for each, operation in needs]
    write_table(("for", "operation", "permission"), rows)
    if section is None:
        say(f"{connector.manifest.label} names no permissions: no scope is needed.")
        return
    write(f"\nScope: {', '.join(short) or 'none is needed'}")
    if nodes:
        write("\nFor the application in the vendor's developer portal:")
        write_json({section.portal_key: nodes})


def _operations_of(connector: "Connector", name: str) -> "list[Operation]":
    """Return every operation that a stream or an action calls, or the one of that id."""
    from connector_host.contract.nearest import did_you_mean  # noqa: PLC0415 -- only when it is needed

    streams = {stream.name: stream for stream in connector.manifest.streams}
    if name in streams:
        wanted = [name, *streams[name].parents]
        return [connector.catalogue.get(each) for stream in wanted for each in streams[stream].operations()]
    actions = {action.name: action for action in connector.manifest.actions}
    if name in actions:
        return [connector.catalogue.get(each) for each in actions[name].operations()]
    try:
        return [connector.catalogue.get(name)]
    except UnknownName:
        known = [*streams, *actions, *(operation.id for operation in connector.catalogue)]
        raise UnknownName(
            f'There is no stream, action or operation "{name}".',
            next_step=did_you_mean(name, known) or f"Streams: {', '.join(streams)}.",
        ) from None


def _least(nodes: Sequence[str], names: "PermissionNames") -> list[str]:
    """Return each node once, in order, without those that another one covers."""
    from connector_host.contract.permissions import Scope  # noqa: PLC0415 -- heavy

    every = sorted(set(nodes))
    return [
        node
        for node in every
        if not any(Scope(other, names).covers(node) for other in every if other != node and len(other) < len(node))
    ]
