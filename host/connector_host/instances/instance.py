"""What an instance is: a connector, set up with one account at the vendor."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector_host.contract.errors import ConfigurationError

__all__ = ["Instance", "InstanceState"]


class InstanceState(StrEnum):
    """Whether an instance can be used, as far as is known."""

    OK = "ok"
    UNTESTED = "untested"
    INCOMPLETE = "incomplete"
    REJECTED = "rejected"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Instance:
    """One set-up of a connector, without its credentials: nothing in it is secret.

    `account` is who answered at the last test, `tested_at` when that was (aware, UTC). `state_message` says why the
    vendor rejects the credentials, or which secrets are missing.
    """

    id: str
    name: str
    connector: str
    connector_version: int
    authentication: str
    settings: Mapping[str, Any]
    account: str
    tested_at: datetime.datetime | None
    state: InstanceState
    state_message: str
    created_at: datetime.datetime
    updated_at: datetime.datetime

    @property
    def usable(self) -> bool:
        """Whether anything can use it: it is neither disabled nor without its secrets."""
        return self.state not in (InstanceState.DISABLED, InstanceState.INCOMPLETE)

    def check_usable(self) -> None:
        """Raise ConfigurationError where nothing can use it.

        One whose credentials the vendor rejects can be used, as the vendor may take them again.
        """
        if self.state is InstanceState.DISABLED:
            raise ConfigurationError(f'The instance "{self.name}" is disabled.', next_step="Enable it first.")
        if self.state is InstanceState.INCOMPLETE:
            raise ConfigurationError(
                f'The instance "{self.name}" cannot be used yet. {self.state_message}'.rstrip(),
                next_step="Edit it, and enter them.",
            )
