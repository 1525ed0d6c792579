"""Scheduled imports and exports of the invented shop."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class Register:
    """One scheduled import or export."""

    id: int
    kind: str
    name: str
    enabled: bool = True
    started: datetime | None = None
    completed: datetime | None = None


def seeded_imports(now: datetime) -> dict[int, Register]:
    """Return the imports that the shop starts with."""
    ran = (now - timedelta(hours=7)).replace(microsecond=0)
    done = ran + timedelta(minutes=2)
    return {
        1: Register(1, "StockLevel", "Supplier stock feed", started=ran, completed=done),
        2: Register(2, "StockItemCompositions", "Gift sets", enabled=False),
    }


def seeded_exports(now: datetime) -> dict[int, Register]:
    """Return the exports that the shop starts with."""
    ran = (now - timedelta(hours=3)).replace(microsecond=0)
    return {1: Register(1, "Order", "Orders to accounts", started=ran, completed=ran + timedelta(minutes=1))}
