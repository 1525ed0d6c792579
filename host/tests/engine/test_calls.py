import asyncio
import contextlib

import anyio
import anyio.lowlevel
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.auth import ManifestAuth
from connector_host.contract.errors import (
    AddressNotAllowed,
    AnswerUnreadable,
    ConnectorBroken,
    ConnectorHostError,
    CredentialsRejected,
    InputInvalid,
    OutcomeUnknown,
    PermissionMissing,
    QuotaExhausted,
    SessionLost,
    UnknownName,
    VendorFault,
    VendorRefused,
    VendorUnreachable,
)
from connector_host.contract.manifest import BodyFormat, RateLimit, RateUnit
from connector_host.contract.sessions import MemorySessionStore
from connector_host.engine.quota import MemoryLedger
from connector_host.engine.retry import RetryLimits

JSON = {"content-type": "application/json"}


def html(status=200, text="<html><head><title>Bad gateway</title></head><body>nginx</body></html>"):
    return httpx.Response(status, text=text, headers={"content-type": "text/html"})


class BreaksOff(httpx.AsyncByteStream):
    async def __aiter__(self):
        yield b'{"n": '
        raise httpx.ReadError("connection reset")


def breaks_off(_request):
    return httpx.Response(200, stream=BreaksOff(), headers={"content-length": "1000"})


def cut_json(_request):
    return httpx.Response(200, content=b'{"n": [1, 2', headers=JSON)


def short_body(_request):
    return httpx.Response(200, content=b'{"n": 1}', headers={**JSON, "content-length": "500"})


def bad_gzip(_request):
    async def parts():
        yield b"this is not gzip"

    return httpx.Response(200, content=parts(), headers={"content-encoding": "gzip"})


def raises(kind):
    return kind("cannot", request=httpx.Request("GET", "https://eu.shop.example/"))


