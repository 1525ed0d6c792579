"""Calls into a connector's code that can neither hang the host nor break it, nor let a secret out."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from connector_host.contract.errors import ConnectorBroken, ConnectorHostError
from connector_host.contract.secrets import Redactor

__all__ = ["HOOK_SECONDS", "IMPORT_SECONDS", "isolated"]

HOOK_SECONDS = 5.0
"""How long a hook may take (decided)."""
IMPORT_SECONDS = 30.0
"""How long the import of a connector's module may take (decided)."""

_log = logging.getLogger("connector_host.hooks")


def isolated(
    what: str, function: Callable[[], Any], *, seconds: float = HOOK_SECONDS, redactor: Redactor | None = None
) -> Any:
    """Return what `function` returns, called in a thread of its own.

    Errors of the contract pass through. Everything else, and a call that is not over in time, is ConnectorBroken, with
    the exception's text in the detail and secrets taken out. A thread that hangs is left behind: Python cannot end it.
    Calls are logged at DEBUG on `connector_host.hooks`.
    """
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["result"] = function()
        except BaseException as error:  # noqa: BLE001 -- a connector's SystemExit must not end the host either
            outcome["error"] = error

    started = time.perf_counter()
    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    _log.debug("%s took %.1f ms", what, (time.perf_counter() - started) * 1000)
    if "error" in outcome:
        error = outcome["error"]
        if isinstance(error, ConnectorHostError):
            raise error
        hidden = redactor or Redactor()
        raise ConnectorBroken(
            f"{what} raised {type(error).__name__}.",
            detail=hidden(str(error)),
            next_step="Update the connector, or tell its publisher.",
        ) from None
    if "result" not in outcome:
        raise ConnectorBroken(
            f"{what} did not return within {seconds:g} seconds.",
            next_step="Update the connector, or tell its publisher.",
        )
    return outcome["result"]
