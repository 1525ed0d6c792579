import httpx
import pytest

from connector_host.contract.errors import AddressNotAllowed
from connector_host.contract.hosts import AllowedHosts, is_loopback

PATTERNS = ("*.shop.example", "api.vendor.example")
VENDOR = AllowedHosts(PATTERNS)
STAND_IN = AllowedHosts(PATTERNS, loopback=True)


def lets_through(hosts, address):
    try:
        hosts.check(httpx.URL(address))
    except AddressNotAllowed:
        return False
    return True


@pytest.mark.parametrize(
    "address",
    [
        "https://eu.shop.example/api",
        "https://a.b.shop.example/",
        "https://EU.Shop.Example/",
        "https://api.vendor.example:443/",
    ],
)
def test_the_vendor_is_let_through(address):
    assert lets_through(VENDOR, address)


@pytest.mark.parametrize(
    "address",
    [
        "http://eu.shop.example/",
        "https://shop.example/",
        "https://evilshop.example/",
        "https://eu.shop.example.evil.example/",
        "https://eu.shop.example@evil.example/",
        "https://user:word@eu.shop.example/",
        "https://eu.shop.example:99999/",
        "https://eu.shop.example:0/",
        "https://evil.example/eu.shop.example",
        "https://evil.example#.shop.example/api",
        "https://evil.example?.shop.example/api",
        "https://eu.shop.example./",
        "https://x.vendor.example/",
        "https://127.0.0.1/",
        "http://localhost:80/",
        "https://[::1]/",
        "https://\u0435u.shop.example.evil.example/",
        "ftp://eu.shop.example/",
        "//eu.shop.example/",
        "eu.shop.example/api",
        "/api",
    ],
)
def test_everything_else_is_refused(address):
    with pytest.raises(AddressNotAllowed, match="before anything was sent"):
        VENDOR.check(httpx.URL(address))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8900/", "http://localhost/", "http://[::1]:1/", "https://127.9.9.9/"]
)
def test_a_stand_in_is_reached_when_the_settings_point_to_it(address):
    assert lets_through(STAND_IN, address)
    assert not lets_through(VENDOR, address)


@pytest.mark.parametrize("address", ["https://eu.shop.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.example/"])
def test_and_nothing_but_it(address):
    assert not lets_through(STAND_IN, address)


@pytest.mark.parametrize(
    ("settings", "loopback"),
    [
        ({}, False),
        ({"address": "https://eu.shop.example"}, False),
        ({"address": "http://127.0.0.1:8900"}, True),
        ({"address": "HTTP://LOCALHOST:8900", "other": 3}, True),
        ({"note": "see http://127.0.0.1"}, False),
        ({"address": "http://localhost.evil.example"}, False),
        ({"address": "http://[::1"}, False),
    ],
)
def test_which_settings_point_to_a_stand_in(settings, loopback):
    assert AllowedHosts.for_instance(PATTERNS, settings) == AllowedHosts(PATTERNS, loopback)


@pytest.mark.parametrize(
    ("host", "expected"), [("localhost", True), ("::1", True), ("[::1]", True), ("8.8.8.8", False)]
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected
