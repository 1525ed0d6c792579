"""Marker secrets are sent through every kind of failure; none may come out in an error, a log line or a repr."""

import base64
import logging
import traceback
from urllib.parse import quote

import httpx
import pytest

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.auth import ManifestAuth
from connector_host.contract.errors import ConnectorBroken, ConnectorHostError, InputInvalid, Problem

SECRET = "MARKER/secret+of=the application"
TOKEN = "MARKER-token-1"


def leaks(request):
    """Everything a vendor could echo: the token, the secret, the address."""
    token = request.headers.get("Authorization", "") if request else ""
    return f"bad {token} {SECRET} {quote(SECRET, safe='')} at {request.url if request else ''}"


def echoing(status):
    return lambda request: httpx.Response(status, json={"message": leaks(request)}, headers={"x-echo": leaks(request)})


def echoing_html(request):
    return httpx.Response(502, text=f"<html><title>{leaks(request)}</title></html>")


def echoing_long(_request):
    # The secret stands where the message is cut.
    return httpx.Response(400, text="word " * 96 + SECRET + " " + TOKEN + " end" * 50)


def echoing_redirect(_request):
    return httpx.Response(307, headers={"location": f"https://eu.shop.example/{TOKEN}?s={quote(SECRET, safe='')}"})


def foreign_redirect(_request):
    return httpx.Response(302, headers={"location": f"https://{TOKEN.lower()}.evil.example/"})


def broken_json(request):
    return httpx.Response(200, text='{"n": ' + leaks(request))


def failing(kind):
    def fail(request):
        raise kind(leaks(request), request=request)

    return fail


ANSWERS = [
    *map(echoing, (400, 401, 403, 404, 408, 429, 500, 503)),
    echoing_html,
    echoing_long,
    echoing_redirect,
    foreign_redirect,
    broken_json,
    *map(
        failing,
        (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.ReadTimeout,
            httpx.ReadError,
            httpx.WriteError,
            httpx.PoolTimeout,
            httpx.ProxyError,
            httpx.LocalProtocolError,
            httpx.RemoteProtocolError,
            httpx.DecodingError,
            httpx.UnsupportedProtocol,
        ),
    ),
]


def everything_of(error, caplog):
    formatted = "".join(traceback.format_exception(error))
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    parts = [formatted, repr(error), str(error), error.detail, repr(error.call), str(error.problems), logged]
    return "\n".join(parts)


def check(text):
    for secret in (SECRET, TOKEN, quote(SECRET, safe="")):
        assert secret.lower() not in text.lower()
    assert "MARKER" not in text
    assert base64.b64encode(SECRET.encode())[:-4].decode() not in text


@pytest.mark.parametrize("operation", ["shop.Free", "shop.Write"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_failures_of_calls(connect, vendor, caplog, *, answer, operation):
    caplog.set_level(logging.DEBUG)
    vendor.script = [answer] * 9
    async with connect(secret=SECRET) as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.call(operation)
        text = everything_of(caught.value, caplog) + repr(shop) + repr(shop.stats) + repr(shop.redactor)
    assert vendor.sign_ins >= 1
    check(text)


# A host that a sign-in is redirected to is told; a token in its name was never one of ours.
SIGN_INS = [answer for answer in ANSWERS if answer is not foreign_redirect]


@pytest.mark.parametrize("answer", SIGN_INS)
async def test_failures_of_sign_ins(connect, vendor, caplog, answer):
    caplog.set_level(logging.DEBUG)
    vendor.sign_in_script = [answer] * 9
    async with connect(secret=SECRET) as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.sign_in_check()
        check(everything_of(caught.value, caplog))


async def test_an_answer_shows_no_body(connect, vendor, caplog):
    caplog.set_level(logging.DEBUG)
    vendor.script = [{"n": 1, "password": "MARKER in the answer"}]
    async with connect(secret=SECRET) as shop:
        answer = await shop.call("shop.Free")
    assert answer.data["password"] == "MARKER in the answer"
    check(repr(answer) + str(answer) + caplog.text)


class KeyInAddress(ManifestAuth):
    """Some vendors take the key in the address, which the HTTP libraries log."""

    def sign(self, request, session):
        super().sign(request, session)
        request.url = request.url.copy_merge_params({"key": self.context.credentials["secret"]})


async def test_a_key_in_the_address_is_hidden_in_the_logs_of_http_libraries(connect, vendor, caplog):
    caplog.set_level(logging.DEBUG)
    async with connect(auth=KeyInAddress, signs_in=False, secret=SECRET) as shop:
        await shop.call("shop.Free")
        assert vendor.sent[0].url.params["key"] == SECRET
        assert "••••••" in caplog.text
        check(caplog.text)


async def test_a_hook_that_raises_with_a_secret(connect, caplog):
    def reads(_operation, _answer, _now):
        raise ConnectorBroken(f"cannot read {SECRET}", detail=SECRET, next_step="Look.")

    async with connect(reads=reads, secret=SECRET) as shop:
        with pytest.raises(ConnectorBroken) as caught:
            await shop.call("shop.Free")
        check(everything_of(caught.value, caplog))


async def test_a_hook_that_raises_with_secrets_in_its_problems(connect, caplog):
    def reads(_operation, _answer, _now):
        raise InputInvalid("It cannot be read.", problems=[Problem(SECRET, "rule", f"bad {SECRET}", f"not {SECRET}")])

    async with connect(reads=reads, secret=SECRET) as shop:
        with pytest.raises(InputInvalid) as caught:
            await shop.call("shop.Free")
        assert caught.value.problems[0].sentence.startswith("bad ")
        check(everything_of(caught.value, caplog))


async def test_a_hook_whose_message_has_a_secret(connect, caplog):
    def reads(_operation, _answer, _now):
        return Meaning(MeaningKind.REFUSED, f"no {SECRET}")

    async with connect(reads=reads, secret=SECRET) as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.call("shop.Free")
        check(everything_of(caught.value, caplog))


class Fails(ManifestAuth):
    def sign(self, _request, _session):
        raise ValueError(f"{SECRET} {base64.b64encode(SECRET.encode())!r}")


async def test_an_auth_handler_that_raises_with_a_secret(connect, caplog):
    async with connect(auth=Fails, signs_in=False, secret=SECRET) as shop:
        with pytest.raises(ConnectorBroken) as caught:
            await shop.call("shop.Free")
        check(everything_of(caught.value, caplog))


async def test_a_hook_reads_refusals_without_secrets(connect, vendor):
    seen = []

    def reads(_operation, answer, _now):
        seen.append(answer.body)

    vendor.script = [echoing(400)]
    async with connect(reads=reads, secret=SECRET) as shop:
        with pytest.raises(ConnectorHostError):
            await shop.call("shop.Free")
    assert "••••••" in seen[0].decode()
    check(seen[0].decode())
