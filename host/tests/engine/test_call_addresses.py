"""Where calls may go: redirects, sessions that lead elsewhere, and instances of a stand-in."""

import httpx
import pytest

from connector_host.contract.errors import AddressNotAllowed, AnswerUnreadable, InputInvalid


async def test_redirects_of_reads_are_followed(connect, vendor):
    vendor.script = [
        httpx.Response(301, headers={"location": "/free?moved=1"}),
        httpx.Response(302, headers={"location": "https://us.shop.example/free"}),
        {"n": 5},
    ]
    async with connect() as shop:
        assert (await shop.call("shop.Free")).data == {"n": 5}
    first, same_origin, other_origin = vendor.sent
    assert str(same_origin.url) == "https://eu.shop.example/free?moved=1"
    assert same_origin.headers["Authorization"] == first.headers["Authorization"]
    assert str(other_origin.url) == "https://us.shop.example/free"
    assert "Authorization" not in other_origin.headers


@pytest.mark.parametrize("signs_in", [True, False])
@pytest.mark.parametrize(
    "location",
    ["https://evil.example/x", "http://eu.shop.example/x", "//evil.example", "https://eu.shop.example@evil.example"],
)
async def test_a_redirect_to_a_foreign_place_is_refused_before_anything_leaves(connect, vendor, location, signs_in):
    vendor.script = [httpx.Response(302, headers={"location": location})]
    async with connect(signs_in=signs_in) as shop:
        with pytest.raises(AddressNotAllowed):
            await shop.call("shop.Free")
    assert [request.url.host for request in vendor.sent] == ["eu.shop.example"]


async def test_redirects_without_end_are_an_error(connect, vendor):
    vendor.script = [httpx.Response(302, headers={"location": "/free"}) for _ in range(20)]
    async with connect() as shop:
        with pytest.raises(AnswerUnreadable, match="redirected"):
            await shop.call("shop.Free")
    assert len(vendor.sent) == 5


async def test_a_session_that_leads_elsewhere_never_gets_the_token(connect, vendor):
    vendor.server = "https://evil.example"
    async with connect() as shop:
        with pytest.raises(AddressNotAllowed, match=r"https://evil\.example"):
            await shop.call("shop.Read")
    assert vendor.sent == []


@pytest.mark.parametrize("server", ["eu.shop.example", "https://[broken", "https://eu.shop.example:port", ""])
async def test_a_session_with_an_address_that_is_none(connect, vendor, server):
    vendor.server = server
    async with connect() as shop:
        with pytest.raises((AddressNotAllowed, InputInvalid)):
            await shop.call("shop.Read")
    assert vendor.sent == []


async def test_an_instance_that_points_to_a_stand_in_never_reaches_the_vendor(connect, vendor):
    async with connect(settings={"address": "http://127.0.0.1:1"}) as shop:
        with pytest.raises(AddressNotAllowed):
            await shop.call("shop.Read")
    assert (vendor.sent, vendor.sign_ins) == ([], 0)
