"""What the checks of a manifest share: a problem with its place in the file, and files that may be missing or wrong."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .catalogue import Catalogue
from .errors import ConnectorBroken, Problem
from .manifest_file import ConnectorFolder

__all__ = ["Check", "Where", "json_in", "problem_at", "readable_catalogue"]

Where = Sequence[str | int]
Check = Callable[[ConnectorFolder], Iterator[Problem]]


def problem_at(connector: ConnectorFolder, path: Where, rule: str, sentence: str, fix: str = "") -> Problem:
    """Return a problem of what stands at `path` of the manifest, with its line and column."""
    return Problem(connector.where(tuple(path)), rule, sentence, fix)


def json_in(path: Path) -> Any:
    """Return what a JSON file holds, None when there is none or it is no JSON."""
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return None


def readable_catalogue(connector: ConnectorFolder) -> Catalogue | None:
    """Return the catalogue, None where a document of it cannot be read: another check says so."""
    try:
        catalogue = connector.catalogue
        len(catalogue)
    except ConnectorBroken:
        return None
    return catalogue
