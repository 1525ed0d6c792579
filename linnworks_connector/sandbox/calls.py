"""What a handler is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from linnworks_connector.sandbox.answers import Answer
from linnworks_connector.sandbox.operations import Operation
from linnworks_connector.sandbox.shop import Shop


@dataclass(slots=True)
class Call:
    """One call: the operation, its bound arguments (wrapper taken off, names as in the catalogue), and the shop."""

    operation: Operation
    args: dict[str, Any]
    shop: Shop

    def text(self, name: str, default: str = "") -> str:
        """Return a text argument; `default` when it is missing or null."""
        found = self.args.get(name)
        return default if found is None else str(found)

    def number(self, name: str, default: int) -> int:
        """Return a whole-number argument; `default` when it is missing or null."""
        found = self.args.get(name)
        return default if found is None else int(found)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean argument; `default` when it is missing or null."""
        found = self.args.get(name)
        return default if found is None else bool(found)

    def rows(self, name: str) -> list[Any]:
        """Return a list argument, empty when it is missing or null; a body that is a bare list has the name ""."""
        found = self.args.get(name)
        return found if isinstance(found, list) else []

    def record(self, name: str) -> dict[str, Any]:
        """Return an object argument, empty when it is missing or null."""
        found = self.args.get(name)
        return found if isinstance(found, dict) else {}


Handler = Callable[[Call], Answer]
