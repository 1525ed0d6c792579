"""Writes docs/actions.md: what each action changes, takes, needs and costs, from the manifest, schemas and catalogue.

Run `python -m scripts.action_docs` after an action has changed; `--check` writes nothing and exits 1 when the page
differs.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from connector_host.contract.action_models import Action
from connector_host.contract.manifest_file import ConnectorFolder

from .reference_pages import ROOT, facts, link_to, permissions_of, publish, table

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
    pace = "Records a minute, at most"
    rows = [(link_to(each.name, each.title), each.entity_type, _pace(connector, each)) for each in actions]
    return "\n".join(table(("Action", "Entity type", pace), rows, right=(pace,)))


def _section(connector: ConnectorFolder, action: Action) -> str:
    schema = json.loads(connector.path(action.record_schema).read_text("utf-8"))
    example = {key: rule["examples"][0] for key, rule in schema["properties"].items()}
    return "\n".join(
        [
            action.description,
            "",
            *facts(
                [
                    ("Name", f"`{action.name}`"),
                    ("Entity type", action.entity_type),
                    ("Operations", ", ".join(f"`{each}`" for each in action.operations())),
                    ("Shown by", _shown_by(action)),
                    ("Permissions", permissions_of(connector, action.operations())),
                    ("Record", f"[{action.record_schema}](../{action.record_schema})"),
                ]
            ),
            *table(("Field", "Type", "Required", ""), _fields(schema)),
            "```json",
            json.dumps(example, ensure_ascii=False),
            "```",
            "",
        ]
    )


def _fields(schema: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for key, rule in schema["properties"].items():
        default = f" Default: `{json.dumps(rule['default'])}`." if "default" in rule else ""
        kind = f"{rule['type']} ({rule['format']})" if "format" in rule else rule["type"]
        yield f"`{key}`", kind, "yes" if key in schema["required"] else "", f"{rule['description']}{default}"


def _shown_by(action: Action) -> str:
    if action.code is not None:
        return "the connector's code"
    ways = ["the answer"] if action.answer is not None else []
    ways += [f"reading it back with `{action.read_back.operation}`"] if action.read_back is not None else []
    return " and ".join(ways)


def _pace(connector: ConnectorFolder, action: Action) -> str:
    """Return the quota of the operation that has least: each is called once for a record."""
    rates = [rate for each in action.operations() if (rate := connector.catalogue.get(each).rate) is not None]
    return f"{min(rate.calls * 60 / rate.seconds for rate in rates):g}" if rates else "not stated"


def main(check: bool) -> int:
    """Write or compare the page; return the exit code."""
    return publish(PAGE, page, check=check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
