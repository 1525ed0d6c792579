"""How much of an instance's quota is in use, for its page."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from connector_host.contract.errors import ConnectorHostError
from connector_host.embedding import quota_in_use
from connector_host.engine import Usage
from connector_host.instances import Instance

from .host import WebHost

__all__ = ["Quota", "quota_now"]


@dataclass(frozen=True, slots=True)
class Quota:
    """What is in use of an instance's own limit and of each operation's, or what keeps it from being told."""

    taken_at: datetime.datetime
    whole: Usage | None = None
    operations: Mapping[str, Usage] = field(default_factory=dict)
    problem: ConnectorHostError | None = None


def quota_now(host: WebHost, instance: Instance) -> Quota:
    """Return how much of an instance's quota is in use, whoever has called its vendor."""
    now = datetime.datetime.now(datetime.UTC)
    try:
        connector = host.connector(instance.connector)
        used = quota_in_use(host.store, instance, connector, host.home, host.redactor)
    except ConnectorHostError as problem:
        return Quota(now, problem=problem)
    return Quota(now, used.pop("*", None), dict(sorted(used.items())))
