import pytest

from connector_host.instances import InstanceStore


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
            "credentials": {"token": "marker-a-token", "account": "shop-7"},
        }
        return store.add(name, **(values | changes))

    return add
