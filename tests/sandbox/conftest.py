import httpx
import pytest

from linnworks_connector.sandbox.clock import ManualClock
from linnworks_connector.sandbox.server import SandboxOptions, start_sandbox

ZERO = "00000000-0000-0000-0000-000000000000"
"""Id of the default location."""
FULL_ITEMS = {
    "loadCompositeParents": True,
    "loadVariationParents": True,
    "dataRequirements": [
        "StockLevels",
        "Supplier",
        "ChannelTitle",
        "ChannelDescription",
        "ChannelPrice",
        "ExtendedProperties",
        "Images",
    ],
}
"""What Stock/GetStockItemsFull is asked for to give every item with everything about it."""


class Client:
    """Talks to a sandbox as a program would, over its sockets."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.http = httpx.Client(timeout=10)
        self.session = {}

    def sign_in(self, **changes):
        keys = {"ApplicationId": "application_id", "ApplicationSecret": "application_secret", "Token": "token"}
        body = {name: self.sandbox.credentials[key] for name, key in keys.items()} | changes
        answer = self.http.post(f"{self.sandbox.address}/api/Auth/AuthorizeByApplication", json=body)
        if answer.status_code == 200:
            self.session = answer.json()
        return answer

    @property
    def headers(self):
        if not self.session:
            self.sign_in()
        return {"Authorization": self.session["Token"]}

    def post(self, path, body=None, *, method="POST", **kwargs):
        kwargs.setdefault("headers", self.headers)
        return self.http.request(method, f"{self.session['Server']}/api/{path}", json=body, **kwargs)

    def form(self, path, **data):
        headers = self.headers
        return self.http.post(f"{self.session['Server']}/api/{path}", data=data, headers=headers)

    def get(self, path, **params):
        headers = self.headers
        return self.http.get(f"{self.session['Server']}/api/{path}", params=params, headers=headers)

    def gateway(self, method, path, **kwargs):
        kwargs.setdefault("headers", self.headers)
        return self.http.request(method, f"{self.sandbox.address}{path}", **kwargs)

    def close(self):
        self.http.close()


@pytest.fixture
def start(request):
    """Start a sandbox with a clock that stands still; closed after the test."""

    def starter(**options):
        options.setdefault("clock", ManualClock())
        options.setdefault("orders", 60)
        options.setdefault("items", 80)
        sandbox = start_sandbox(SandboxOptions(**options))
        request.addfinalizer(sandbox.close)
        client = Client(sandbox)
        request.addfinalizer(client.close)
        return client

    return starter


@pytest.fixture
def client(start):
    return start()
