"""Writes docs/streams.md: what each stream gives, needs and costs, from the manifest, the catalogue and the samples.

Run `python -m scripts.stream_docs` after a stream has changed; `--check` writes nothing and exits 1 when the page
differs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from connector_host.contract.manifest_file import ConnectorFolder
from connector_host.contract.stream_models import Filter, Stream
from connector_host.engine.plan import days_needed, limits_of
from connector_host.engine.preparation import is_incremental, limited_by

from .reference_pages import ROOT, facts, link_to, permissions_of, publish, table
from .stream_costs import Cost, costs_of, unit_of

PAGE = ROOT / "docs" / "streams.md"
_GAPS = Path(__file__).with_name("stream_gaps.md")
_HEAD = """# Streams

Everything that the connector can pull. This page is generated: change the manifest, then run
`python -m scripts.stream_docs`.

Costs are requests for a thousand units, and the minutes of the operation's quota that they take. Quotas are by
operation and session, so operations of one stream run beside each other and the slowest sets the pace.

Modes: **full** gives everything; **incremental** gives what came or changed since the last pull; **changes** compares
everything with the last pull and gives what was created, updated or removed.

A stream that is read incrementally can be asked for its changes too (`--mode changes`), which finds what was updated
without its time moving on. Where its limits name a number of days, the vendor lists it only within times: without a
since or an until each pull compares those days, gives what was created or updated in them, and says that it cannot tell
what was removed from what has become older.

A list may move while it is read: a record that leaves it moves all behind it up, one of them across the edge of a page
that was read already. A list that tells how many records it has shows that by itself, and one that tells only its pages
by up to two requests more, for its first and its last page; it is then read again. What leaves and comes in between the
same two requests for the last page stays unseen, as does a move in a list without any total: there the next pull brings
what was passed over, as far as it lists it again.

An id whose record the vendor refuses twice, and a record that cannot be read, stand in the dead letters with the
reason. What only failed in passing is told, and asked for again by the next pull; after three pulls and a
day it is dead as well.
"""


def page(connector: ConnectorFolder) -> str:
    """Return the whole page."""
    streams = connector.manifest.streams
    parts = [_HEAD, _overview(connector, streams)]
    parts += [f"## {stream.title}\n\n{_section(connector, stream)}" for stream in streams]
    return "\n".join((*parts, _GAPS.read_text("utf-8")))


def _overview(connector: ConnectorFolder, streams: tuple[Stream, ...]) -> str:
    rows = [
        (
            link_to(each.name, each.title),
            each.entity_type,
            ", ".join(_modes(connector, each)),
            _slowest(_own_costs(connector, each)),
        )
        for each in streams
    ]
    return "\n".join(table(("Stream", "Entity type", "Modes", "Minutes of quota for 1,000 units"), rows))


def _section(connector: ConnectorFolder, stream: Stream) -> str:
    sample = (connector.folder / "schemas" / "samples" / f"{stream.name}.json").read_text("utf-8").rstrip()
    return "\n".join(
        [
            stream.description,
            "",
            *facts(
                [
                    ("Name", f"`{stream.name}`"),
                    ("Entity type", stream.entity_type),
                    ("Primary key", ", ".join(f"`{field}`" for field in stream.primary_key)),
                    ("Cursor", f"`{stream.cursor}`" if stream.cursor else "none"),
                    ("Modes", ", ".join(_modes(connector, stream))),
                    ("Limits", _limits(connector, stream)),
                    ("Permissions", permissions_of(connector, _operations(connector, stream))),
                    ("Record", f"[{stream.record_schema}](../{stream.record_schema})"),
                ]
            ),
            *_filters(stream),
            *_costs(connector, stream),
            "<details><summary>Sample record</summary>",
            "",
            "```json",
            sample,
            "```",
            "",
            "</details>",
            "",
        ]
    )


def _modes(connector: ConnectorFolder, stream: Stream) -> tuple[str, ...]:
    streams = {each.name: each for each in connector.manifest.streams}
    return ("full", "incremental") if is_incremental(stream, streams) else ("full", "changes")


def _limits(connector: ConnectorFolder, stream: Stream) -> str:
    """Return the times that a pull can be limited to, its own or those of the parents that it follows."""
    limited = limited_by(stream, {each.name: each for each in connector.manifest.streams})
    since, until = limits_of(limited)
    names = ", ".join(name for name, has in (("since", since), ("until", until)) if has) or "none"
    days = days_needed(limited)
    return names if days is None else f"{names}; the last {days:,} days where none is given"


def _operations(connector: ConnectorFolder, stream: Stream) -> Iterator[str]:
    """Yield every operation on every way to a stream's records, those of its parents included."""
    yield from stream.operations()
    for parent in stream.parents:
        yield from _operations(connector, connector.manifest.stream(parent))


def _filters(stream: Stream) -> list[str]:
    rows = [(f"`{each.name}`", _choices(each), each.help) for each in stream.filters]
    return table(("Filter", "Values", ""), rows) if rows else []


def _choices(each: Filter) -> str:
    return ", ".join(f"`{name}`" for name in each.choices) or "any"


def _own_costs(connector: ConnectorFolder, stream: Stream, way: int = 0) -> list[Cost]:
    return costs_of(connector.manifest, connector.catalogue, stream, way)


def _slowest(costs: list[Cost]) -> str:
    if any(cost.by_code for cost in costs):
        return "unknown"
    known = [cost.minutes for cost in costs if cost.minutes is not None]
    if known:
        return f"{max(known):.2f}"
    return "not stated" if any(cost.requests for cost in costs) else "one list"


def _costs(connector: ConnectorFolder, stream: Stream) -> list[str]:
    requests = f"Requests for 1,000 {unit_of(connector.manifest, stream)}"
    numbers = (requests, "Limit a minute", "Minutes of quota")
    lines: list[str] = []
    for way in range(len(stream.ways)):
        if stream.fallback is not None:
            name = (stream.fallback.first, stream.fallback.second)[way]
            lines += [f"With `{stream.fallback.setting}: {name}`:", ""]
        rows = map(_cost_row, _own_costs(connector, stream, way))
        lines += table(("Operation", requests, "", *numbers[1:]), rows, right=numbers)
    return lines


def _cost_row(cost: Cost) -> tuple[str, ...]:
    requests = "" if cost.requests is None else f"{cost.requests:,}"
    minutes = "" if cost.minutes is None else f"{cost.minutes:.2f}"
    limit = "not stated" if cost.calls is None else f"{cost.calls * 60 / cost.seconds:g}"
    return f"`{cost.operation}`", requests, cost.said, limit, minutes


def main(check: bool) -> int:
    """Write or compare the page; return the exit code."""
    return publish(PAGE, page, check=check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
