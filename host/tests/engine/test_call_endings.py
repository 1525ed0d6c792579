"""How calls end that fail: with which error, after how many attempts, in which words."""

import asyncio
import contextlib

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_host.contract.errors import (
    AnswerUnreadable,
    ConnectorHostError,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    SessionLost,
    VendorFault,
    VendorRefused,
    VendorUnreachable,
)
from connector_host.engine.retry import RetryLimits

from .conftest import check_facts
from .failures import bad_gzip, breaks_off, cut_json, html, raises, short_body

# Answers and failures, with the error that a read and a write end with; None where the call succeeds in the end.
ENDINGS = {
    "400": (lambda: 400, VendorRefused, VendorRefused),
    "404": (lambda: 404, VendorRefused, VendorRefused),
    "403": (lambda: 403, PermissionMissing, PermissionMissing),
    "401": (lambda: 401, SessionLost, SessionLost),
    "408": (lambda: 408, VendorFault, OutcomeUnknown),
    "429": (lambda: 429, QuotaExhausted, QuotaExhausted),
    "500": (lambda: 500, VendorFault, OutcomeUnknown),
    "503": (lambda: 503, VendorFault, OutcomeUnknown),
    "HTML under 200": (html, AnswerUnreadable, AnswerUnreadable),
    "HTML under 502": (lambda: html(502), VendorFault, OutcomeUnknown),
    "broken JSON": (lambda: httpx.Response(200, content=b'{"n": x}'), AnswerUnreadable, AnswerUnreadable),
    "JSON that is too deep": (lambda: httpx.Response(200, content=b"[" * 100_000), AnswerUnreadable, AnswerUnreadable),
    "JSON that ends too early": (lambda: cut_json, VendorFault, OutcomeUnknown),
    "a body that breaks off": (lambda: breaks_off, VendorFault, OutcomeUnknown),
    "a body shorter than its length": (lambda: short_body, VendorFault, OutcomeUnknown),
    "a body that cannot be unpacked": (lambda: bad_gzip, VendorFault, OutcomeUnknown),
    "no connection": (lambda: raises(httpx.ConnectError), VendorUnreachable, VendorUnreachable),
    "no connection in time": (lambda: raises(httpx.ConnectTimeout), VendorUnreachable, VendorUnreachable),
    "no place in the pool": (lambda: raises(httpx.PoolTimeout), VendorUnreachable, VendorUnreachable),
    "proxy refuses": (lambda: raises(httpx.ProxyError), VendorUnreachable, VendorUnreachable),
    "no answer in time": (lambda: raises(httpx.ReadTimeout), VendorUnreachable, OutcomeUnknown),
    "sending took too long": (lambda: raises(httpx.WriteTimeout), VendorUnreachable, OutcomeUnknown),
    "reset while reading": (lambda: raises(httpx.ReadError), VendorUnreachable, OutcomeUnknown),
    "reset while writing": (lambda: raises(httpx.WriteError), VendorUnreachable, OutcomeUnknown),
    "disconnected": (lambda: raises(httpx.RemoteProtocolError), VendorUnreachable, OutcomeUnknown),
    "redirect to nowhere": (lambda: httpx.Response(302), AnswerUnreadable, AnswerUnreadable),
}

NOTHING_DONE = {"429", "no connection", "no connection in time", "no place in the pool", "proxy refuses"}

FINAL = {"400", "404", "403", "HTML under 200", "broken JSON", "JSON that is too deep", "redirect to nowhere"}

TRIES = {"401": 2}


@pytest.mark.parametrize("what", ENDINGS)
async def test_how_a_read_ends_that_fails_each_time(connect, vendor, what):
    make, error, _ = ENDINGS[what]
    vendor.script = [make() for _ in range(10)]
    async with connect() as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.call("shop.Ask", {"n": 1})
    assert type(caught.value) is error
    assert len(vendor.sent) == (1 if what in FINAL else TRIES.get(what, 4))
    check_facts(caught.value, "shop.Ask", attempts=1 if what in FINAL or what == "401" else 4)


@pytest.mark.parametrize("what", ENDINGS)
async def test_how_a_write_ends_that_fails_each_time(connect, vendor, what):
    make, _, error = ENDINGS[what]
    vendor.script = [make() for _ in range(10)]
    async with connect() as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.call("shop.Write", {"n": 1})
    assert type(caught.value) is error
    assert len(vendor.sent) == (4 if what in NOTHING_DONE else TRIES.get(what, 1))
    check_facts(caught.value, "shop.Write", attempts=4 if what in NOTHING_DONE else 1)


