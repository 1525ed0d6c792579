"""Upkeep of the host: encryption keys, for how long runs are remembered, and tokens."""

from dataclasses import asdict
from typing import Any

from connector_host.instances import key_source
from connector_host.runs.retention import RETENTION_SCHEMA, RetentionStore

from .endpoint import Call, Endpoint
from .schemas import page_of, ref

__all__ = ["ENDPOINTS"]


def _retention(call: Call) -> RetentionStore:
    return RetentionStore(call.host.store.database, call.host.home)


def show_retention(call: Call) -> Any:
    """Show for how long logs, files and samples of runs are kept."""
    return asdict(_retention(call).get())


def change_retention(call: Call) -> Any:
    """Change for how long they are kept; what is left out stays."""
    return asdict(_retention(call).set(call.body))


def list_keys(call: Call) -> Any:
    """List the ids of the encryption keys, without the keys; the first one writes."""
    ring = key_source(call.host.home).load()
    items = [{"id": key.id, "writes": number == 0} for number, key in enumerate(ring or ())]
    return {"total": len(items), "items": items}


def rotate_keys(call: Call) -> Any:
    """Write every stored secret anew under a new key. Where it was interrupted, the next time goes on."""
    return asdict(call.host.store.rotate_keys())


def list_tokens(call: Call) -> Any:
    """List tokens, without their secrets. They are made by a person only: on the settings page, or with a command."""
    found = call.host.tokens.list()
    return {"total": len(found), "items": [asdict(each) for each in found]}


def revoke_token(call: Call) -> Any:
    """End a token at once, also the one that the request is sent with."""
    call.host.tokens.revoke(call.path["token"])


_TAG, _RETENTION = "upkeep", "/retention"
ENDPOINTS = (
    Endpoint("GET", _RETENTION, show_retention, "Show the retention", _TAG, gives=ref("Retention")),
    Endpoint(
        "PATCH",
        _RETENTION,
        change_retention,
        "Change the retention",
        _TAG,
        gives=ref("Retention"),
        body=RETENTION_SCHEMA,
    ),
    Endpoint("GET", "/keys", list_keys, "List encryption keys", _TAG, gives=page_of("Key"), errors=(409,)),
    Endpoint(
        "POST", "/keys/rotate", rotate_keys, "Rotate the encryption keys", _TAG, gives=ref("Rotation"), errors=(409,)
    ),
    Endpoint("GET", "/tokens", list_tokens, "List tokens", _TAG, gives=page_of("Token")),
    Endpoint("DELETE", "/tokens/{token}", revoke_token, "Revoke a token", _TAG, status=204),
)
