import os
import uuid
from dataclasses import replace

import pytest
import sqlalchemy

from connector_host.instances import Home, InstanceStore

POSTGRES = os.environ.get("CONNECTOR_HOST_TEST_POSTGRES", "")


class FakeClock:
    """Time that passes when someone waits, and not otherwise; `sleep_here` is the waiting of threads."""

    def __init__(self, now=1_700_000_000.0):
        self.now = now
        self.passed = 0.0

    def time(self):
        return self.now + self.passed

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds):
        self.passed += seconds

    def sleep_here(self, seconds):
        self.passed += seconds


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("HOME", "DATABASE", "KEY", "KEYRING"):
        monkeypatch.delenv(f"CONNECTOR_HOST_{name}", raising=False)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").create()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_home(request, home):
    """A home on each database; on PostgreSQL the test has a schema of its own."""
    if request.param == "sqlite":
        yield home
        return
    if not POSTGRES:
        pytest.skip("CONNECTOR_HOST_TEST_POSTGRES has no SQLAlchemy URL of a PostgreSQL database")
    schema = f"test_{uuid.uuid4().hex}"
    engine = sqlalchemy.create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.schema.CreateSchema(schema))
    url = sqlalchemy.make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield replace(home, database_override=url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.schema.DropSchema(schema, cascade=True))
    engine.dispose()


@pytest.fixture
def open_store():
    """Open stores that are closed when the test ends."""
    stores = []

    def opened(home, **options):
        store = InstanceStore.open(home, **options)
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(any_home, clock, open_store):
    return open_store(any_home, clock=clock)


@pytest.fixture
def add_shop():
    """Add an instance with two credentials, of which one is secret."""

    def add(store, name="Shop", **changes):
        values = {
            "connector": "plain",
            "connector_version": 1,
            "authentication": "Token",
            "settings": {"time_zone": "Europe/London"},
            "credentials": {"token": "a-token", "account": "shop-7"},
        }
        return store.add(name, **(values | changes))

    return add
