"""Signing in with AuthorizeByApplication, over real sockets to the sandbox and over a scripted vendor."""

import asyncio
import threading

import httpx
import pytest

from connector_host.contract.auth import AuthContext
from connector_host.contract.errors import (
    AddressNotAllowed,
    AnswerUnreadable,
    ConfigurationError,
    CredentialsRejected,
    QuotaExhausted,
    VendorFault,
    VendorRefused,
)
from connector_host.contract.secrets import Credentials, Redactor
from connector_host.contract.sessions import MemorySessionStore
from connector_host.testing.clock import FakeClock
from linnworks_connector.auth import AuthorizeByApplication

CREDENTIALS = {
    "scope": "all",
    "token": "0c7de0aa-0000-4000-8000-00000000707e",
    "application_id": "0c7de0aa-0000-4000-8000-0000000000a1",
    "application_secret": "0c7de0aa-0000-4000-8000-00000000005e",
    "grant_type": "client_credentials",
    "response_authentication_token_key": "token",
}
SESSION = {
    "Token": "5e551011-0000-4000-8000-000000000001",
    "Server": "https://eu-ext.linnworks.net",
    "Locality": "EU",
    "TTL": None,
    "Email": "shop@example.com",
    "DatabaseUser": "marker-database-user",
    "DatabasePassword": "marker-database-password",
    "Md5Hash": "marker-md5-hash",
    "AccessToken": "marker-access-token",
}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def handler(linnworks, clock):
    """Make a handler as a host would."""

    def make(*, credentials=None, sessions=None, api_address="https://api.linnworks.net", clock=clock):
        method = linnworks.method()
        values = Credentials({**CREDENTIALS, **(credentials or {})}, method.secret_keys)
        context = AuthContext(
            linnworks.manifest,
            method,
            values,
            {"api_address": api_address},
            Redactor(values.secret_values),
            sessions or MemorySessionStore(),
            clock,
        )
        made = linnworks.auth_handler(context)
        assert isinstance(made, AuthorizeByApplication)
        return made

    return make


class Vendor:
    """Answers sign-ins from a script, and calls with 200 unless their token is dead."""

    def __init__(self, *sign_ins):
        self.sign_ins = list(sign_ins) or [(200, SESSION)]
        self.seen = []
        self.dead = set()

    def __call__(self, request):
        self.seen.append(request)
        if request.url.path.endswith("/AuthorizeByApplication"):
            status, body = self.sign_ins.pop(0) if len(self.sign_ins) > 1 else self.sign_ins[0]
            return httpx.Response(status, json=body) if not isinstance(body, str) else httpx.Response(status, text=body)
        return httpx.Response(401 if request.headers["authorization"] in self.dead else 200, json=[])

    @property
    def signed_in(self):
        return sum(request.url.path.endswith("/AuthorizeByApplication") for request in self.seen)


def call(base="session", target="/api/Stock/GetStockItemsFull"):
    return httpx.Request("POST", "https://x.invalid", json={}, extensions={"base": base, "base_target": target})


def client_of(vendor):
    return httpx.Client(transport=httpx.MockTransport(vendor))


def test_three_fields_are_sent_as_json_and_the_token_goes_raw_to_the_sessions_server(handler):
    vendor = Vendor()
    with client_of(vendor) as client:
        assert client.send(call(), auth=handler()).status_code == 200
    sign_in, asked = vendor.seen
    assert str(sign_in.url) == "https://api.linnworks.net/api/Auth/AuthorizeByApplication"
    assert sign_in.headers["content-type"] == "application/json"
    assert httpx.Response(200, content=sign_in.content).json() == {
        "ApplicationId": CREDENTIALS["application_id"],
        "ApplicationSecret": CREDENTIALS["application_secret"],
        "Token": CREDENTIALS["token"],
    }
    assert str(asked.url) == "https://eu-ext.linnworks.net/api/Stock/GetStockItemsFull"
    assert asked.headers["host"] == "eu-ext.linnworks.net"
    assert asked.headers["authorization"] == SESSION["Token"]


