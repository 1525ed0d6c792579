"""A connector's local stand-in for its vendor: for trying, testing and building flows without an account."""

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["RunningSandbox", "Sandbox"]


class RunningSandbox(Protocol):
    """A stand-in that is listening on loopback."""

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""

    @property
    def credentials(self) -> Mapping[str, str]:
        """Credentials that it accepts, by key."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that point an instance to it, by key."""

    def close(self) -> None:
        """Stop listening and free everything."""


class Sandbox(Protocol):
    """What a connector's `sandbox` hook returns."""

    options_schema: Mapping[str, Any]
    """JSON Schema of the options: a flat object with titles and defaults."""

    def start(self, options: Mapping[str, Any], *, port: int = 0) -> RunningSandbox:
        """Start listening on a port of 127.0.0.1, any free one for 0. Raises InputInvalid for wrong options."""
