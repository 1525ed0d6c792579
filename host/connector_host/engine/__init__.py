"""The one way to the vendor: calls, quotas, retries, pages, pushes."""

import importlib
from typing import TYPE_CHECKING, Any

from .answer import Answer
from .arguments import check_arguments
from .connection import Connection, SignedIn
from .connects import Connects
from .door import Timeouts
from .lanes import QuotaInUse, Usage
from .pull import Page
from .quota import QuotaLedger, open_ledger
from .retry import RetryLimits
from .stats import ConnectionStats

if TYPE_CHECKING:
    from .push import Push
    from .push_report import PushReport, RecordOutcome, RecordResult

__all__ = [
    "Answer",
    "Connection",
    "ConnectionStats",
    "Connects",
    "Page",
    "Push",
    "PushReport",
    "QuotaInUse",
    "QuotaLedger",
    "RecordOutcome",
    "RecordResult",
    "RetryLimits",
    "SignedIn",
    "Timeouts",
    "Usage",
    "check_arguments",
    "open_ledger",
]

_OF_PUSHES = {
    "Push": "push",
    "PushReport": "push_report",
    "RecordOutcome": "push_report",
    "RecordResult": "push_report",
}


def __getattr__(name: str) -> Any:
    # Whoever only reads does without what pushes.
    if name in _OF_PUSHES:
        return getattr(importlib.import_module(f".{_OF_PUSHES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
