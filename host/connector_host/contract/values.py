"""The values of an instance: cleaned, filled up with defaults, and checked by the same schemas everywhere."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .errors import InputInvalid
from .manifest import AuthenticationMethod, Credential, Manifest, RateLimit, RateUnit, Setting, Variable
from .manifest_file import ConnectorFolder
from .schemas import problems_of, validator_for
from .secrets import Credentials

__all__ = [
    "COMMON_SETTING_KEYS",
    "check_credentials",
    "check_settings",
    "credentials_schema",
    "rate_limit_of",
    "settings_of",
    "settings_schema",
    "stored_credentials",
    "stored_settings",
]


def credentials_schema(folder: ConnectorFolder, method: AuthenticationMethod) -> dict[str, Any]:
    """Return the JSON Schema of a method's credentials: its file, or one made of the credentials' own schemas."""
    if method.credentials_schema is not None:
        schema: dict[str, Any] = msgspec.json.decode(folder.path(method.credentials_schema).read_bytes())
        return schema
    return _schema_of(method.credentials)


def settings_of(manifest: Manifest) -> tuple[Setting, ...]:
    """Return the connector's settings and, after them, those that every instance has."""
    return (*manifest.settings, *_common_settings(manifest))


def settings_schema(manifest: Manifest) -> dict[str, Any]:
    """Return the JSON Schema of an instance's settings."""
    return _schema_of(settings_of(manifest))


def check_credentials(folder: ConnectorFolder, method: AuthenticationMethod, given: Mapping[str, Any]) -> Credentials:
    """Return the credentials with blanks around them removed and defaults filled in.

    Raises InputInvalid with every problem; paths begin with `credentials`. No value stands in a message.
    """
    schema = credentials_schema(folder, method)
    values = _cleaned(given, method.credentials)
    problems = problems_of(validator_for(schema), values, at="credentials")
    if problems:
        raise InputInvalid(f"The credentials of {method.name} are not valid.", problems=problems)
    return Credentials(values, method.secret_keys)


def check_settings(manifest: Manifest, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with defaults filled in. Raises InputInvalid; paths begin with `settings`."""
    values = _cleaned(given, settings_of(manifest))
    problems = problems_of(validator_for(settings_schema(manifest)), values, at="settings")
    if problems:
        raise InputInvalid("The settings are not valid.", problems=problems)
    return values


def stored_credentials(method: AuthenticationMethod, given: Mapping[str, str]) -> Credentials:
    """Return credentials that were checked when they were saved, with defaults filled in."""
    return Credentials(_cleaned(given, method.credentials), method.secret_keys)


def stored_settings(manifest: Manifest, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that were checked when they were saved, with defaults filled in."""
    return _cleaned(given, settings_of(manifest))


def rate_limit_of(settings: Mapping[str, Any]) -> RateLimit:
    """Return the rate limit that an instance's checked settings ask for."""
    return RateLimit(amount=settings["rate_limit_amount"], unit=RateUnit(settings["rate_limit_unit"]))


def _schema_of(variables: Sequence[Variable]) -> dict[str, Any]:
    properties = {}
    for variable in variables:
        rule: dict[str, Any] = dict(variable.json_schema or {"type": "string", "minLength": 1})
        rule |= {"title": variable.label}
        if variable.default is not None:
            rule |= {"default": variable.default}
        if variable.locked:
            rule |= {"const": variable.default}
        if variable.secret:
            rule |= {"writeOnly": True}
        properties[variable.key] = rule
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": [variable.key for variable in variables if variable.required],
        "additionalProperties": False,
    }


def _cleaned(given: Mapping[str, Any], variables: Sequence[Credential | Setting]) -> dict[str, Any]:
    """Strip texts; an empty field is a missing one, and a missing one takes its default."""
    values = {}
    for key, value in given.items():
        stripped = value.strip() if isinstance(value, str) else value
        if stripped not in (None, ""):
            values[key] = stripped
    for variable in variables:
        if variable.default is not None:
            values.setdefault(variable.key, variable.default)
    return values


def _common_settings(manifest: Manifest) -> tuple[Setting, ...]:
    """Return the settings that a host gives every instance (the platform's connector details)."""
    defaults = {
        "time_zone": "UTC",
        "date_format": manifest.date_format,
        "rate_limit_amount": manifest.rate_limit.amount,
        "rate_limit_unit": manifest.rate_limit.unit.value,
        "concurrency": 4,
    }
    return tuple(
        Setting.model_validate({**words, "default": defaults[str(words["key"])]}) for words in _COMMON_SETTINGS
    )


_COMMON_SETTINGS: tuple[Mapping[str, Any], ...] = (
    {
        "key": "time_zone",
        "label": "Time zone",
        "help": "Dates in filters that name no zone are read in this one.",
        "schema": {"type": "string", "format": "time-zone"},
    },
    {
        "key": "date_format",
        "label": "Date format",
        "help": "How dates are sent to the vendor, in UTC: %Y year, %m month, %d day, %H hour, %M minute, %S second.",
        "schema": {"type": "string", "format": "date-format", "maxLength": 64},
    },
    {
        "key": "rate_limit_amount",
        "label": "Rate limit",
        "help": "The most requests that this instance makes in the unit below; more are queued.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    },
    {
        "key": "rate_limit_unit",
        "label": "Rate limit unit",
        "help": "The length of time that the rate limit counts in.",
        "schema": {"type": "string", "enum": [unit.value for unit in RateUnit]},
    },
    {
        "key": "concurrency",
        "label": "Concurrent requests",
        "help": "The most requests that this instance has under way at once.",
        "advanced": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": 64},
    },
)

COMMON_SETTING_KEYS = tuple(str(words["key"]) for words in _COMMON_SETTINGS)
"""The settings that every instance has, whatever its connector; a connector declares none of these keys."""
