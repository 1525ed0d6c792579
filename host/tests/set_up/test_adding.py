import pytest

from connector_host.contract.errors import CredentialsRejected, NameTaken, VendorUnreachable
from connector_host.instances import InstanceState
from connector_host.set_up import AreaOutcome, add_instance, retest_instance
from connector_host.set_up.adding import same_account

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package


@pytest.fixture
async def shop(store, plain, vendor, values):
    running = vendor()
    await add_instance(store, plain, values(running))
    return running


def outcomes(set_up):
    return {each.area: each.outcome for each in set_up.checks}


async def test_a_new_instance_is_tested_by_reading_each_area(store, plain, vendor, values):
    set_up = await add_instance(store, plain, values(vendor()))
    assert outcomes(set_up) == {"Things": AreaOutcome.PASSED, "Colours": AreaOutcome.PASSED}
    assert (set_up.instance.state, set_up.instance.state_message) == (InstanceState.OK, "")
    assert set_up.instance.tested_at is not None
    assert all(each.request_id for each in set_up.checks)


async def test_a_permission_that_the_vendor_withholds_is_named(store, plain, vendor, values):
    set_up = await add_instance(store, plain, values(vendor(faults=["403"])))
    assert outcomes(set_up) == {"Things": AreaOutcome.REFUSED, "Colours": AreaOutcome.PASSED}
    assert set_up.checks[0].permissions == ("Plain.Things.ReadNode",)
    assert store.get("Shop").state_message == "The vendor does not permit: Things (Plain.Things.ReadNode)."


async def test_an_area_that_the_scope_leaves_out_is_not_asked_for(store, plain, vendor, values):
    running = vendor()
    set_up = await add_instance(store, plain, values(running, credentials={"access": "Orders"}))
    assert set(outcomes(set_up).values()) == {AreaOutcome.SKIPPED}
    assert "Plain.Things.ReadNode" in set_up.checks[0].message
    assert running.requests == []
    assert set_up.instance.state is InstanceState.UNTESTED


async def test_wrong_credentials_are_not_saved_even_where_there_is_no_session(store, plain, vendor, values):
    with pytest.raises(CredentialsRejected):
        await add_instance(store, plain, values(vendor(), credentials={"api_token": "tok-something-else"}))
    assert store.count() == 0


async def test_a_vendor_that_is_down_is_told_and_nothing_is_saved(store, plain, vendor, values, monkeypatch):
    monkeypatch.setattr("connector_host.set_up.areas._SECONDS", 0.01)
    running = vendor()
    given = values(running)
    running.close()
    running.close = lambda: None
    with pytest.raises(VendorUnreachable):
        await add_instance(store, plain, given)
    assert store.count() == 0
    untested = await add_instance(store, plain, given, untested=True)
    assert (untested.instance.state, untested.checks) == (InstanceState.UNTESTED, ())


async def test_a_taken_name_is_told_before_the_vendor_is_asked(store, plain, vendor, values):
    running = vendor()
    await add_instance(store, plain, values(running))
    asked = len(running.requests)
    with pytest.raises(NameTaken):
        await add_instance(store, plain, values(running, "SHOP"))
    assert len(running.requests) == asked


async def test_a_second_instance_of_one_account_is_pointed_out(store, plain, vendor, values):
    running = vendor()
    for name in ("Shop", "Other", "Elsewhere"):
        await add_instance(store, plain, values(running, name))
    shop = store.update("Shop", account="Ann Ltd")
    assert same_account(store, shop) == []
    store.update("Other", account="Ann Ltd")
    store.update("Elsewhere", account="Bob Ltd")
    assert same_account(store, shop) == ['"Other" is of the same account, Ann Ltd.']


async def test_a_test_remembers_that_the_credentials_are_rejected(store, home, plain_folder, shop):
    running = shop
    running.options["token"] = "tok-changed-since"
    with pytest.raises(CredentialsRejected):
        await retest_instance(home, "Shop", [plain_folder])
    assert store.get("Shop").state is InstanceState.REJECTED
    assert store.get("Shop").state_message
    running.options["token"] = SECRET
    assert (await retest_instance(home, "Shop", [plain_folder])).instance.state is InstanceState.OK
    assert store.get("Shop").state_message == ""
