import pytest

from connector_host.instances import InstanceStore

NEW_SECRET = "tok-marker-c4ca4238"


@pytest.fixture
def store(home):
    with InstanceStore.open(home) as store:
        yield store


@pytest.fixture
def values():
    """The values of a form that sets up an instance of a stand-in."""

    def of(running, name="Shop", **changes):
        credentials = {**running.credentials, **changes.pop("credentials", {})}
        settings = {**running.settings, **changes.pop("settings", {})}
        return {"name": name, "authentication": "Token", "settings": settings, "credentials": credentials, **changes}

    return of
