"""What people decided about each operation: decisions.csv and paging.yaml, read and checked.

How an operation was decided to read or write, from its name, parameters, answer and the vendor's text:

- It reads if the shop is the same afterwards. A file made from existing data (a CSV export, the address of a label that
  exists), a quote, a search, a check or a trial evaluation reads.
- It writes if anything is created, changed, sent, printed, queued, numbered or remembered, even on request of a flag
  (a packaging calculation that can save; a view that can be marked as last used). A drawn number is gone.
- In doubt it writes: a read is repeated after a lost answer, a write is not.
- It is destructive if something can be gone afterwards: deletes, cancellations, replaced lists, stock written off,
  bulk changes that can delete, orders merged into one.
"""

import csv
from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.catalogue.vendor import VendorOperation

UNDECIDED = "undecided"
_KINDS = ("read", "write", UNDECIDED)
_ENCODINGS = ("json", "form")


class DecisionError(Exception):
    """A row or entry that cannot be used; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Decision:
    """One row of decisions.csv; `id` is frozen once written, whatever the vendor calls the operation later."""

    id: str
    method: str
    path: str
    area: str
    kind: str
    destructive: bool
    encoding: str
    title: str

    @property
    def key(self) -> tuple[str, str, str]:
        """As VendorOperation.key."""
        return self.area, self.method, self.path


def read_decisions(path: Path) -> list[Decision]:
    """Read decisions.csv; a missing file is an empty list.

    Raises:
        DecisionError: an unknown column, kind or encoding, or an id or operation that stands twice.
    """
    if not path.exists():
        return []
    names = [field.name for field in fields(Decision)]
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if reader.fieldnames != names:
            raise DecisionError(f"{path}:1: the columns must be {','.join(names)}")
        rows = [_row(row, path, line) for line, row in enumerate(reader, start=2)]
    for what, values in (("id", [row.id for row in rows]), ("operation", [" ".join(row.key) for row in rows])):
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice:
            raise DecisionError(f"{path}: this {what} stands in two rows: {twice[0]}; remove one")
    return rows


def _row(row: dict[str, str], path: Path, line: int) -> Decision:
    for column, allowed in (("kind", _KINDS), ("encoding", _ENCODINGS), ("destructive", ("yes", ""))):
        if row[column] not in allowed:
            shown = ", ".join(value or "(empty)" for value in allowed)
            raise DecisionError(f"{path}:{line}: {column} is {row[column]!r}; it must be one of {shown}")
    if row["destructive"] and row["kind"] != "write":
        raise DecisionError(f"{path}:{line}: {row['id']} is destructive, so its kind must be write")
    texts = {name: value for name, value in row.items() if name != "destructive"}
    return Decision(**texts, destructive=row["destructive"] == "yes")


def write_decisions(path: Path, decisions: list[Decision]) -> None:
    """Write decisions.csv, sorted by id."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Decision)], lineterminator="\n")
        writer.writeheader()
        for decision in sorted(decisions, key=lambda row: row.id):
            writer.writerow({**asdict(decision), "destructive": "yes" if decision.destructive else ""})


def proposed(operation: VendorOperation, taken: set[str]) -> Decision:
    """An undecided row for an operation that is new, under an id that is free."""
    raw = operation.raw
    name = raw.get("operationId") or _name_of_path(operation, raw.get("summary") or "")
    identifier = f"{operation.area}.{name}"
    number = 2
    while identifier in taken:
        identifier = f"{operation.area}.{name}{number}"
        number += 1
    return Decision(identifier, operation.method, operation.path, operation.area, UNDECIDED, False, "json", "")


def _name_of_path(operation: VendorOperation, summary: str) -> str:
    if summary.isidentifier():
        return summary
    last = [part for part in operation.path.split("/") if part and not part.startswith("{")][-1]
    return operation.method.capitalize() + "".join(word[:1].upper() + word[1:] for word in last.split("-"))


def read_shapes(path: Path, known_ids: set[str]) -> dict[str, dict[str, Any]]:
    """What paging.yaml says, by operation id, as the keys `x-paging` and `x-batch`.

    Raises:
        DecisionError: an entry for an operation that the catalogue does not have.
    """
    if not path.exists():
        return {}
    document = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    for section, entries in document.items():
        unknown = sorted(entries.keys() - known_ids)
        if unknown:
            raise DecisionError(f"{path}: {section} names {unknown[0]}, which is not in decisions.csv")
    shapes: dict[str, dict[str, Any]] = {}
    for section, key in (("paging", "x-paging"), ("batch", "x-batch")):
        for identifier, shape in document.get(section, {}).items():
            shapes.setdefault(identifier, {})[key] = {name: value for name, value in shape.items() if name != "note"}
    return shapes
