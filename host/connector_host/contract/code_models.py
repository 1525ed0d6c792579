"""The models of what a manifest says about a connector's own code."""

from pydantic import Field

from .closed import Closed, Key, OperationId

__all__ = ["ActionCodeSection", "CodeSection", "StreamCodeSection", "StreamCodeTime"]


class StreamCodeTime(Closed):
    """That code can read only what changed from a time on; both ends are inclusive."""

    until: bool = False
    """Whether it takes a latest time as well."""
    required: bool = False
    """Whether the vendor refuses to list without dates."""
    default_days: int = Field(default=90, ge=1, le=3660)
    """How far back a first pull without `since` reaches where dates are required."""
    overlap: int = Field(default=600, ge=0, le=86_400)
    """Seconds that a pull reaches back behind the one before it, for late rows and clocks that differ."""


class CodeSection(Closed):
    """What code may call, and the settings that it reads."""

    operations: tuple[OperationId, ...] = Field(min_length=1)
    """Ids of all operations that the code may call; others are refused. The code of a stream may only read."""
    settings: tuple[Key, ...] = ()
    """Keys of the instance's settings that the code reads."""


class StreamCodeSection(CodeSection):
    """That the connector's code reads the stream, through the hook `stream_code`."""

    time: StreamCodeTime | None = None
    """How the reading is limited by time; absent where it always reads everything."""


class ActionCodeSection(CodeSection):
    """That the connector's code pushes the record, through the hook `action_code`."""
