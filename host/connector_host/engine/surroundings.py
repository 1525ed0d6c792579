"""What reading a stream needs beside the stream itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_host.contract.catalogue import Catalogue
from connector_host.contract.stream_models import Stream

from .coded import CodedPages
from .lists import Caller

__all__ = ["Surroundings"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source needs beside its stream. `width` is how many requests of a kind are under way at once.

    `coded` gives the pages of a stream that the connector's own code reads.
    """

    call: Caller
    streams: Mapping[str, Stream]
    catalogue: Catalogue
    settings: Mapping[str, Any]
    date_format: str
    width: int
    coded: CodedPages
