import contextlib
import functools
import threading

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from connector_host.connectors import find_connectors, load_connector
from connector_host.instances import InstanceStore
from connector_host.runs import Runner
from connector_host.web.api import ApiHost, api_mount


class Served:
    """The API on a loopback socket, with a token."""

    def __init__(self, home, folder):
        self.store = InstanceStore.open(home)
        self.runner = Runner(home, [folder])
        load, find = functools.cache(load_connector), functools.cache(find_connectors)
        self.host = ApiHost(
            home,
            self.store,
            self.runner,
            [folder],
            find=lambda: find((folder,)),
            load=lambda name: load(name, (folder,)),
        )
        self.token_, self.token = self.host.tokens.add("tests")

        @contextlib.asynccontextmanager
        async def lifespan(_app):
            async with self.runner:
                yield

        self.app = Starlette(routes=[api_mount(self.host)], lifespan=lifespan)
        config = uvicorn.Config(self.app, port=0, log_config=None, lifespan="on")
        self.server = uvicorn.Server(config)

    def start(self):
        sockets = [self.server.config.bind_socket()]
        sockets[0].listen()  # so that who connects before the thread serves waits for it
        self.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self.thread = threading.Thread(target=self.server.run, args=(sockets,), daemon=True)
        self.thread.start()
        self.client = httpx.Client(
            base_url=f"{self.address}/api/v1/",
            headers={"Authorization": f"Bearer {self.token}"},
            trust_env=False,
            timeout=30,
        )

    def stop(self):
        self.client.close()
        self.server.should_exit = True
        self.thread.join()
        self.store.close()


@pytest.fixture
def api(home, plain_folder):
    served = Served(home, plain_folder)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def client(api):
    return api.client


@pytest.fixture
def shop(client, vendor):
    """An instance named shop, and its vendor."""
    running = vendor()
    made = client.post("instances", json=form_of(running))
    assert made.status_code == 201, made.text
    return running


def form_of(running, name="shop", **more):
    return {
        "connector": "plain",
        "name": name,
        "settings": running.settings,
        "credentials": dict(running.credentials),
        **more,
    }
