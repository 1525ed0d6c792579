"""Permissions as a tree of nodes: what a scope grants, what an operation needs, and what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

from .nearest import nearest

__all__ = ["PermissionNames", "Scope"]


@dataclass(frozen=True, slots=True)
class PermissionNames:
    """How a vendor writes its nodes: `prefix` + dotted name + `suffix`; `everything` stands for all of them."""

    prefix: str = ""
    suffix: str = ""
    everything: str = "all"

    def short(self, node: str) -> str:
        """Return the node without prefix and suffix: `OrderBook.OpenOrders`."""
        node = node.strip()
        if node.lower().startswith(self.prefix.lower()):
            node = node[len(self.prefix) :]
        if self.suffix and node.lower().endswith(self.suffix.lower()) and len(node) > len(self.suffix):
            node = node[: -len(self.suffix)]
        return node

    def full(self, node: str) -> str:
        """Return the node as the vendor writes it."""
        return f"{self.prefix}{self.short(node)}{self.suffix}"


class Scope:
    """The permissions that an instance was granted.

    `text` is a list of nodes, separated by blanks, commas or semicolons. Short forms and any case are accepted; a
    node covers every node below it; the word for everything covers all.
    """

    def __init__(self, text: str, names: PermissionNames, known: Iterable[str] = ()) -> None:
        self._names = names
        self._known = {names.short(node).lower(): names.short(node) for node in known}
        words = text.replace(",", " ").replace(";", " ").split()
        self.covers_everything = any(word.lower() == names.everything.lower() for word in words)
        self.nodes = [names.short(word) for word in words if word.lower() != names.everything.lower()]

    def covers(self, node: str) -> bool:
        """Tell whether the node, or one above it, was granted."""
        wanted = self._names.short(node).lower()
        return self.covers_everything or any(
            wanted == granted.lower() or wanted.startswith(granted.lower() + ".") for granted in self.nodes
        )

    def missing(self, needed: Iterable[str]) -> list[str]:
        """Return the needed nodes that are not covered, as the vendor writes them."""
        return [self._names.full(node) for node in needed if not self.covers(node)]

    def warnings(self) -> list[str]:
        """Return a sentence for each node that is neither known nor above a known one; the vendor may have more."""
        if not self._known:
            return []
        found = []
        for node in self.nodes:
            lowered = node.lower()
            if lowered in self._known or any(known.startswith(lowered + ".") for known in self._known):
                continue
            close = nearest(node, self._known.values(), most=1)
            hint = f" The nearest known one is {close[0]}." if close else ""
            found.append(f"{node} is not a known permission; it is kept as it is.{hint}")
        return found
