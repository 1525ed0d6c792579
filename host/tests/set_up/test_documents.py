import json

import pytest

from connector_host.contract.errors import ConfigurationError, CredentialsRejected, InputInvalid, NameTaken
from connector_host.instances import InstanceState
from connector_host.set_up import add_instance, export_instance, import_instance, missing_secrets

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package

pytestmark = pytest.mark.usefixtures("running")


@pytest.fixture
async def running(store, plain, vendor, values):
    running = vendor()
    await add_instance(store, plain, values(running, settings={"time_zone": "Europe/London"}))
    return running


def test_an_exported_instance_has_everything_but_its_secrets(store, plain):
    document = export_instance(store, plain, "shop")
    assert document == {
        "format": "connector-host/instance",
        "version": 1,
        "name": "Shop",
        "connector": "plain",
        "connector_version": 3,
        "authentication": "Token",
        "settings": store.get("Shop").settings,
        "credentials": {"access": "all"},
        "secrets": ["api_token"],
    }
    assert SECRET not in json.dumps(document)


async def test_what_was_exported_comes_back_with_its_secrets(store, plain):
    document = json.loads(json.dumps(export_instance(store, plain, "Shop")))
    assert missing_secrets(plain, document) == ("api_token",)
    with pytest.raises(NameTaken):
        await import_instance(store, plain, document, secrets={"api_token": SECRET})
    added = await import_instance(store, plain, document, secrets={"api_token": SECRET}, name="Again")
    assert added.instance.state is InstanceState.OK
    assert export_instance(store, plain, "Again") == {**document, "name": "Again"}


async def test_without_secrets_it_is_kept_and_asks_for_them(store, plain):
    document = export_instance(store, plain, "Shop")
    added = await import_instance(store, plain, document, name="Later")
    assert (added.instance.state, added.signed_in) == (InstanceState.INCOMPLETE, None)
    assert "API token" in added.instance.state_message


async def test_secrets_that_the_vendor_refuses_import_nothing(store, plain):
    document = export_instance(store, plain, "Shop")
    with pytest.raises(CredentialsRejected):
        await import_instance(store, plain, document, secrets={"api_token": "tok-something-else"}, name="Again")
    assert store.count() == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"version": 2}, "document.version"),
        ({"format": "something else"}, "document.format"),
        ({"connector": "other"}, "document.connector"),
        ({"extra": 1}, "document.extra"),
        ({"credentials": {"access": 1}}, "document.credentials.access"),
        ({"connector_version": None}, "document.connector_version"),
    ],
)
async def test_another_document_is_refused_with_its_place(store, plain, change, where):
    document = {**export_instance(store, plain, "Shop"), **change, "name": "Again"}
    with pytest.raises(InputInvalid) as caught:
        await import_instance(store, plain, document)
    assert where in {problem.where for problem in caught.value.problems}
    assert store.count() == 1


async def test_an_unknown_method_is_told(store, plain):
    document = {**export_instance(store, plain, "Shop"), "authentication": "Cookie", "name": "Again"}
    with pytest.raises(ConfigurationError, match="no authentication method Cookie"):
        await import_instance(store, plain, document)
