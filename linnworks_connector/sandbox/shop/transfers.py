"""Stock transfers between the locations of the invented shop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from linnworks_connector.sandbox.draws import generator
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid
from linnworks_connector.sandbox.shop.items import Item

STATUSES: Final = ("Draft", "Request", "Accepted", "Packing", "InTransit", "CheckingIn", "Delivered")
DELIVERED: Final = STATUSES[-1]
"""A transfer that has come leaves the active ones for the archive."""
_SENT: Final = ("InTransit", "CheckingIn", DELIVERED)
_FEWEST, _MOST = 4, 120
_ITEMS_PER_TRANSFER: Final = 40
_MOST_LINES: Final = 4
_AGE_IN_DAYS: Final = {DELIVERED: (20, 170), "Draft": (0.1, 3)}


@dataclass(slots=True)
class TransferLine:
    """Goods of one item (by its index) in a transfer."""

    id: str
    item: int
    requested: int
    sent: int
    received: int


@dataclass(slots=True)
class Transfer:
    """One transfer, with everything in a single box."""

    id: str
    source: ref.Location
    target: ref.Location
    status: str
    reference: str
    ordered: datetime
    lines: list[TransferLine] = field(default_factory=list)
    note: str = ""

    @property
    def archived(self) -> bool:
        """Whether it is in the archive."""
        return self.status == DELIVERED


def seeded_transfers(items: Sequence[Item], seed: int, now: datetime) -> dict[str, Transfer]:
    """Return the transfers that the shop starts with, oldest first; about half of them have come."""
    rng = generator(f"{seed}:transfers")
    movable = [item for item in items if not (item.components or item.variation_parent or item.archived)]
    count = max(_FEWEST, min(_MOST, len(items) // _ITEMS_PER_TRANSFER))
    transfers = []
    for place in range(count if movable else 0):
        status = DELIVERED if place % 2 == 0 else STATUSES[place // 2 % (len(STATUSES) - 1)]
        source, target = rng.sample(ref.LOCATIONS[:3], 2)
        youngest, oldest = _AGE_IN_DAYS.get(status, (1, 18))
        transfer = Transfer(
            id=guid(seed, "transfer", place),
            source=source,
            target=target,
            status=status,
            reference=f"TR{place + 1:05d}",
            ordered=(now - timedelta(days=rng.uniform(youngest, oldest))).replace(microsecond=0),
            note=rng.choice(("", "", "Two pallets.", "Collect before noon.")),
        )
        for line, item in enumerate(rng.sample(movable, min(len(movable), rng.randint(1, _MOST_LINES)))):
            quantity = rng.choice((6, 12, 24, 48))
            sent = quantity if status in _SENT else 0
            received = quantity if status == DELIVERED else 0
            transfer.lines.append(TransferLine(guid(transfer.id, "line", line), item.index, quantity, sent, received))
        transfers.append(transfer)
    return {transfer.id: transfer for transfer in sorted(transfers, key=lambda row: row.ordered)}
