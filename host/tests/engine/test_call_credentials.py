"""Calls and their credentials: sent with each, or for a session that is signed in to first."""

import httpx
import pytest

from connector_host.contract.auth import ManifestAuth
from connector_host.contract.errors import (
    AddressNotAllowed,
    AnswerUnreadable,
    ConnectorBroken,
    ConnectorHostError,
    CredentialsRejected,
    InputInvalid,
    QuotaExhausted,
    VendorFault,
    VendorUnreachable,
)
from connector_host.contract.sessions import MemorySessionStore

from .conftest import check_facts
from .failures import raises


async def test_credentials_that_go_with_every_call_are_rejected_not_lost(connect, vendor):
    vendor.script = [401]
    async with connect(signs_in=False) as shop:
        with pytest.raises(CredentialsRejected):
            await shop.call("shop.Read")
        assert vendor.sent[0].headers["X-Key"] == "MARKER-secret-of-the-application"


@pytest.mark.parametrize("secret", ["line\r\nbreak", "nul\0"])
async def test_a_credential_that_no_header_can_carry(connect, vendor, secret):
    async with connect(signs_in=False, secret=secret) as shop:
        # What httpx lets through, h11 refuses when it writes the request.
        vendor.script = [raises(httpx.LocalProtocolError)]
        with pytest.raises(InputInvalid, match="cannot be written as HTTP") as caught:
            await shop.call("shop.Read")
    assert secret not in str(caught.value) + caught.value.detail


class BrokenAuth(ManifestAuth):
    def sign(self, _request, _session):
        raise KeyError("MARKER-secret-of-the-application")


async def test_a_broken_auth_handler_is_named_without_its_secret(connect):
    async with connect(auth=BrokenAuth) as shop:
        with pytest.raises(ConnectorBroken, match="KeyError") as caught:
            await shop.call("shop.Read")
    assert "MARKER" not in str(caught.value) + caught.value.detail
    assert caught.value.__context__ is None


SIGN_IN_ENDINGS = [
    ([400] * 9, CredentialsRejected, 1),
    ([500] * 9, VendorFault, 4),
    ([429] * 9, QuotaExhausted, 4),
    ([raises(httpx.ReadTimeout)] * 9, VendorUnreachable, 4),
    ([raises(httpx.ConnectError)] * 9, VendorUnreachable, 4),
    ([httpx.Response(200, json={})] * 9, AnswerUnreadable, 1),
    ([httpx.Response(302, headers={"location": "https://evil.example"})] * 9, AddressNotAllowed, 1),
]


@pytest.mark.parametrize("operation", ["shop.Read", "shop.Write"])
@pytest.mark.parametrize(("script", "error", "tries"), SIGN_IN_ENDINGS)
async def test_how_a_failed_sign_in_ends_a_call(connect, vendor, *, operation, script, error, tries):
    vendor.sign_in_script = list(script)
    async with connect() as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.call(operation)
    assert type(caught.value) is error
    assert (vendor.sign_ins, vendor.sent) == (tries, [])
    check_facts(caught.value, operation, attempts=tries)


@pytest.mark.parametrize("script", [[500], [429], [raises(httpx.ReadTimeout)], [raises(httpx.ReadError)]])
async def test_a_write_goes_on_after_a_sign_in_that_failed_in_passing(connect, vendor, script):
    vendor.sign_in_script = list(script)
    async with connect() as shop:
        await shop.call("shop.Write")
    assert (vendor.sign_ins, len(vendor.sent)) == (2, 1)


async def test_a_write_whose_sign_in_fails_after_a_401_has_not_happened(connect, vendor):
    store = MemorySessionStore()
    async with connect(store=store) as shop:
        await shop.call("shop.Write")
        vendor.script = [401]
        vendor.sign_in_script = [raises(httpx.ReadTimeout)]
        await shop.call("shop.Write")
    assert (vendor.sign_ins, len(vendor.sent)) == (3, 3)


async def test_signing_in_to_see_whether_it_works(connect, vendor):
    async with connect() as shop:
        await shop.call("shop.Free")
        told = await shop.sign_in_check()
        assert (told.verified, told.account, told.addresses) == (True, "Tess", {"api": "https://eu.shop.example"})
        assert vendor.sign_ins == 2
        await shop.call("shop.Free")
        assert vendor.sent[-1].headers["Authorization"] == "MARKER-token-2"
        assert shop.stats.sign_ins == 2


async def test_a_sign_in_check_tells_what_is_wrong_and_does_not_ask_twice(connect, vendor):
    vendor.sign_in_script = [400]
    async with connect() as shop:
        for _ in range(2):
            with pytest.raises(CredentialsRejected):
                await shop.sign_in_check()
        assert vendor.sign_ins == 1
    vendor.sign_in_script = [500]
    async with connect() as shop:
        assert (await shop.sign_in_check()).verified


async def test_without_a_session_there_is_nothing_to_check(connect):
    async with connect(signs_in=False) as shop:
        told = await shop.sign_in_check()
    assert (told.verified, told.addresses) == (False, {"api": "https://eu.shop.example"})
