import datetime
import threading
import time

import anyio
import pytest

from connector_host.instances import InstanceState, InstanceStore
from connector_host.runs import Runner, RunStore


class Gate:
    """Lets some requests through and holds the others until it is opened; `held` is set when it holds one."""

    def __init__(self, through):
        self.through, self.opened, self.held = threading.Semaphore(through), threading.Event(), threading.Event()

    def wait(self, _seconds):
        if not self.through.acquire(blocking=False):
            self.held.set()
            self.opened.wait()

    def set(self):
        self.opened.set()


def change(running, key, name):
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    running.things[key] = {**running.things[key], "name": name, "updated_at": at}


@pytest.fixture
def place(home):
    """The home that a test works in; modules whose tests run on every database have their own."""
    return home


@pytest.fixture
def store(place):
    with InstanceStore.open(place) as store:
        yield store


@pytest.fixture
def runs(store):
    return RunStore(store.database)


@pytest.fixture
def add_shop(store, plain):
    """Add an instance of a stand-in, without asking it."""

    def add(running, name="Shop", **settings):
        return store.add(
            name,
            connector="plain",
            connector_version=plain.manifest.version,
            authentication="Token",
            settings={**running.settings, **settings},
            credentials=running.credentials,
            state=InstanceState.OK,
        )

    return add


@pytest.fixture
async def runner(place, plain_folder):
    async with Runner(place, [plain_folder]) as runner:
        yield runner


@pytest.fixture
def clock_that_jumps():
    """Sleeping on it only lets others have their turn."""

    class Clock:
        def time(self):
            return time.time()

        def monotonic(self):
            return time.monotonic()

        async def sleep(self, _seconds):
            await anyio.sleep(0.01)

    return Clock()
