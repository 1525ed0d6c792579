"""How much of an instance's quota is in use, for its page."""

import datetime
from dataclasses import dataclass

from connector_host.contract.errors import ConnectorHostError
from connector_host.embedding import quota_in_use
from connector_host.engine import QuotaInUse
from connector_host.instances import Instance

from .host import WebHost

__all__ = ["QuotaNow", "quota_now"]


@dataclass(frozen=True, slots=True)
class QuotaNow:
    """What is in use of an instance's quota, or the problem that keeps it from being told."""

    taken_at: datetime.datetime
    in_use: QuotaInUse | None = None
    problem: ConnectorHostError | None = None


def quota_now(host: WebHost, instance: Instance) -> QuotaNow:
    """Return how much of an instance's quota is in use, whoever has called its vendor."""
    now = datetime.datetime.now(datetime.UTC)
    try:
        connector = host.connector(instance.connector)
        return QuotaNow(now, quota_in_use(host.store, instance, connector, host.home, host.redactor))
    except ConnectorHostError as problem:
        return QuotaNow(now, problem=problem)
