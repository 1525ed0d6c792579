"""Instances as documents without secrets, to be carried to another host and completed there."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connector_host.connectors import Connector
from connector_host.contract.errors import InputInvalid, Problem
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.contract.values import check_settings
from connector_host.instances import InstanceState, InstanceStore

from .adding import SetUp, add_instance, refuse_taken
from .editing import secrets_to_enter

__all__ = [
    "DOCUMENT_SCHEMA",
    "add_without_secrets",
    "export_instance",
    "import_instance",
    "missing_secrets",
    "read_document",
    "values_of_document",
]

_FORMAT = "connector-host/instance"
_VERSION = 1

DOCUMENT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Exported instance",
    "type": "object",
    "properties": {
        "format": {"const": _FORMAT},
        "version": {"type": "integer", "minimum": 1, "maximum": _VERSION},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "connector": {"type": "string", "minLength": 1, "maxLength": 128},
        "connector_version": {"type": "integer", "minimum": 1},
        "authentication": {"type": "string", "minLength": 1, "maxLength": 128},
        "settings": {"type": "object"},
        "credentials": {"type": "object", "additionalProperties": {"type": "string"}},
        "secrets": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["format", "version", "name", "connector", "connector_version", "authentication"],
    "additionalProperties": False,
}
"""What `export_instance` returns: `credentials` has those that are no secrets, `secrets` the names of the others."""


def export_instance(store: InstanceStore, connector: Connector, name: str) -> dict[str, Any]:
    """Return an instance as a document without secrets. Raises UnknownName, SecretsUnreadable."""
    instance = store.get(name)
    method = connector.method(instance.authentication)
    credentials = store.credentials(name, method.secret_keys)
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "name": instance.name,
        "connector": instance.connector,
        "connector_version": instance.connector_version,
        "authentication": instance.authentication,
        "settings": dict(instance.settings),
        "credentials": {key: value for key, value in credentials.items() if key not in method.secret_keys},
        "secrets": [credential.key for credential in method.credentials if credential.secret],
    }


def missing_secrets(connector: Connector, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the secrets that a document needs. Raises InputInvalid when it is no such document."""
    checked = _checked(connector, document)
    method = connector.method(checked["authentication"])
    return tuple(credential.key for credential in method.credentials if credential.secret)


def read_document(text: str | bytes) -> dict[str, Any]:
    """Return the document that a file holds, whatever its connector. Raises InputInvalid when it is none."""
    try:
        document = msgspec.json.decode(text.strip() or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    if not isinstance(document, dict):
        problem = Problem("document", "json", "This is not a JSON object.", "Take the file as it was exported.")
        raise _no_document([problem])
    _check(document)
    return document


def values_of_document(connector: Connector, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as the values of the connector's form, in the terms of its present version.

    Raises InputInvalid when the document is none of this kind, of a later version or of another connector, and
    UnknownName when the connector has no such authentication method.
    """
    checked = _checked(connector, document)
    return {
        "name": checked["name"],
        "authentication": connector.method(checked["authentication"]).name,
        "settings": dict(connector.migrate_settings(checked.get("settings", {}), checked["connector_version"])),
        "credentials": dict(checked.get("credentials", {})),
    }


def add_without_secrets(store: InstanceStore, connector: Connector, values: Mapping[str, Any]) -> SetUp:
    """Keep an instance whose secrets are to be entered, and say so. Raises NameTaken, InputInvalid for its settings."""
    method = connector.method(values["authentication"])
    credentials = dict(values["credentials"])
    settings = check_settings(connector.manifest, values["settings"])
    refuse_taken(store, values["name"])
    instance = store.add(
        values["name"],
        connector=connector.name,
        connector_version=connector.manifest.version,
        authentication=method.name,
        settings=settings,
        credentials=credentials,
        state=InstanceState.INCOMPLETE,
        state_message=secrets_to_enter(method, credentials),
    )
    return SetUp(instance, None)


async def import_instance(
    store: InstanceStore,
    connector: Connector,
    document: Mapping[str, Any],
    *,
    secrets: Mapping[str, str] | None = None,
    name: str | None = None,
    untested: bool = False,
) -> SetUp:
    """Add the instance of a document, with its secrets and, if wanted, another name.

    Without any secret it is kept as one whose secrets are to be entered. Raises InputInvalid when the document is none
    of this kind or of a later version, and what `add_instance` raises.
    """
    values = values_of_document(connector, document)
    values["name"] = name or values["name"]
    values["credentials"] |= secrets or {}
    if not secrets and secrets_to_enter(connector.method(values["authentication"]), values["credentials"]):
        return add_without_secrets(store, connector, values)
    return await add_instance(store, connector, values, untested=untested)


def _checked(connector: Connector, document: Mapping[str, Any]) -> Mapping[str, Any]:
    _check(document)
    if document["connector"] != connector.name:
        sentence = f"The document is of {document['connector']}, not of {connector.name}."
        raise _no_document([Problem("document.connector", "other-connector", sentence, "Name its own connector.")])
    return document


def _check(document: Mapping[str, Any]) -> None:
    problems = problems_of(validator_for(DOCUMENT_SCHEMA), dict(document), at="document")
    if problems:
        raise _no_document(problems)


def _no_document(problems: Sequence[Problem]) -> InputInvalid:
    return InputInvalid(
        "This is no instance that connector-host has exported.",
        problems=problems,
        next_step="Export it again; a document of a later version needs a later connector-host.",
    )
