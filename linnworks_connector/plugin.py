"""The connector's hooks: the only door between a host and this package. Each imports what it needs when it fires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connector_host.contract.markers import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from connector_host.contract.action_models import Action
    from connector_host.contract.answers import Meaning, RawAnswer
    from connector_host.contract.auth import AuthContext
    from connector_host.contract.catalogue import Operation
    from connector_host.contract.code import ActionCode
    from connector_host.contract.sandbox import Sandbox

__all__ = ["action_code", "auth_handler", "manifest", "operations", "read_answer", "sandbox"]

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE if (_PACKAGE / "connector.yaml").is_file() else _PACKAGE.parent


@hookimpl
def manifest() -> Path:
    """Return the path of connector.yaml: in the package when installed, above it in a checkout."""
    return _ROOT / "connector.yaml"


@hookimpl
def operations() -> Sequence[Path]:
    """Return the documents of the 743 operations."""
    return sorted((_ROOT / "schemas" / "operations").glob("*.json"))


@hookimpl
def auth_handler(context: AuthContext) -> httpx.Auth:
    """Return the session handler of AuthorizeByApplication, the only method."""
    from .auth import AuthorizeByApplication  # noqa: PLC0415 -- importing the plugin must stay cheap

    return AuthorizeByApplication(context)


@hookimpl
def read_answer(operation: Operation, answer: RawAnswer) -> Meaning | None:
    """Return what an answer means where its status would mislead."""
    from .responses import read_answer as read  # noqa: PLC0415 -- importing the plugin must stay cheap

    return read(operation, answer)


@hookimpl
def action_code(action: Action) -> ActionCode | None:
    """Return the code of the actions whose calls clear what is left out."""
    from .actions.items import UpdateItem  # noqa: PLC0415 -- importing the plugin must stay cheap
    from .actions.orders import SetTrackingNumber  # noqa: PLC0415 -- as above

    known: dict[str, ActionCode] = {"update_item": UpdateItem(), "set_tracking_number": SetTrackingNumber()}
    return known.get(action.name)


@hookimpl
def sandbox() -> Sandbox:
    """Return the stand-in for Linnworks that runs on this machine."""
    from .sandbox.plugin import LinnworksSandbox  # noqa: PLC0415 -- it needs a web server, which is an extra

    return LinnworksSandbox()
