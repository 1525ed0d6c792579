"""From a manifest to the form that sets up an instance, in the convention of react-jsonschema-form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connector_host.contract.instance_names import NAME_RULE
from connector_host.contract.manifest import AuthenticationMethod, Variable
from connector_host.contract.manifest_file import ConnectorFolder
from connector_host.contract.values import credentials_schema, settings_of, settings_schema

from .rules import inlined

__all__ = ["Form", "form_for"]


@dataclass(frozen=True, slots=True)
class Form:
    """A form as data.

    `form_data` is what the form starts with, in the shape that a filled-in form has: `{name, authentication, settings,
    credentials}`. Secrets are never in it.
    """

    schema: dict[str, Any]
    ui_schema: dict[str, Any]
    form_data: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the three parts under the names that react-jsonschema-form has for them."""
        return {"schema": self.schema, "uiSchema": self.ui_schema, "formData": self.form_data}


def form_for(folder: ConnectorFolder, method: AuthenticationMethod) -> Form:
    """Return the form of one authentication method of a connector.

    The rules are those that check the values everywhere; local references are written out, so that every part of the
    schema stands on its own. Keywords are common to JSON Schema 2020-12 and draft-07.
    """
    manifest = folder.manifest
    settings, credentials = settings_of(manifest), method.credentials
    schema = {
        "title": f"Add an instance of {manifest.label}",
        "description": manifest.description,
        "type": "object",
        "properties": {
            "name": NAME_RULE,
            "authentication": {
                "title": "Authentication method",
                "type": "string",
                "const": method.name,
                "default": method.name,
            },
            "settings": _section("Connector details", settings_schema(manifest), settings),
            "credentials": _section("Credentials", credentials_schema(folder, method), credentials),
        },
        "required": ["name", "credentials"],
        "additionalProperties": False,
    }
    ui_schema = {
        "ui:order": ["name", "settings", "authentication", "credentials"],
        "name": {
            "ui:help": "By this name you find it on every page and in commands; no other instance has it.",
            "ui:placeholder": manifest.label,
        },
        "authentication": {"ui:readonly": True, "ui:help": method.description, **_link(method.help_link)},
        "settings": _ui_of(settings),
        "credentials": {**_ui_of(credentials), **_link(method.help_link or manifest.help_link)},
    }
    form_data = {
        "name": "",
        "authentication": method.name,
        "settings": _defaults(settings),
        "credentials": _defaults(credentials),
    }
    return Form(schema, ui_schema, form_data)


def _section(title: str, schema: Mapping[str, Any], variables: Iterable[Variable]) -> dict[str, Any]:
    """Return the schema of one section, its fields in the form's order and with their labels."""
    section = inlined(schema)
    rules = section.get("properties", {})
    ordered = {variable.key: {"title": variable.label, **rules.get(variable.key, {})} for variable in variables}
    return {**section, "title": title, "properties": ordered}


def _ui_of(variables: Iterable[Variable]) -> dict[str, Any]:
    ui: dict[str, Any] = {"ui:order": [variable.key for variable in variables]}
    for variable in variables:
        hints: dict[str, Any] = {"ui:help": variable.help}
        if variable.placeholder is not None:
            hints["ui:placeholder"] = variable.placeholder
        if variable.secret:
            hints["ui:widget"] = "password"
        if variable.locked:
            hints["ui:readonly"] = True
        if variable.advanced:
            hints["ui:options"] = {"advanced": True}
        ui[variable.key] = hints
    return ui


def _defaults(variables: Iterable[Variable]) -> dict[str, Any]:
    return {variable.key: variable.default for variable in variables if variable.default is not None}


def _link(link: str | None) -> dict[str, Any]:
    return {"ui:options": {"helpLink": link}} if link else {}
