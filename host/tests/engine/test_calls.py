"""Calls: what is sent, what comes out, and mistakes that are told before anything leaves."""

import httpx
import pytest

from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.errors import ConnectorBroken, InputInvalid, PermissionMissing, UnknownName
from connector_host.contract.manifest import BodyFormat


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
