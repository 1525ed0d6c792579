"""What the generated reference pages share: Markdown tables, links, permissions, and writing or comparing a page."""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from connector_host.contract.manifest_file import ConnectorFolder, read_manifest
from connector_host.contract.permissions import PermissionNames

ROOT = Path(__file__).resolve().parent.parent


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[str] = ()) -> list[str]:
    """Return the lines of a table, with the blank one behind it; the columns in `right` are aligned there."""
    head = "".join(f" {name} |" if name else " |" for name in columns)
    rule = "".join(" ---: |" if name in right else " --- |" for name in columns)
    return [f"|{head}", f"|{rule}", *(f"| {' | '.join(row)} |" for row in rows), ""]


def facts(named: Iterable[tuple[str, str]]) -> list[str]:
    """Return the lines of a table of names and what is said about them."""
    return table(("", ""), named)


def link_to(name: str, title: str) -> str:
    """Return a link from a name to the section of its title, as GitHub makes anchors."""
    anchor = "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")
    return f"[`{name}`](#{anchor})"


def permissions_of(connector: ConnectorFolder, operations: Iterable[str]) -> str:
    """Return the permission nodes that any of the operations needs, in the short form of a scope."""
    section = connector.manifest.permissions
    names = PermissionNames(section.prefix, section.suffix, section.everything) if section else PermissionNames()
    nodes = {names.short(node) for each in operations for node in connector.catalogue.get(each).permissions}
    return ", ".join(f"`{node}`" for node in sorted(nodes)) or "none that the vendor names"


def publish(path: Path, page: Callable[[ConnectorFolder], str], *, check: bool) -> int:
    """Write the connector's page, or with `check` compare it; return 1 where the compared one differs, else 0."""
    text = page(read_manifest(ROOT / "connector.yaml"))
    if path.is_file() and path.read_text("utf-8") == text:
        return 0
    print(f"{'differs' if check else 'wrote'}: {path.relative_to(ROOT)}")
    if not check:
        path.write_text(text, "utf-8")
    return 1 if check else 0
