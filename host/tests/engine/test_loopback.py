"""The door over real sockets: connections that break, hang and redirect, and the logs of the HTTP libraries."""

import asyncio
import contextlib
import gzip
import json
import logging

import httpx
import pytest

from connector_host.contract.errors import InputInvalid, OutcomeUnknown, VendorFault, VendorUnreachable
from connector_host.engine.door import Timeouts
from connector_host.engine.retry import RetryLimits

ONCE = RetryLimits(attempts=1)
SECRET = "MARKER-secret-of-the-application"


class Server:
    """A server that answers each connection's requests with the next raw answer; None breaks the connection off."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.connections = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
                length = int({key.lower(): value for key, value in fields.items()}.get("content-length", 0))
                self.requests.append((head.decode(), await reader.readexactly(length)))
                answer = self.answers.pop(0) if self.answers else ok({"n": 1})
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if b"Content-Length: 999" in answer:
                    break
        writer.close()


def ok(value, *headers, status="200 OK"):
    body = json.dumps(value).encode()
    return raw(body, "Content-Type: application/json", *headers, status=status)


def raw(body, *headers, status="200 OK", length=None):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
async def server():
    async with Server() as running:
        yield running


@pytest.fixture
def connected(connect, server):
    """A connection to the server, over the real network code."""

    def make(**more):
        return connect(signs_in=False, settings={"address": server.address}, **{"transport": None, **more})

    return make


async def test_connections_are_kept(connected, server):
    async with connected() as shop:
        for number in range(3):
            assert (await shop.call("shop.Write", {"n": number})).data == {"n": 1}
    assert server.connections == 1
    head, body = server.requests[0]
    assert head.startswith("POST /write HTTP/1.1\r\n")
    assert "X-Key: MARKER-secret-of-the-application" in head
    assert "Accept-Encoding: gzip\r\n" in head
    assert body == b'{"n":0}'


async def test_packed_answers_are_unpacked(connected, server):
    server.answers = [raw(gzip.compress(b'{"n": 5}'), "Content-Encoding: gzip")]
    async with connected() as shop:
        assert (await shop.call("shop.Free")).data == {"n": 5}


@pytest.mark.parametrize(
    ("answer", "read", "write"),
    [
        (None, VendorUnreachable, OutcomeUnknown),
        (raw(b'{"n": ', length=999), VendorFault, OutcomeUnknown),
        (b"this is not HTTP\r\n\r\n", VendorUnreachable, OutcomeUnknown),
        (raw(b"rubbish", "Content-Encoding: gzip"), VendorFault, OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", VendorFault, OutcomeUnknown),
    ],
)
async def test_answers_that_break_off(connected, server, *, answer, read, write):
    async with connected(limits=ONCE) as shop:
        server.answers = [answer]
        with pytest.raises(read):
            await shop.call("shop.Ask")
        server.answers = [answer]
        with pytest.raises(write):
            await shop.call("shop.Write")
        assert (await shop.call("shop.Write")).data == {"n": 1}
    assert len(server.requests) == 3


async def test_an_answer_that_does_not_come_in_time(connected, server):
    async with connected(limits=ONCE, timeouts=Timeouts(read=0.05)) as shop:
        server.answers = [b"HTTP/1.1 200 OK\r\n"]
        with pytest.raises(VendorUnreachable, match="ReadTimeout"):
            await shop.call("shop.Ask")
        server.answers = [b"HTTP/1.1 200 OK\r\n"]
        with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
            await shop.call("shop.Write")


async def test_nobody_listens(connected, server):
    async with connected(limits=RetryLimits(attempts=2)) as shop:
        await server.__aexit__()
        for operation in ("shop.Ask", "shop.Write"):
            with pytest.raises(VendorUnreachable, match="ConnectError") as caught:
                await shop.call(operation)
            assert len(caught.value.call.attempts) == 2


async def test_the_logs_of_the_http_libraries_have_no_secret(connected, server, caplog):
    caplog.set_level(logging.DEBUG)
    echo = f"Set-Cookie: {SECRET}"
    server.answers = [
        ok({"message": SECRET}, echo, status="500 Error"),
        ok({}, echo, f"Location: /free?key={SECRET}", status="302 Found"),
        ok({"n": 1}, echo),
    ]
    # The one that is used behind a proxy, as it logs headers.
    async with connected(transport=httpx.AsyncHTTPTransport()) as shop:
        await shop.call("shop.Free")
    assert "receive_response_headers.complete" in caplog.text
    assert "HTTP Request: GET" in caplog.text
    assert "MARKER" not in caplog.text


@pytest.mark.parametrize("secret", ["line\r\nbreak", "nul\0x"])
async def test_a_credential_that_no_header_can_carry_is_told_as_such(connected, server, secret):
    async with connected(secret=secret) as shop:
        with pytest.raises(InputInvalid, match="cannot be written as HTTP") as caught:
            await shop.call("shop.Free")
    assert secret not in str(caught.value) + caught.value.detail
    assert server.requests == []
