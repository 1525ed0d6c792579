"""Checks a filled-in form as a whole: name, method, settings and credentials, every problem at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector_host.connectors import CheckedCredentials, Connector
from connector_host.contract.errors import InputInvalid, Problem, UnknownName
from connector_host.contract.instance_names import NAME_RULE
from connector_host.contract.manifest import AuthenticationMethod
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.contract.secrets import Credentials
from connector_host.contract.values import check_settings

__all__ = ["CheckedForm", "check_form"]

_KEYS = ("name", "authentication", "settings", "credentials")


@dataclass(frozen=True)
class CheckedForm:
    """Values that satisfy every rule, cleaned and with defaults filled in, and what looks odd about them."""

    name: str
    method: AuthenticationMethod
    settings: Mapping[str, Any]
    credentials: Credentials
    warnings: Sequence[str] = field(default=())


def check_form(connector: Connector, given: Mapping[str, Any]) -> CheckedForm:
    """Return the values of a form, `{name, authentication, settings, credentials}`, ready to be used.

    Without `authentication` the connector's preferred method is taken, without `settings` their defaults. Raises
    InputInvalid with every problem of every part; no value stands in a message.
    """
    problems = [
        Problem(str(key), "unknown-field", "There is no such field.", did_you_mean(str(key), _KEYS) or _known())
        for key in given
        if key not in _KEYS
    ]
    name = given.get("name")
    name = name.strip() if isinstance(name, str) else name
    if name in (None, ""):
        problems.append(Problem("name", "required", "This is required.", str(NAME_RULE["x-message"])))
    else:
        problems += problems_of(validator_for(NAME_RULE), name, at="name")
    settings = _section(given, "settings", problems)
    checked: CheckedCredentials | None = None
    try:
        settings = check_settings(connector.manifest, settings)
    except InputInvalid as error:
        problems += error.problems
    method = _method(connector, given.get("authentication"), problems)
    if method is not None:
        try:
            checked = connector.check_credentials(method, _section(given, "credentials", problems))
        except InputInvalid as error:
            problems += error.problems
    if problems or method is None or checked is None:
        raise InputInvalid(
            f"The values for {connector.manifest.label} are not valid.",
            problems=problems,
            next_step=f"See what is asked for with: connector-host form {connector.name}",
        )
    return CheckedForm(str(name), method, settings, checked.credentials, tuple(checked.warnings))


def _section(given: Mapping[str, Any], key: str, problems: list[Problem]) -> Mapping[str, Any]:
    section = given.get(key)
    if section is None or isinstance(section, Mapping):
        return section or {}
    problems.append(Problem(key, "type", "This is not an object.", "Write the values by key."))
    return {}


def _method(connector: Connector, name: Any, problems: list[Problem]) -> AuthenticationMethod | None:
    try:
        return connector.method(None if name is None else str(name))
    except UnknownName as error:
        problems.append(Problem("authentication", "choice", error.message, error.next_step))
        return None


def _known() -> str:
    return f"Known: {', '.join(_KEYS)}."