@pytest.mark.parametrize("what", [what for what in ENDINGS if what not in FINAL])
async def test_a_read_recovers(connect, vendor, what):
    vendor.script = [ENDINGS[what][0]()]
    async with connect() as shop:
        answer = await shop.call("shop.Ask", {"n": 1})
    assert answer.data == {"n": 1}
    assert len(vendor.sent) == 2
    assert shop.stats.retries == (0 if what == "401" else 1)


@settings(max_examples=150, deadline=None)
@given(
    faults=st.lists(st.sampled_from(sorted(ENDINGS)), max_size=7), operation=st.sampled_from(["shop.Ask", "shop.Write"])
)
def test_retries_are_bounded_and_no_write_is_sent_twice_that_may_have_happened(fresh, faults, operation):
    vendor, clock, connection = fresh()
    vendor.script = [ENDINGS[what][0]() for what in faults]

    async def call():
        async with connection as shop:
            return await shop.call(operation, {"n": 1})

    with contextlib.suppress(ConnectorHostError):
        assert asyncio.run(call()).data == {"n": 1}
    sent = faults[: len(vendor.sent)]
    # A 401 is repeated once by the auth handler, within one attempt.
    assert len(vendor.sent) <= 4 + sent.count("401")
    assert clock.monotonic() <= 300
    if operation == "shop.Write":
        repeated = sent[: len(vendor.sent) - 1]
        assert all(what in NOTHING_DONE or what == "401" for what in repeated)


MESSAGES = [
    (400, "Shop refused shop.Ask: status 400."),
    (html(400), "Shop refused shop.Ask: Bad gateway."),
    (
        httpx.Response(400, text="<html><body><h1>Oops</h1> it broke</body></html>"),
        "Shop refused shop.Ask: Oops it broke.",
    ),
    (httpx.Response(400), "Shop refused shop.Ask (status 400)."),
    (httpx.Response(400, json="Only a word!"), "Shop refused shop.Ask: Only a word!"),
    (httpx.Response(400, json={"Code": None, "Message": "No such item"}), "Shop refused shop.Ask: No such item."),
    (
        httpx.Response(
            400, json={"title": "Invalid", "status": 400, "errors": {"name": ["is needed"], "size": "too big"}}
        ),
        "Shop refused shop.Ask: Invalid name: is needed; size: too big.",
    ),
    (httpx.Response(400, json=[1, 2]), "Shop refused shop.Ask (status 400)."),
    (httpx.Response(400, content=b"\xff\xfe"), "Shop refused shop.Ask: \ufffd\ufffd."),
    (html(), "The answer to shop.Ask is not what the operation promises: it is no JSON."),
    (403, "Shop refuses shop.Ask for want of a permission: status 403."),
]


@pytest.mark.parametrize(("answer", "message"), MESSAGES)
async def test_the_words_of_an_error(connect, vendor, answer, message):
    vendor.script = [answer]
    async with connect() as shop:
        with pytest.raises(ConnectorHostError) as caught:
            await shop.call("shop.Ask")
    assert caught.value.message == message


async def test_a_write_that_was_answered_with_rubbish_has_happened(connect, vendor):
    vendor.script = [html()]
    async with connect() as shop:
        with pytest.raises(AnswerUnreadable, match="it has happened"):
            await shop.call("shop.Write")


async def test_a_write_that_is_redirected_has_not_been_promised_to_have_happened(connect, vendor):
    vendor.script = [httpx.Response(307, headers={"location": "https://eu.shop.example/elsewhere"})]
    async with connect() as shop:
        with pytest.raises(AnswerUnreadable, match=r"redirected to https://eu\.shop\.example/elsewhere") as caught:
            await shop.call("shop.Write")
    assert "has happened" not in str(caught.value)
    assert len(vendor.sent) == 1


async def test_limits_of_a_connection(connect, vendor):
    vendor.script = [500] * 5
    async with connect(limits=RetryLimits(attempts=2)) as shop:
        with pytest.raises(VendorFault):
            await shop.call("shop.Ask")
    assert len(vendor.sent) == 2
