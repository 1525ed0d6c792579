"""Setting up an instance, the same way for every face: check, test by a real sign-in, then save."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_host.connectors import Connector
from connector_host.contract.errors import NameTaken, UnknownName
from connector_host.embedding import connect_async, open_instance_async
from connector_host.engine import SignedIn
from connector_host.forms import check_form
from connector_host.instances import Home, Instance, InstanceState, InstanceStore

__all__ = ["SetUp", "add_instance", "retest_instance"]


@dataclass(frozen=True)
class SetUp:
    """An instance as it was saved, who answered its test (None when it was not tested), and what looks odd."""

    instance: Instance
    signed_in: SignedIn | None
    warnings: Sequence[str] = field(default=())


async def add_instance(
    store: InstanceStore, connector: Connector, given: Mapping[str, Any], *, untested: bool = False
) -> SetUp:
    """Save a new instance from a form's values, `{name, authentication, settings, credentials}`.

    Nothing is saved unless the vendor lets the credentials in; `untested` saves without asking, and the instance says
    so. Raises InputInvalid with every wrong value, NameTaken, and the errors of signing in.
    """
    form = check_form(connector, given)
    _refuse_taken(store, form.name)
    signed_in: SignedIn | None = None
    if not untested:
        async with connect_async(
            connector,
            credentials=form.credentials,
            settings=form.settings,
            authentication=form.method.name,
            instance=form.name,
        ) as connection:
            signed_in = await connection.sign_in_check()
    verified = signed_in is not None and signed_in.verified
    instance = store.add(
        form.name,
        connector=connector.name,
        connector_version=connector.manifest.version,
        authentication=form.method.name,
        settings=form.settings,
        credentials=form.credentials,
        account=signed_in.account if signed_in else "",
        tested_at=_now() if verified else None,
        state=InstanceState.OK if verified else InstanceState.UNTESTED,
    )
    return SetUp(instance, signed_in, form.warnings)


async def retest_instance(home: Home, name: str, folders: Sequence[Path] = ()) -> SetUp:
    """Sign in with a saved instance's credentials and remember how it went.

    A method that opens no session leaves the instance as it was: nothing was asked of the vendor.
    Raises UnknownName, SecretsUnreadable, and the errors of signing in; that credentials were rejected is remembered.
    """
    async with open_instance_async(name, home=home, folders=folders) as connection:
        signed_in = await connection.sign_in_check()
        version = connection.connector.manifest.version
    with InstanceStore.open(home) as store:
        if not signed_in.verified:
            return SetUp(store.get(name), signed_in)
        instance = store.update(
            name,
            account=signed_in.account,
            tested_at=_now(),
            state=InstanceState.OK,
            state_message="",
            connector_version=version,
        )
    return SetUp(instance, signed_in)


def _refuse_taken(store: InstanceStore, name: str) -> None:
    """Tell before the vendor is asked, not after, that the name is in use."""
    try:
        existing = store.get(name)
    except UnknownName:
        return
    raise NameTaken(f'There is an instance "{existing.name}" already.', next_step="Choose another name.")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
