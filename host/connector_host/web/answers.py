"""Calls that were made from pages: their input and answer, kept for a while so that a reload calls nothing again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import msgspec

from connector_host.contract.errors import ConnectorHostError
from connector_host.engine import Answer

__all__ = ["Trial"]

LARGEST_KEPT = 4_000_000
LARGEST_SHOWN = 100_000


@dataclass(eq=False)
class Trial:
    """One operation with its input, and what came of it: nothing yet, an answer, or an error.

    Answers are bytes as they came, `cut` where there were more than 4 MB; texts for people have 100,000 characters.
    """

    instance_id: str
    operation_id: str
    given: Mapping[str, Any] = field(repr=False)
    answer: Answer | None = field(default=None, repr=False)
    error: ConnectorHostError | None = None
    size: int = 0
    lock: anyio.Lock = field(default_factory=anyio.Lock, repr=False)

    def keep(self, answer: Answer) -> None:
        """Keep the answer, as much of it as there is room for, and what differs from the catalogue."""
        _ = answer.mismatches
        self.size = len(answer.body)
        if self.size > LARGEST_KEPT:
            answer = replace(answer, body=answer.body[:LARGEST_KEPT])
        self.answer = answer

    @property
    def cut(self) -> bool:
        """Whether there was more of the answer than is kept."""
        return self.size > LARGEST_KEPT

    @property
    def made(self) -> bool:
        """Whether the call was made."""
        return self.answer is not None or self.error is not None

    @property
    def too_large(self) -> bool:
        """Whether the page shows the beginning of the answer only."""
        return self.answer is not None and len(self.answer.body) > LARGEST_SHOWN

    def shown(self) -> str:
        """Return the answer for people: JSON with line breaks, its numbers untouched; anything else as text."""
        body = self.answer.body if self.answer else b""
        if not body.strip():
            return ""
        try:
            text = msgspec.json.format(body, indent=2).decode()
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = body.decode("utf-8", "replace")
        return text[:LARGEST_SHOWN]
