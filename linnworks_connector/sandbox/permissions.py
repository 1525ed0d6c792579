"""Which permission nodes an application holds, and whether they cover what an operation asks for."""

from collections.abc import Iterable


def _parts(node: str) -> tuple[str, ...]:
    parts = [part.strip().casefold() for part in node.split(".")]
    if parts and parts[0] == "globalpermissions":
        parts = parts[1:]
    if parts and parts[-1] != "node":
        parts[-1] = parts[-1].removesuffix("node")
    return tuple(parts)


class Permissions:
    """Granted nodes. A parent covers its children; short forms (`OrderBook.OpenOrders`) and full ones are alike."""

    def __init__(self, granted: str | Iterable[str]) -> None:
        self._all = granted == "all"
        self._granted = () if isinstance(granted, str) else tuple(_parts(node) for node in granted)

    def missing(self, needed: Iterable[str]) -> str | None:
        """Return the first node of `needed` that is not covered, or None."""
        if self._all:
            return None
        for node in needed:
            parts = _parts(node)
            if not any(parts[: len(granted)] == granted for granted in self._granted):
                return node
        return None
