import pytest

from connector_host.contract.errors import (
    ConfigurationError,
    CredentialsRejected,
    InputInvalid,
    NameTaken,
    SecretsUnreadable,
    UnknownName,
)
from connector_host.embedding import open_instance_async
from connector_host.instances import FileKeys, InstanceState, KeyRing
from connector_host.instances.encryption import EncryptionKey
from connector_host.set_up import add_instance, disable_instance, duplicate_instance, edit_instance, enable_instance

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package
from .conftest import NEW_SECRET

pytestmark = pytest.mark.usefixtures("running")


@pytest.fixture
async def running(store, plain, vendor, values):
    running = vendor()
    await add_instance(store, plain, values(running))
    return running


def token(store, name="Shop"):
    return store.credentials(name, ()).get("api_token")


async def test_what_is_not_given_stays(store, plain):
    before = store.get("Shop")
    edited = await edit_instance(store, plain, "shop", {"settings": {"include_archived": True}})
    assert edited.instance.settings == {**before.settings, "include_archived": True}
    assert (edited.instance.id, token(store)) == (before.id, SECRET)
    assert edited.checks


async def test_new_credentials_take_the_place_of_the_old_ones_when_the_vendor_lets_them_in(store, plain, running):
    running.options["token"] = NEW_SECRET
    edited = await edit_instance(store, plain, "Shop", {"credentials": {"api_token": NEW_SECRET}})
    assert token(store) == NEW_SECRET
    assert edited.instance.state is InstanceState.OK


async def test_the_old_credentials_stay_when_the_vendor_refuses_the_new_ones(store, plain):
    before = store.get("Shop")
    changes = {"name": "New", "settings": {"include_archived": True}, "credentials": {"api_token": NEW_SECRET}}
    with pytest.raises(CredentialsRejected):
        await edit_instance(store, plain, "Shop", changes)
    assert (store.get("Shop"), token(store)) == (before, SECRET)


@pytest.mark.parametrize("cleared", ["", None])
async def test_a_cleared_secret_is_asked_for(store, plain, cleared):
    with pytest.raises(InputInvalid) as caught:
        await edit_instance(store, plain, "Shop", {"credentials": {"api_token": cleared}})
    assert [(each.where, each.rule) for each in caught.value.problems] == [("credentials.api_token", "required")]
    assert token(store) == SECRET


async def test_the_hosts_own_settings_and_the_name_are_changed_without_asking_the_vendor(store, plain, running):
    asked = len(running.requests)
    changes = {"name": "New name", "settings": {"time_zone": "Europe/London", "rate_limit_amount": 5}}
    edited = await edit_instance(store, plain, "Shop", changes)
    assert (edited.instance.name, edited.instance.settings["time_zone"]) == ("New name", "Europe/London")
    assert edited.instance.settings["rate_limit_amount"] == 5
    assert len(running.requests) == asked
    assert edited.instance.state is InstanceState.OK


async def test_a_changed_method_drops_the_credentials_that_it_does_not_have(store, plain):
    changes = {"authentication": "Header key", "credentials": {"api_key": "5a4db0c5-plain-key"}}
    edited = await edit_instance(store, plain, "Shop", changes)
    assert edited.instance.authentication == "Header key"
    assert dict(store.credentials("Shop", ())) == {"access": "all", "api_key": "5a4db0c5-plain-key"}


async def test_an_edit_without_a_test_says_so(store, plain):
    edited = await edit_instance(store, plain, "Shop", {"credentials": {"api_token": NEW_SECRET}}, untested=True)
    assert (edited.instance.state, edited.instance.tested_at) == (InstanceState.UNTESTED, None)
    assert token(store) == NEW_SECRET


async def test_wrong_values_are_told_all_at_once_and_nothing_changes(store, plain):
    before = store.get("Shop")
    changes = {"settings": {"time_zone": "Mars/Base", "colour": 1}, "credentials": {"api_token": "x"}, "more": 1}
    with pytest.raises(InputInvalid) as caught:
        await edit_instance(store, plain, "Shop", changes)
    assert {each.where for each in caught.value.problems} == {
        "more",
        "settings.time_zone",
        "settings.colour",
        "credentials.api_token",
    }
    assert store.get("Shop") == before


async def test_a_name_that_is_taken_is_told_and_one_that_only_changes_case_is_not(store, plain, running, values):
    await add_instance(store, plain, values(running, "Other"))
    with pytest.raises(NameTaken):
        await edit_instance(store, plain, "Shop", {"name": "OTHER"})
    assert (await edit_instance(store, plain, "Shop", {"name": "SHOP"})).instance.name == "SHOP"
    with pytest.raises(UnknownName):
        await edit_instance(store, plain, "nobody", {})


async def test_a_lost_key_is_told_until_every_secret_is_entered_again(store, plain, home):
    FileKeys(home.key_file).save(KeyRing((EncryptionKey.generate(),)))
    with pytest.raises(SecretsUnreadable):
        await edit_instance(store, plain, "Shop", {"settings": {"include_archived": True}})
    edited = await edit_instance(store, plain, "Shop", {"credentials": {"access": "all", "api_token": SECRET}})
    assert edited.instance.state is InstanceState.OK
    assert token(store) == SECRET


async def test_a_copy_has_no_secrets_and_asks_for_them(store, plain, home, plain_folder):
    copy = duplicate_instance(store, plain, "Shop", "Copy")
    assert dict(store.credentials("Copy", ())) == {"access": "all"}
    assert copy.settings == store.get("Shop").settings
    assert (copy.state, copy.state_message) == (InstanceState.INCOMPLETE, "Its secrets are not entered: API token.")
    with pytest.raises(ConfigurationError, match="not entered: API token"):
        async with open_instance_async("Copy", home=home, folders=[plain_folder]):
            pass
    with pytest.raises(NameTaken):
        duplicate_instance(store, plain, "Shop", "copy")
    completed = await edit_instance(store, plain, "Copy", {"credentials": {"api_token": SECRET}})
    assert (completed.instance.state, completed.instance.state_message) == (InstanceState.OK, "")


async def test_a_disabled_instance_is_not_used_until_it_is_enabled(store, plain, home, plain_folder):
    assert disable_instance(store, "Shop").state is InstanceState.DISABLED
    with pytest.raises(ConfigurationError, match="disabled"):
        async with open_instance_async("Shop", home=home, folders=[plain_folder]):
            pass
    edited = await edit_instance(store, plain, "Shop", {"settings": {"include_archived": True}})
    assert edited.instance.state is InstanceState.DISABLED
    assert (await enable_instance(home, "Shop", [plain_folder], untested=True)).instance.state is InstanceState.UNTESTED
    disable_instance(store, "Shop")
    assert (await enable_instance(home, "Shop", [plain_folder])).instance.state is InstanceState.OK


async def test_an_instance_whose_credentials_were_rejected_is_enabled_and_says_so(store, running, home, plain_folder):
    disable_instance(store, "Shop")
    running.options["token"] = NEW_SECRET
    with pytest.raises(CredentialsRejected):
        await enable_instance(home, "Shop", [plain_folder])
    assert store.get("Shop").state is InstanceState.REJECTED