async def test_a_call_is_answered(connect, vendor):
    vendor.script = [{"n": 7, "New": "kept"}]
    async with connect() as shop:
        answer = await shop.call("shop.Read", {"n": "a b"})
    request = vendor.sent[0]
    assert (request.method, str(request.url)) == ("GET", "https://eu.shop.example/read?n=a+b")
    assert request.headers["Authorization"] == "MARKER-token-1"
    assert request.headers["Host"] == "eu.shop.example"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.headers["User-Agent"].startswith("connector-host/")
    assert request.headers["User-Agent"].endswith(" shop/1.0.0")
    assert request.headers["X-Request-Id"] == answer.request_id
    assert (answer.status, answer.attempts, answer.meaning.kind) == (200, 1, MeaningKind.SUCCESS)
    assert answer.data == {"n": 7, "New": "kept"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.mismatches == []
    assert shop.stats.by_status == {200: 1}
    assert shop.stats.received == len(answer.body)


async def test_every_call_has_its_own_request_id_and_its_repeats_have_the_same(connect, vendor):
    vendor.script = [503, {"n": 1}]
    async with connect() as shop:
        await shop.call("shop.Free")
        await shop.call("shop.Free")
    first, repeat, second = [request.headers["X-Request-Id"] for request in vendor.sent]
    assert first == repeat != second


@pytest.mark.parametrize(
    ("operation", "answer", "data"),
    [
        ("shop.Free", httpx.Response(204), None),
        ("shop.Free", httpx.Response(200, content=b""), None),
        ("shop.Free", httpx.Response(200, content=b'"done"'), "done"),
        ("shop.Free", httpx.Response(200, content=b"null"), None),
        ("shop.Free", httpx.Response(200, content=b'{"name": "Caf\xe9"}'), {"name": "Caf\ufffd"}),
        ("shop.Word", httpx.Response(200, text="plain words"), "plain words"),
        ("shop.Word", httpx.Response(200, content=b'"JSON words"'), "JSON words"),
        ("shop.Silent", httpx.Response(200, text="OK"), "OK"),
        ("shop.Silent", httpx.Response(202, content=b'{"id": 1}'), {"id": 1}),
    ],
)
async def test_what_a_success_may_look_like(connect, vendor, operation, answer, data):
    vendor.script = [answer]
    async with connect() as shop:
        assert (await shop.call(operation)).data == data


async def test_a_mismatch_is_counted_where_somebody_looks_and_is_never_fatal(connect, vendor):
    vendor.script = [{"n": "seven", "Other": 1}]
    async with connect() as shop:
        answer = await shop.call("shop.Free")
        assert answer.data["n"] == "seven"
        assert shop.stats.mismatches == {}
        assert [problem.where for problem in answer.mismatches] == ["n"]
        assert len(answer.mismatches) == 1
        assert shop.stats.mismatches == {"shop.Free": 1}


async def test_bodies_are_json_or_a_form_as_the_instance_asks(connect, vendor):
    async with connect() as shop:
        await shop.call("shop.Write", {"n": 1, "note": "a b"})
    async with connect(encodings={"shop.Write": BodyFormat.FORM}) as shop:
        await shop.call("shop.Write", {"n": 1, "note": "a b"})
    as_json, as_form = vendor.sent
    assert (as_json.headers["Content-Type"], as_json.content) == ("application/json", b'{"n":1,"note":"a b"}')
    assert as_form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert as_form.content == b"n=1&note=a+b"


@pytest.mark.parametrize(
    ("operation", "given", "error", "words"),
    [
        ("shop.Reed", {}, UnknownName, "shop.Read"),
        ("shop.Write", {"n": "one"}, InputInvalid, "n: "),
        ("shop.Write", {"nn": 1}, InputInvalid, 'Did you mean "n"'),
    ],
)
async def test_mistakes_are_told_before_anything_is_sent(connect, vendor, *, operation, given, error, words):
    async with connect() as shop:
        with pytest.raises(error) as caught:
            await shop.call(operation, given)
    assert words in str(caught.value)
    assert vendor.sent == []
    assert vendor.sign_ins == 0


async def test_unknown_fields_pass_where_the_caller_wants_them(connect, vendor):
    async with connect() as shop:
        await shop.call("shop.Write", {"n": 1, "new": True}, allow_unknown=True)
    assert vendor.sent[0].content == b'{"n":1,"new":true}'


async def test_an_operation_outside_the_scope_is_not_sent(connect, vendor):
    async with connect(scope="Orders Stock.Other") as shop:
        with pytest.raises(PermissionMissing, match=r"Perm\.Stock\.ItemsNode") as caught:
            await shop.call("shop.Guarded")
    assert caught.value.missing == ("Perm.Stock.ItemsNode",)
    assert "credential Scope" in caught.value.next_step
    assert vendor.sent == []
    async with connect(scope="stock") as shop:
        await shop.call("shop.Guarded")
    assert len(vendor.sent) == 1


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


def check_facts(error, operation, *, attempts):
    assert error.call.operation == operation
    assert error.call.instance == "my-shop"
    assert len(error.call.request_id) == 32
    assert [attempt.number for attempt in error.call.attempts] == list(range(1, attempts + 1))
    assert all(attempt.outcome for attempt in error.call.attempts)
    assert error.next_step
    assert error.message.endswith((".", "?"))
    assert error.__cause__ is None
    assert error.__context__ is None


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


@pytest.mark.parametrize("status", [429, 503, 400])
async def test_the_wait_that_the_vendor_asks_for_holds_for_everybody(connect, vendor, clock, status):
    quota_text = httpx.Response(status, json={"message": "slow down"}, headers={"retry-after": "45"})
    vendor.script = [quota_text]
    arrived = []

    async def note(_request):
        arrived.append(clock.monotonic())

    vendor.before = note

    def reads(_operation, answer, _now):
        return Meaning(MeaningKind.QUOTA, "slow down") if answer.status == status else None

    async with connect(reads=reads) as shop, anyio.create_task_group() as group:
        group.start_soon(shop.call, "shop.Read")
        while not vendor.sent:
            await anyio.lowlevel.checkpoint()
        group.start_soon(shop.call, "shop.Read")
    assert arrived[0] == 0
    assert len(arrived) == 3
    assert min(arrived[1:]) >= 45


async def test_a_wait_longer_than_the_call_may_take_is_told_at_once(connect, vendor, clock):
    vendor.script = [httpx.Response(429, headers={"retry-after": "31536000"})]
    async with connect() as shop:
        with pytest.raises(QuotaExhausted) as caught:
            await shop.call("shop.Read")
        assert caught.value.retry_after == 31536000
        assert caught.value.next_step == "Try again in 365 d."
        assert clock.slept == []
        with pytest.raises(QuotaExhausted):
            await shop.call("shop.Read")
        await shop.call("shop.Free")
    assert len(vendor.sent) == 2


async def test_calls_wait_for_their_quota_and_say_so(connect, clock):
    async with connect() as shop:
        for _ in range(6):
            await shop.call("shop.Read")
        assert clock.monotonic() == pytest.approx(60.5, abs=0.01)
        assert shop.stats.waited_for_quota == pytest.approx(60.5, abs=0.01)
        usage = shop.quota_in_use()
        assert shop.quota_share() == 1 / 5
    assert usage.instance is None
    assert {name: (each.used, each.limit) for name, each in usage.operations.items()} == {"shop.Read": (1, 5)}


async def test_the_fullest_quota_is_the_one_of_what_was_called_or_of_the_instance(connect, clock):
    ledger = MemoryLedger(clock)
    async with connect(quota=ledger) as other, connect(quota=ledger) as shop:
        assert shop.quota_share() is None
        for _ in range(5):
            await other.call("shop.Read")
        await shop.call("shop.Free")
        assert shop.quota_share() == 2 / 150
        assert shop.quota_in_use().operations["shop.Read"].used == 5
    async with connect(quota=ledger, rate_limit=RateLimit(amount=4, unit=RateUnit.MINUTE)) as shop:
        for _ in range(3):
            await shop.call("shop.Free")
        assert shop.quota_share() == 1.0


async def test_a_call_may_be_given_less_time(connect, clock):
    async with connect() as shop:
        for _ in range(5):
            await shop.call("shop.Read")
        with pytest.raises(QuotaExhausted) as caught:
            await shop.call("shop.Read", total_timeout=20)
    assert caught.value.retry_after == pytest.approx(60.5, abs=0.01)
    assert clock.slept == []


async def test_what_hangs_is_ended_when_the_time_is_over(connect, vendor):
    async def hang(_request):
        await anyio.sleep_forever()

    vendor.before = hang
    async with connect() as shop:
        with pytest.raises(VendorUnreachable, match=r"nothing came within 0\.05 s"):
            await shop.call("shop.Ask", total_timeout=0.05)
        with pytest.raises(OutcomeUnknown, match="may have happened"):
            await shop.call("shop.Write", total_timeout=0.05)


async def test_who_waits_for_a_connection_until_the_time_is_over_is_told_that_nothing_was_sent(connect, vendor):
    release = anyio.Event()

    async def hang(_request):
        await release.wait()

    vendor.before = hang
    async with connect(concurrency=1) as shop, anyio.create_task_group() as group:
        group.start_soon(shop.call, "shop.Ask")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(QuotaExhausted):
            await shop.call("shop.Write", total_timeout=0.05)
        release.set()
    assert [request.url.path for request in vendor.sent] == ["/free"]


async def test_limits_of_a_connection(connect, vendor):
    vendor.script = [500] * 5
    async with connect(limits=RetryLimits(attempts=2)) as shop:
        with pytest.raises(VendorFault):
            await shop.call("shop.Ask")
    assert len(vendor.sent) == 2


async def test_the_end_of_a_list_is_an_answer(connect, vendor):
    vendor.script = [400]

    def reads(_operation, answer, _now):
        return Meaning(MeaningKind.END_OF_LIST, "nothing more") if answer.status == 400 else None

    async with connect(reads=reads) as shop:
        answer = await shop.call("shop.Ask")
    assert answer.meaning.kind is MeaningKind.END_OF_LIST
    assert answer.status == 400


async def test_a_connector_that_fails_while_reading_is_named(connect):
    def reads(_operation, _answer, _now):
        raise ConnectorBroken("The hook read_answer of shop hung.")

    async with connect(reads=reads) as shop:
        with pytest.raises(ConnectorBroken, match="hung") as caught:
            await shop.call("shop.Ask")
    assert caught.value.call.status == 200


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


async def test_a_connection_that_is_not_open_says_so(connect):
    shop = connect()
    with pytest.raises(RuntimeError, match="async with"):
        await shop.call("shop.Free")
    async with shop:
        assert await shop.open() is shop
        await shop.call("shop.Free")
    with pytest.raises(RuntimeError, match="async with"):
        await shop.call("shop.Free")
    with pytest.raises(RuntimeError, match="async with"):
        await shop.sign_in_check()
