"""Changing an instance that is there: new values are tested before they take the place of the old ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connector_host.connectors import Connector
from connector_host.contract.errors import InputInvalid, SecretsUnreadable, UnknownName
from connector_host.contract.manifest import AuthenticationMethod
from connector_host.forms import CheckedForm, check_form
from connector_host.instances import Home, Instance, InstanceState, InstanceStore

from .adding import SetUp, Trial, refuse_taken, retest_instance, same_account, try_form
from .areas import lacking

__all__ = ["disable_instance", "duplicate_instance", "edit_instance", "enable_instance", "secrets_to_enter"]

_SECTIONS = ("settings", "credentials")


async def edit_instance(
    store: InstanceStore, connector: Connector, name: str, given: Mapping[str, Any], *, untested: bool = False
) -> SetUp:
    """Change an instance by a form's values, of which any part may be left out.

    What is not given stays, secrets included; a value given as null or empty is cleared, and asked for if it is
    required. The vendor is asked before anything is saved, and the old values stay if it does not let the new ones in;
    nothing is asked where only the name or the host's own settings change. `untested` saves without asking.

    Raises UnknownName, NameTaken, InputInvalid, SecretsUnreadable, and the errors of signing in.
    """
    instance = store.get(name)
    form = _merged(store, connector, instance, given)
    if form.name.casefold() != instance.name.casefold():
        refuse_taken(store, form.name)
    trial = None
    if _reaches_vendor(store, connector, instance, form):
        trial = None if untested else await try_form(connector, form, store.home)
        instance = _save(store, connector, instance, form, trial)
    elif dict(form.settings) != dict(instance.settings):
        instance = store.update(instance.name, settings=form.settings, connector_version=connector.manifest.version)
    if form.name != instance.name:
        instance = store.rename(instance.name, form.name)
    warnings = [*form.warnings, *(same_account(store, instance) if trial else ())]
    return SetUp(instance, trial.signed_in if trial else None, warnings, trial.checks if trial else ())


def duplicate_instance(store: InstanceStore, connector: Connector, name: str, new_name: str) -> Instance:
    """Add a copy without the secrets; it says that they are to be entered. Raises UnknownName, NameTaken."""
    instance = store.get(name)
    refuse_taken(store, new_name)
    method = connector.method(instance.authentication)
    credentials = store.credentials(name, method.secret_keys)
    kept = {key: value for key, value in credentials.items() if key not in method.secret_keys}
    message = secrets_to_enter(method)
    return store.add(
        new_name,
        connector=instance.connector,
        connector_version=instance.connector_version,
        authentication=instance.authentication,
        settings=instance.settings,
        credentials=kept,
        state=InstanceState.INCOMPLETE if message else InstanceState.UNTESTED,
        state_message=message,
    )


def secrets_to_enter(method: AuthenticationMethod, known: Mapping[str, Any] | None = None) -> str:
    """Return the sentence that names the required secrets that are not known; empty when there are none."""
    labels = [
        credential.label
        for credential in method.credentials
        if credential.secret and credential.required and not (known or {}).get(credential.key)
    ]
    return f"Its secrets are not entered: {', '.join(labels)}." if labels else ""


def disable_instance(store: InstanceStore, name: str) -> Instance:
    """Keep an instance from being used, until it is enabled; runs that are under way go on."""
    return store.set_state(name, InstanceState.DISABLED)


async def enable_instance(home: Home, name: str, folders: Sequence[Path] = (), *, untested: bool = False) -> SetUp:
    """Let an instance be used again, and test it unless `untested`. One that is not disabled is tested only.

    The instance is enabled even when its test fails, and then says so. Raises what `retest_instance` raises.
    """
    with InstanceStore.open(home) as store:
        instance = store.get(name)
        if instance.state is InstanceState.DISABLED:
            instance = store.set_state(name, InstanceState.UNTESTED)
    return SetUp(instance, None) if untested else await retest_instance(home, name, folders)


def _merged(store: InstanceStore, connector: Connector, instance: Instance, given: Mapping[str, Any]) -> CheckedForm:
    """Return what the instance would be. Raises InputInvalid, and SecretsUnreadable where that is why values lack."""
    unreadable: SecretsUnreadable | None = None
    try:
        present: Mapping[str, Any] = store.credentials(instance.name, ())
    except SecretsUnreadable as error:
        present, unreadable = {}, error
    authentication = given.get("authentication") or instance.authentication
    if authentication != instance.authentication:
        present = _common(connector, authentication, present)
    base: dict[str, Any] = {
        "name": instance.name,
        "authentication": authentication,
        "settings": connector.migrate_settings(instance.settings, instance.connector_version),
        "credentials": present,
    }
    merged = {**base, **given, "authentication": authentication}
    for section in _SECTIONS:
        changes = given.get(section)
        if changes is None or isinstance(changes, Mapping):
            merged[section] = {**base[section], **(changes or {})}
    try:
        return check_form(connector, merged)
    except InputInvalid as error:
        if unreadable is not None and all(problem.rule == "required" for problem in error.problems):
            raise unreadable from None
        raise


def _common(connector: Connector, authentication: str, present: Mapping[str, Any]) -> dict[str, Any]:
    """Return the present credentials that another method has too."""
    try:
        keys = {credential.key for credential in connector.method(authentication).credentials}
    except UnknownName:
        return {}
    return {key: value for key, value in present.items() if key in keys}


def _reaches_vendor(store: InstanceStore, connector: Connector, instance: Instance, form: CheckedForm) -> bool:
    """Tell whether the change is one that the vendor could refuse."""
    if instance.state in (InstanceState.INCOMPLETE, InstanceState.REJECTED):
        return True
    if form.method.name != instance.authentication:
        return True
    own = [setting.key for setting in connector.manifest.settings]
    if any(form.settings.get(key) != instance.settings.get(key) for key in own):
        return True
    try:
        return dict(store.credentials(instance.name, ())) != dict(form.credentials)
    except SecretsUnreadable:
        return True


def _save(
    store: InstanceStore, connector: Connector, before: Instance, form: CheckedForm, trial: Trial | None
) -> Instance:
    """Put everything in place in one step; a disabled instance stays so."""
    instance = store.replace_credentials(
        before.name,
        form.credentials,
        authentication=form.method.name,
        settings=form.settings,
        connector_version=connector.manifest.version,
        **(trial.facts if trial else {}),
    )
    if before.state is InstanceState.DISABLED:
        return store.set_state(before.name, InstanceState.DISABLED)
    message = lacking(trial.checks) if trial else ""
    return store.update(before.name, state_message=message) if message else instance
