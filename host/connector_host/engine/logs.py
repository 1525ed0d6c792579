"""Keeps secrets out of the logs of httpx and httpcore, which write addresses and headers."""

import logging
import threading
import weakref

from connector_host.contract.secrets import Redactor

__all__ = ["hide_in_logs"]

_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
_redactors: "weakref.WeakSet[Redactor]" = weakref.WeakSet()
_lock = threading.Lock()


class _HideSecrets(logging.Filter):
    """Takes every secret of every open connection out of a record before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        with _lock:
            redactors = list(_redactors)
        clean = text
        for redactor in redactors:
            clean = redactor(clean)
        if clean != text:
            record.msg, record.args = clean, ()
        return True


_filter = _HideSecrets()


def hide_in_logs(redactor: Redactor) -> None:
    """Hide the redactor's secrets, now known and learned later, in the HTTP libraries' logs while it is alive."""
    with _lock:
        _redactors.add(redactor)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _filter not in logger.filters:
            logger.addFilter(_filter)
