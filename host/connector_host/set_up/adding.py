"""Adding an instance, and testing one that is there."""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_host.connectors import Connector
from connector_host.contract.errors import NameTaken, UnknownName
from connector_host.embedding import connect_async, open_instance_async
from connector_host.engine import Connection, SignedIn, open_ledger
from connector_host.forms import CheckedForm, check_form
from connector_host.instances import Home, Instance, InstanceState, InstanceStore

from .areas import AreaCheck, AreaOutcome, check_areas, lacking

__all__ = ["SetUp", "Trial", "add_instance", "refuse_taken", "retest_instance", "same_account", "try_form"]


@dataclass(frozen=True)
class SetUp:
    """An instance as it was saved, who answered its test (None when it was not tested), and what looks odd.

    `checks` tells for each area of the vendor whether it can be read.
    """

    instance: Instance
    signed_in: SignedIn | None
    warnings: Sequence[str] = field(default=())
    checks: Sequence[AreaCheck] = field(default=())


@dataclass(frozen=True)
class Trial:
    """How a test went. `facts` are what is remembered of it with the instance."""

    signed_in: SignedIn
    checks: Sequence[AreaCheck]

    @property
    def verified(self) -> bool:
        """Whether the vendor has let the credentials in."""
        return self.signed_in.verified or any(each.outcome is AreaOutcome.PASSED for each in self.checks)

    @property
    def facts(self) -> dict[str, Any]:
        """Account, time and state, as the store keeps them."""
        return {
            "account": self.signed_in.account,
            "tested_at": datetime.datetime.now(datetime.UTC) if self.verified else None,
            "state": InstanceState.OK if self.verified else InstanceState.UNTESTED,
        }


async def add_instance(
    store: InstanceStore, connector: Connector, given: Mapping[str, Any], *, untested: bool = False
) -> SetUp:
    """Save a new instance from a form's values, `{name, authentication, settings, credentials}`.

    Nothing is saved unless the vendor lets the credentials in; `untested` saves without asking, and the instance says
    so. Raises InputInvalid with every wrong value, NameTaken, and the errors of signing in.
    """
    form = check_form(connector, given)
    refuse_taken(store, form.name)
    trial = None if untested else await try_form(connector, form, store.home)
    instance = store.add(
        form.name,
        connector=connector.name,
        connector_version=connector.manifest.version,
        authentication=form.method.name,
        settings=form.settings,
        credentials=form.credentials,
        state_message=lacking(trial.checks) if trial else "",
        **(trial.facts if trial else {}),
    )
    warnings = [*form.warnings, *same_account(store, instance)]
    return SetUp(instance, trial.signed_in if trial else None, warnings, trial.checks if trial else ())


async def try_form(connector: Connector, form: CheckedForm, home: Home | None) -> Trial:
    """Sign in with a form's credentials and read what its scope covers; nothing is stored.

    The calls count in the quota that the processes of the home share.
    """
    with closing(open_ledger(home.quota_database if home else None)) as quota:
        async with connect_async(
            connector,
            credentials=form.credentials,
            settings=form.settings,
            authentication=form.method.name,
            instance=form.name,
            quota=quota,
        ) as connection:
            return await _try(connection, connector, form.credentials)


async def retest_instance(home: Home, name: str, folders: Sequence[Path] = ()) -> SetUp:
    """Sign in with a saved instance's credentials, read what its scope covers, and remember how it went.

    Where nothing was asked of the vendor the instance stays as it was. Raises UnknownName, SecretsUnreadable, and the
    errors of signing in; that credentials were rejected is remembered.
    """
    async with open_instance_async(name, home=home, folders=folders) as connection:
        connector = connection.connector
        with InstanceStore.open(home) as store:
            saved = store.credentials(name, ())
        trial = await _try(connection, connector, saved)
        version = connector.manifest.version
    with InstanceStore.open(home) as store:
        if not trial.verified:
            return SetUp(store.get(name), trial.signed_in, (), trial.checks)
        instance = store.update(name, connector_version=version, state_message=lacking(trial.checks), **trial.facts)
        return SetUp(instance, trial.signed_in, same_account(store, instance), trial.checks)


def refuse_taken(store: InstanceStore, name: str) -> None:
    """Tell before the vendor is asked, not after, that the name is in use. Raises NameTaken."""
    try:
        existing = store.get(name)
    except UnknownName:
        return
    raise NameTaken(f'There is an instance "{existing.name}" already.', next_step="Choose another name.")


def same_account(store: InstanceStore, instance: Instance) -> list[str]:
    """Return a sentence for each other instance that was tested with the same account."""
    if not instance.account:
        return []
    return [
        f'"{other.name}" is of the same account, {instance.account}.'
        for other in store.by_account(instance.connector, instance.account)
        if other.id != instance.id
    ]


async def _try(connection: Connection, connector: Any, credentials: Mapping[str, str]) -> Trial:
    signed_in = await connection.sign_in_check()
    return Trial(signed_in, await check_areas(connection, connector.scope(credentials)))
