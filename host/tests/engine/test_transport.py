from typing import ClassVar

import httpx
import pytest

from connector_host.engine import transport


class Named(httpx.AsyncBaseTransport):
    made: ClassVar[list] = []

    def __init__(self, *, limits=None, proxy=None):
        self.limits, self.proxy, self.closed = limits, proxy, False
        Named.made.append(self)

    async def handle_async_request(self, _request):
        return httpx.Response(200, text="proxied" if self.proxy else "direct")

    async def aclose(self):
        self.closed = True


@pytest.fixture
def environment(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Named)
    monkeypatch.setattr(Named, "made", [])
    return monkeypatch.setenv


async def way_of(network, address):
    return (await network.handle_async_request(httpx.Request("GET", address))).text


@pytest.mark.usefixtures("environment")
async def test_without_a_proxy_everything_goes_directly():
    network = transport.network(7)
    assert await way_of(network, "https://eu.shop.example") == "direct"
    assert len(Named.made) == 1
    assert Named.made[0].limits.max_connections == 7
    assert Named.made[0].limits.keepalive_expiry < 5, "common servers close after 5 s"


async def test_the_proxy_of_the_environment_is_used_for_https(environment):
    environment("HTTPS_PROXY", "http://proxy.example:3128")
    environment("NO_PROXY", "inner.example,localhost")
    network = transport.network(4)
    assert await way_of(network, "https://eu.shop.example") == "proxied"
    assert await way_of(network, "https://inner.example") == "direct"
    assert await way_of(network, "http://127.0.0.1:8900") == "direct"
    assert [each.limits.max_connections for each in Named.made if each.proxy] == [4]
    await network.aclose()
    assert all(each.closed for each in Named.made)
