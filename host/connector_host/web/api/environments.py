"""Virtual environments."""

from dataclasses import asdict
from typing import Any

from .endpoint import Call, Endpoint
from .schemas import NAME, page_of, record, ref

__all__ = ["ENDPOINTS"]

_PAIRS = {"type": "object", "additionalProperties": NAME, "description": "From an instance to the one in its place."}


def list_environments(call: Call) -> Any:
    """List environments."""
    found = call.host.environments.list()
    return {"total": len(found), "items": [asdict(each) for each in found]}


def create_environment(call: Call) -> Any:
    """Add an environment."""
    return asdict(call.host.environments.add(call.body["name"], call.body.get("replacements") or {}))


def show_environment(call: Call) -> Any:
    """Show an environment."""
    return asdict(call.host.environments.get(call.path["environment"]))


def change_environment(call: Call) -> Any:
    """Put other replacements in place of those that an environment has."""
    return asdict(call.host.environments.replace(call.path["environment"], call.body["replacements"]))


def remove_environment(call: Call) -> Any:
    """Remove an environment; the instances stay."""
    call.host.environments.remove(call.path["environment"])


_TAG, _ONE = "environments", "/environments/{environment}"
ENDPOINTS = (
    Endpoint("GET", "/environments", list_environments, "List environments", _TAG, gives=page_of("Environment")),
    Endpoint(
        "POST",
        "/environments",
        create_environment,
        "Add an environment",
        _TAG,
        gives=ref("Environment"),
        status=201,
        body=record(name=NAME, optional={"replacements": _PAIRS}),
        errors=(404, 409),
    ),
    Endpoint("GET", _ONE, show_environment, "Show an environment", _TAG, gives=ref("Environment")),
    Endpoint(
        "PUT",
        _ONE,
        change_environment,
        "Replace the replacements of an environment",
        _TAG,
        gives=ref("Environment"),
        body=record(replacements=_PAIRS),
    ),
    Endpoint("DELETE", _ONE, remove_environment, "Remove an environment", _TAG, status=204),
)
