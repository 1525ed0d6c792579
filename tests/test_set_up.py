"""Instances of the connector in a host: what their test shows, against the sandbox."""

import pytest

from connector_host.contract.errors import CredentialsRejected
from connector_host.instances import Home, InstanceStore
from connector_host.set_up import AreaOutcome, add_instance


@pytest.fixture
def store(tmp_path, monkeypatch):
    for name in ("HOME", "DATABASE", "KEY", "KEYRING"):
        monkeypatch.delenv(f"CONNECTOR_HOST_{name}", raising=False)
    with InstanceStore.open(Home(tmp_path / "home")) as store:
        yield store


def form_of(running, name="Shop", **credentials):
    return {"name": name, "settings": running.settings, "credentials": {**running.credentials, **credentials}}


async def test_every_area_is_read_and_account_and_server_are_told(store, linnworks, sandbox):
    running = sandbox()
    set_up = await add_instance(store, linnworks, form_of(running))
    assert [each.area for each in set_up.checks] == [check.area for check in linnworks.manifest.checks]
    assert {each.outcome for each in set_up.checks} == {AreaOutcome.PASSED}, set_up.checks
    assert set_up.signed_in.account
    assert set_up.signed_in.addresses["session"].startswith("http://127.0.0.1")
    second = await add_instance(store, linnworks, form_of(running, "Second"))
    assert second.warnings == [f'"Shop" is of the same account, {set_up.signed_in.account}.']


async def test_areas_outside_the_scope_are_named_with_their_permission(store, linnworks, sandbox):
    set_up = await add_instance(store, linnworks, form_of(sandbox(), scope="OrderBook.OpenOrders"))
    outcomes = {each.area: each.outcome for each in set_up.checks}
    assert outcomes["Open orders"] is AreaOutcome.PASSED
    assert outcomes["Returns and refunds"] is AreaOutcome.SKIPPED
    returns = next(each for each in set_up.checks if each.area == "Returns and refunds")
    assert returns.permissions == ("GlobalPermissions.OrderBook.ReturnsRefundsNode",)


async def test_wrong_secrets_are_not_saved(store, linnworks, sandbox):
    wrong = "00000000-0000-0000-0000-00000000dead"
    with pytest.raises(CredentialsRejected):
        await add_instance(store, linnworks, form_of(sandbox(), application_secret=wrong))
    assert store.count() == 0


async def test_a_permission_that_the_vendor_did_not_grant_is_named_now_and_not_at_night(store, linnworks, sandbox):
    granted = ("GlobalPermissions.OrderBook.OpenOrdersNode",)
    set_up = await add_instance(store, linnworks, form_of(sandbox(permissions=granted), scope="all"))
    outcomes = {each.area: each.outcome for each in set_up.checks}
    assert outcomes["Open orders"] is AreaOutcome.PASSED
    assert outcomes["Processed orders"] is AreaOutcome.REFUSED
    assert "Processed orders (GlobalPermissions.OrderBook.ProcessedOrdersNode)" in set_up.instance.state_message
