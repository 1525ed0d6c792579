"""What the checks of a manifest share: a problem with its place in the file, and JSON files that may be missing."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .errors import Problem
from .manifest_file import ConnectorFolder

__all__ = ["Check", "Where", "json_in", "problem_at"]

Where = Sequence[str | int]
Check = Callable[[ConnectorFolder], Iterator[Problem]]


def problem_at(connector: ConnectorFolder, path: Where, rule: str, sentence: str, fix: str = "") -> Problem:
    """Return a problem of what stands at `path` of the manifest, with its line and column."""
    return Problem(connector.where(tuple(path)), rule, sentence, fix)


def json_in(path: Path) -> Any:
    """Return what a JSON file holds, None when there is none or it is no JSON."""
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
