"""Writes docs/actions.md: what each action changes, takes, needs and costs, from the manifest, schemas and catalogue.

Run `python -m scripts.action_docs` after an action has changed; `--check` writes nothing and exits 1 when the page
differs.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector_host.contract.action_models import Action
from connector_host.contract.manifest_file import ConnectorFolder, read_manifest
from connector_host.contract.permissions import PermissionNames

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "actions.md"
_HEAD = """# Actions

Everything that the connector can push, a record at a time: `connector-host push` and `shop.push(…)` from Python. This
page is generated: change the manifest or a schema, then run `python -m scripts.action_docs`.

No write is sent twice by itself. Where an action is **read back**, a success that changed nothing is told as rejected,
and a write whose answer was lost as written when it shows. Other lost answers are told as unknown.
"""


def page(connector: ConnectorFolder) -> str:
    """Return the whole page."""
    actions = connector.manifest.actions
    parts = [_HEAD, _overview(connector, actions)]
    parts += [f"## {action.title}\n\n{_section(connector, action)}" for action in actions]
    return "\n".join(parts)


def _overview(connector: ConnectorFolder, actions: tuple[Action, ...]) -> str:
    rows = [
        f"| [`{action.name}`](#{_anchor(action.title)}) | {action.entity_type} | {_pace(connector, action)} |"
        for action in actions
    ]
    return "\n".join(["| Action | Entity type | Records a minute, at most |", "| --- | --- | ---: |", *rows, ""])


def _anchor(title: str) -> str:
    return "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def _section(connector: ConnectorFolder, action: Action) -> str:
    schema = json.loads(connector.path(action.record_schema).read_text("utf-8"))
    facts = [
        ("Name", f"`{action.name}`"),
        ("Entity type", action.entity_type),
        ("Operations", ", ".join(f"`{each}`" for each in action.operations())),
        ("Shown by", _shown_by(action)),
        ("Permissions", _permissions(connector, action)),
        ("Record", f"[{action.record_schema}](../{action.record_schema})"),
    ]
    example = {key: rule["examples"][0] for key, rule in schema["properties"].items()}
    return "\n".join(
        [
            action.description,
            "",
            "| | |",
            "| --- | --- |",
            *(f"| {name} | {text} |" for name, text in facts),
            "",
            "| Field | Type | Required | |",
            "| --- | --- | --- | --- |",
            *_fields(schema),
            "",
            "```json",
            json.dumps(example, ensure_ascii=False),
            "```",
            "",
        ]
    )


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    for key, rule in schema["properties"].items():
        default = f" Default: `{json.dumps(rule['default'])}`." if "default" in rule else ""
        kind = f"{rule['type']} ({rule['format']})" if "format" in rule else rule["type"]
        yield f"| `{key}` | {kind} | {'yes' if key in schema['required'] else ''} | {rule['description']}{default} |"


def _shown_by(action: Action) -> str:
    if action.code is not None:
        return "the connector's code"
    ways = ["the answer"] if action.answer is not None else []
    ways += [f"reading it back with `{action.read_back.operation}`"] if action.read_back is not None else []
    return " and ".join(ways)


def _permissions(connector: ConnectorFolder, action: Action) -> str:
    section = connector.manifest.permissions
    names = PermissionNames(section.prefix, section.suffix, section.everything) if section else PermissionNames()
    nodes = {names.short(node) for each in action.operations() for node in connector.catalogue.get(each).permissions}
    return ", ".join(f"`{node}`" for node in sorted(nodes)) or "none that the vendor names"


def _pace(connector: ConnectorFolder, action: Action) -> str:
    """Return the quota of the operation that has least: each is called once for a record."""
    rates = [rate for each in action.operations() if (rate := connector.catalogue.get(each).rate) is not None]
    return f"{min(rate.calls * 60 / rate.seconds for rate in rates):g}" if rates else "not stated"


def main(check: bool) -> int:
    """Write or compare the page; return the exit code."""
    text = page(read_manifest(ROOT / "connector.yaml"))
    if PAGE.is_file() and PAGE.read_text("utf-8") == text:
        return 0
    print(f"{'differs' if check else 'wrote'}: {PAGE.relative_to(ROOT)}")
    if not check:
        PAGE.write_text(text, "utf-8")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
