import pytest

from connector_host.connectors import load_connector
from connector_host.instances import Home, InstanceStore

SECRET = "tok-marker-0f343b09"
NEW_SECRET = "tok-marker-c4ca4238"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("HOME", "DATABASE", "KEY", "KEYRING"):
        monkeypatch.delenv(f"CONNECTOR_HOST_{name}", raising=False)


@pytest.fixture
def plain(plain_folder):
    return load_connector("plain", [plain_folder])


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


@pytest.fixture
def store(home):
    with InstanceStore.open(home) as store:
        yield store


@pytest.fixture
def vendor(plain):
    """Start stand-ins of the plain API, and stop them afterwards."""
    running = []

    def start(**options):
        running.append(plain.sandbox().start({"token": SECRET, **options}))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def values():
    """The values of a form that sets up an instance of a stand-in."""

    def of(running, name="Shop", **changes):
        credentials = {**running.credentials, **changes.pop("credentials", {})}
        settings = {**running.settings, **changes.pop("settings", {})}
        return {"name": name, "authentication": "Token", "settings": settings, "credentials": credentials, **changes}

    return of
