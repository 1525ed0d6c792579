"""What the web face can be told when it starts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector_host.contract.clock import Clock, SystemClock
from connector_host.instances import Home

from .access import Access

__all__ = ["LOOPBACK_HOSTS", "WebOptions"]

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class WebOptions:
    """Where the instances are, who may come in, and under which names the pages are reached.

    `host_names` are those that a browser may ask for, without ports. `secure` marks cookies for HTTPS only.
    `largest_body` is in bytes, `idle_seconds` is how long a sign-in lasts without use.
    """

    home: Home
    access: Access
    folders: Sequence[Path] = ()
    host_names: Sequence[str] = LOOPBACK_HOSTS
    secure: bool = False
    largest_body: int = 1024 * 1024
    idle_seconds: float = 12 * 3600
    clock: Clock = field(default_factory=SystemClock)
