"""Command line of the catalogue script.

Exit codes: 0 nothing left to do, 1 `--check` found differences, 2 a person has to decide or repair something.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.catalogue.changes import Changes, compare
from scripts.catalogue.decisions import (
    UNDECIDED,
    Decision,
    DecisionError,
    proposed,
    read_decisions,
    read_shapes,
    write_decisions,
)
from scripts.catalogue.documents import build_document, permission_counts, read_documents, text_of
from scripts.catalogue.vendor import VendorFile, VendorFileError, read_folder

_REPOSITORY = Path(__file__).resolve().parents[2]
EXIT_DIFFERS, EXIT_NEEDS_A_PERSON = 1, 2


@dataclass(frozen=True)
class Places:
    """Where the catalogue lives; `schemas` is the folder above `operations`."""

    schemas: Path

    @property
    def operations(self) -> Path:
        """The folder of documents, one per area."""
        return self.schemas / "operations"

    @property
    def decisions(self) -> Path:
        """What each operation is called and whether it reads or writes."""
        return self.operations / "decisions.csv"

    @property
    def paging(self) -> Path:
        """How operations page and how much they take at once."""
        return self.operations / "paging.yaml"

    @property
    def permissions(self) -> Path:
        """The permission nodes that operations name."""
        return self.schemas / "permissions.json"


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.catalogue",
        description="Derive schemas/operations from the vendor's OpenAPI files and print what changed.",
    )
    parser.add_argument("folder", type=Path, help="folder that holds the vendor's JSON files, at any depth")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the catalogue would change")
    parser.add_argument(
        "--schemas", type=Path, default=_REPOSITORY / "schemas", help="default: schemas of this repository"
    )
    options = parser.parse_args(arguments)
    try:
        return _run(options.folder, Places(options.schemas), check=options.check)
    except (VendorFileError, DecisionError) as error:
        print(f"catalogue: {error}", file=sys.stderr)
        return EXIT_NEEDS_A_PERSON


def _run(folder: Path, places: Places, *, check: bool) -> int:
    files = read_folder(folder)
    decisions = read_decisions(places.decisions)
    new, vanished = _match(files, decisions)
    undecided = [*new, *(row for row in decisions if row.kind == UNDECIDED or not row.title)]
    _list("Operations without a decision", [f"{row.id}  {row.method} {row.path}" for row in undecided])
    _list("Rows of operations that vanished", [f"{row.id}  {row.method} {row.path}" for row in vanished])
    if undecided:
        if new and not check:
            write_decisions(places.decisions, [*decisions, *new])
        print(f"Decide kind, destructive, encoding and title in {places.decisions}, then run this again.")
        return EXIT_DIFFERS if check else EXIT_NEEDS_A_PERSON
    documents = _build(files, decisions, places)
    changes = compare(read_documents(places.operations), documents)
    _report(changes)
    stale = _stale(documents, places)
    if check:
        _list("Files that would change", sorted(str(path.relative_to(places.schemas)) for path in stale))
        return EXIT_DIFFERS if stale or vanished else 0
    _write(stale)
    print(
        f"{sum(len(file.operations) for file in files)} operations in {len(files)} areas; {len(stale)} files written."
    )
    if vanished:
        print(f"Remove the rows of operations that vanished from {places.decisions}.")
    return EXIT_NEEDS_A_PERSON if vanished else 0


def _match(files: list[VendorFile], decisions: list[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Rows to propose for new operations, and rows whose operation is no longer in the vendor's files."""
    stated = {operation.key: operation for file in files for operation in file.operations}
    decided = {row.key for row in decisions}
    taken = {row.id for row in decisions}
    new = []
    for key, operation in stated.items():
        if key not in decided:
            row = proposed(operation, taken)
            taken.add(row.id)
            new.append(row)
    return new, [row for row in decisions if row.key not in stated]


def _build(files: list[VendorFile], decisions: list[Decision], places: Places) -> dict[str, dict[str, Any]]:
    by_key = {row.key: row for row in decisions}
    shapes = read_shapes(places.paging, {row.id for row in decisions})
    return {file.area: build_document(file, by_key, shapes) for file in files}


def _stale(documents: dict[str, dict[str, Any]], places: Places) -> dict[Path, str | None]:
    """Files whose text differs from what it should be; None for a file that should not be there."""
    wanted: dict[Path, str | None] = dict.fromkeys(places.operations.glob("*.json"))
    wanted |= {places.operations / f"{area}.json": text_of(document) for area, document in documents.items()}
    wanted[places.permissions] = text_of(permission_counts(documents.values()))
    return {
        path: text
        for path, text in wanted.items()
        if text is None or not path.exists() or path.read_text(encoding="utf-8") != text
    }


def _write(stale: dict[Path, str | None]) -> None:
    for path, text in stale.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")


def _report(changes: Changes) -> None:
    _list("Added", changes.added)
    _list("Removed", changes.removed)
    for heading, changed in (("Changed", changes.operations), ("Changed schemas", changes.schemas)):
        lines = [line for name, each in changed.items() for line in (name, *(f"  {detail}" for detail in each))]
        _list(heading, lines, len(changed))
    if not changes:
        print("No operation changed.")


def _list(heading: str, lines: list[str], count: int | None = None) -> None:
    if lines:
        print(f"{heading} ({len(lines) if count is None else count})")
        for line in lines:
            print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
