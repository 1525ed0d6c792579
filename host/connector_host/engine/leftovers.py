"""Ids that gave no record when they were asked for: the end of the run asks once more, and decides what they are.

What the vendor then has no record of is gone, and what it refuses again is dead. What it fails on in passing waits in
the state, and the next run asks for it again; what it has failed on in several runs, for long enough, is dead too.
"""

import datetime
from collections.abc import Sequence

import msgspec

from connector_host.contract.errors import ConnectorHostError, RecordRejected

from .blocks import Block, Dead, Failure
from .preparation import Prepared
from .report import Counts
from .state import Leftover

__all__ = ["Leftovers"]

_MOST = 10_000
"""Ids that a state keeps; with more, the next run reads the whole time of this one again."""

_RUNS, _LONG = 3, datetime.timedelta(days=1)
"""Runs that an id must have failed in, and for how long, before it is dead: an outage of an hour may fill many runs."""


class Leftovers:
    """The leftovers of one run, which stand in its state all the while."""

    def __init__(self, prepared: Prepared, counts: Counts) -> None:
        self._stream = prepared.state.stream
        self._run = prepared.run
        self._counts = counts
        self._error: ConnectorHostError | None = None
        self._too_many = 0
        self._earlier = True
        self._left: dict[bytes, Leftover] = {}

    def add(self, block: Block) -> None:
        """Keep what a block's ids have left over; of what is too much, what failed is read again by the next run."""
        self._error = block.error or self._error
        self._earlier = self._earlier and not block.error
        room = max(0, _MOST - len(self._run.gone))
        self._run.gone += block.left[:room]
        for each in block.left[room:]:
            if each.why == "failed":
                self._too_many += 1
                self._run.failed, self._run.failed_since = True, self._run.since
            else:
                self._decide(each, block)

    def to_ask(self) -> list[Leftover]:
        """Return what is to be asked for once more, each id once."""
        self._left = {_mark(each): each for each in self._run.gone}
        return list(self._left.values())

    def answered(self, block: Block, asked: Sequence[Leftover]) -> None:
        """Decide about leftovers that were asked for again."""
        self._error = block.error or self._error
        before = {_mark(each): self._left.pop(_mark(each)) for each in asked}
        for each in block.left:
            mark = _mark(each)
            if each.why == "failed":
                each.runs, each.first = before[mark].runs + 1, before[mark].first or self._run.started
                if each.runs >= _RUNS and self._run.started - each.first >= _LONG:
                    self._give_up(each, each.first, block)
                else:
                    self._left[mark] = each
            elif each.why == "refused" and before[mark].why != "refused":
                self._left[mark] = each
                self._error = self._error or RecordRejected(each.reason)
            else:
                self._decide(each, block)
        self._run.gone = list(self._left.values())

    def failure(self) -> Failure | None:
        """Return what is left in the end, None where nothing is."""
        number = len(self._run.gone) + self._too_many
        if not number:
            return None
        ids = f"{number:,} {'id' if number == 1 else 'ids'}"
        return Failure(f"{ids} of {self._stream}, asked for again by the next pull", self._error, earlier=self._earlier)

    def _give_up(self, each: Leftover, first: datetime.datetime, block: Block) -> None:
        why = f": {block.error.message}" if block.error is not None else "."
        reason = f"The vendor has failed on it in {each.runs} pulls since {first:%Y-%m-%d %H:%M} UTC{why}"
        block.dead.append(Dead(reason, ids=[each.id]))

    def _decide(self, each: Leftover, block: Block) -> None:
        if each.why == "refused":
            block.dead.append(Dead(each.reason, ids=[each.id]))
        else:
            self._counts.gone += 1


def _mark(each: Leftover) -> bytes:
    return msgspec.json.encode((each.id, each.add))
