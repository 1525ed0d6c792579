"""The one way to the vendor: calls, quotas, retries, pages, pushes."""

from .answer import Answer
from .arguments import check_arguments
from .connection import Connection, Connects, SignedIn
from .door import Timeouts
from .lanes import QuotaInUse, Usage
from .pull import Page
from .push import Push
from .push_report import PushReport, RecordOutcome, RecordResult
from .quota import QuotaLedger, open_ledger
from .retry import RetryLimits
from .stats import ConnectionStats

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