@pytest.mark.parametrize(
    ("locality", "server", "gateway"),
    [
        ("EU", "https://eu-ext.linnworks.net", "eu-api"),
        ("US", "https://us-ext.linnworks.net", "us-api"),
        ("AS", "https://as-ext.linnworks.net", "as-api"),
        (None, "https://us-ext.linnworks.net/", "us-api"),
        (None, "https://somewhere.linnworks.net", "eu-api"),
    ],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_locality_picks_the_gateway(handler, locality, server, gateway, version):
    vendor = Vendor((200, {**SESSION, "Locality": locality, "Server": server}))
    with client_of(vendor) as client:
        client.send(call(version, "/orders?entriesPerPage=2"), auth=handler())
    assert str(vendor.seen[-1].url) == f"https://{gateway}.linnworks.net/{version}/orders?entriesPerPage=2"


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("token", {"Token": "marker-t-1"}),
        ("token.", {"Token": "marker-t-1"}),
        ("TOKEN", {"token": "marker-t-1"}),
        ("session.token", {"Session": {"Token": "marker-t-1"}}),
        ("AccessToken", {"accesstoken": "marker-t-1"}),
    ],
)
def test_token_is_found_under_the_configured_key(handler, key, answer):
    body = {key: value for key, value in SESSION.items() if key not in ("Token", "AccessToken")} | answer
    vendor = Vendor((200, body))
    with client_of(vendor) as client:
        client.send(call(), auth=handler(credentials={"response_authentication_token_key": key}))
    assert vendor.seen[-1].headers["authorization"] == "marker-t-1"


REFUSALS = {
    "bad credentials": (
        400,
        {"Code": None, "Message": "Invalid application id or application secret"},
        CredentialsRejected,
    ),
    "401 without words": (401, "", CredentialsRejected),
    "expired installation": (400, "Token has expired", CredentialsRejected),
    "quota": (429, {"Message": "API calls quota exceeded! Maximum admitted 150 per Minute."}, QuotaExhausted),
    "quota under another status": (400, '"API calls quota exceeded! Maximum admitted 150 per Minute."', QuotaExhausted),
    "vendor down": (503, "<html><title>Service Unavailable</title></html>", VendorFault),
    "page of a proxy": (200, "<html>Sign in to the Wi-Fi</html>", VendorFault),
    "wrong address": (404, "", VendorRefused),
    "malformed": (400, "The request body is malformed", VendorRefused),
    "no token": (200, {"Server": "https://eu-ext.linnworks.net"}, AnswerUnreadable),
    "no server": (200, {"Token": "t"}, AnswerUnreadable),
    "a list": (200, [], AnswerUnreadable),
    "locked account": (200, {**SESSION, "Status": {"State": "LOCKED_FULL", "Reason": "unpaid"}}, VendorRefused),
    "maintenance": (200, {**SESSION, "Status": {"State": "MAINTENANCE", "Reason": ""}}, VendorFault),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_is_told_without_secrets_and_with_a_next_step(handler, case, caplog):
    status, body, error = REFUSALS[case]
    with client_of(Vendor((status, body))) as client, pytest.raises(error) as caught:
        client.send(call(), auth=handler())
    told = f"{caught.value}{caught.value.detail}{caught.value!r}{caplog.text}"
    assert caught.value.next_step or error is AnswerUnreadable
    for secret in (CREDENTIALS["token"], CREDENTIALS["application_secret"], "marker", SESSION["Token"]):
        assert secret not in told


def test_credentials_that_were_rejected_are_not_tried_again_until_they_change(handler):
    vendor, sessions = Vendor(REFUSALS["bad credentials"][:2]), MemorySessionStore()
    with client_of(vendor) as client:
        for _ in range(3):
            with pytest.raises(CredentialsRejected, match="Invalid application id"):
                client.send(call(), auth=handler(sessions=sessions))
    assert vendor.signed_in == 1


def test_vendor_that_is_down_is_tried_again(handler):
    vendor, sessions = Vendor(REFUSALS["vendor down"][:2], (200, SESSION)), MemorySessionStore()
    with client_of(vendor) as client:
        with pytest.raises(VendorFault):
            client.send(call(), auth=handler(sessions=sessions))
        assert client.send(call(), auth=handler(sessions=sessions)).status_code == 200


@pytest.mark.parametrize(
    ("ttl", "wait", "signed_in"),
    [
        (None, 18 * 60, 1),
        (None, 20 * 60, 2),
        (None, 24 * 3600, 2),
        (3600, 30 * 60, 1),
        (3600, 3600 - 30, 2),
        ("3600", 3600 + 1, 2),
        (0, 18 * 60, 1),
        (-5, 20 * 60, 2),
        ("soon", 20 * 60, 2),
    ],
)
def test_session_is_kept_as_long_as_it_lives(handler, clock, ttl, wait, signed_in):
    vendor, auth = Vendor((200, {**SESSION, "TTL": ttl})), handler()
    with client_of(vendor) as client:
        client.send(call(), auth=auth)
        clock.advance(wait)
        client.send(call(), auth=auth)
    assert vendor.signed_in == signed_in


def test_each_call_keeps_an_idle_session_alive(handler, clock):
    vendor, auth = Vendor(), handler()
    with client_of(vendor) as client:
        for _ in range(10):
            client.send(call(), auth=auth)
            clock.advance(15 * 60)
    assert vendor.signed_in == 1


def test_dead_session_is_replaced_once_and_the_call_repeated_once(handler):
    vendor, auth = Vendor((200, SESSION), (200, {**SESSION, "Token": "marker-second"})), handler()
    with client_of(vendor) as client:
        client.send(call(), auth=auth)
        vendor.dead.add(SESSION["Token"])
        assert client.send(call(), auth=auth).status_code == 200
        vendor.dead.add("marker-second")
        assert client.send(call(), auth=auth).status_code == 401
    assert vendor.signed_in == 3
    assert len(vendor.seen) == 3 + 1 + 2 + 2


async def test_many_calls_that_meet_a_dead_session_sign_in_once(sandbox, handler):
    running = sandbox()
    clock = FakeClock(running.control.clock.now().timestamp())
    auth = handler(credentials=running.credentials, api_address=running.address, clock=clock)
    async with httpx.AsyncClient() as client:
        await client.send(call(target="/api/Inventory/GetStockLocations"), auth=auth)
        running.control.expire_sessions()
        answers = await asyncio.gather(
            *(client.send(call(target="/api/Inventory/GetStockLocations"), auth=auth) for _ in range(25))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert running.control.sign_ins == 2


def test_threads_share_one_sign_in(sandbox, handler):
    running = sandbox()
    auth = handler(credentials=running.credentials, api_address=running.address)
    answers = []

    def work():
        with httpx.Client() as client:
            answers.append(client.send(call(target="/api/Inventory/GetStockLocations"), auth=auth).status_code)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 12
    assert running.control.sign_ins == 1


def test_sandbox_refuses_wrong_credentials_as_the_vendor_does(sandbox, handler):
    running = sandbox()
    wrong = {**running.credentials, "application_secret": CREDENTIALS["application_secret"]}
    with (
        httpx.Client() as client,
        pytest.raises(CredentialsRejected, match="Invalid application id or application secret"),
    ):
        client.send(call(), auth=handler(credentials=wrong, api_address=running.address))


def test_session_never_shows_itself(handler):
    auth = handler()
    with client_of(Vendor()) as client:
        client.send(call(), auth=auth)
    shown = f"{auth.context!r}{auth._session!r}{auth.context.redactor!r}"
    assert SESSION["Token"] not in shown
    assert CREDENTIALS["application_secret"] not in shown
    hidden = auth.context.redactor(f"a {SESSION['Token'].upper()} b marker-database-password c")
    assert SESSION["Token"] not in hidden.lower()
    assert "marker" not in hidden


REDIRECTS = {
    "a host that is not allowed": (
        "https://evil.example/api/Auth/AuthorizeByApplication?next=x",
        AddressNotAllowed,
        "redirects the sign-in to https://evil.example, which is not among the allowed hosts (https only); nothing was",
        "Check the address in the instance's settings",
    ),
    "an allowed host without https": (
        "http://eu.linnworks.net/",
        AddressNotAllowed,
        "to http://eu.linnworks.net, which is not among the allowed hosts",
        "Check the address in the instance's settings",
    ),
    "an allowed host": (
        "https://eu-ext.linnworks.net/api/Auth/AuthorizeByApplication",
        ConfigurationError,
        "to another place at eu-ext.linnworks.net, and secrets are not sent on by themselves.",
        "set the address in the instance's settings to https://eu-ext.linnworks.net;",
    ),
    "another path of the same host": (
        "/api/SignIn",
        ConfigurationError,
        "to another place at api.linnworks.net, and secrets are not sent on by themselves.",
        "set the address in the instance's settings to https://api.linnworks.net;",
    ),
}


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("case", REDIRECTS)
def test_a_redirected_sign_in_is_told_and_not_followed(handler, status, case):
    location, error, words, step = REDIRECTS[case]
    sent = []

    def answer(request):
        sent.append(request)
        return httpx.Response(status, headers={"location": location}, text="<html>Moved</html>")

    with httpx.Client(transport=httpx.MockTransport(answer)) as client, pytest.raises(error) as caught:
        client.send(call(), auth=handler())
    assert words in caught.value.message
    assert step in caught.value.next_step
    assert "credentials" not in str(caught.value)
    assert len(sent) == 1
