import asyncio
import datetime
import gzip
import ssl

import anyio
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector_host.engine.http1 import Http1Transport

OK = b"HTTP/1.1 200 OK\r\n"
TWO = OK + b"Content-Length: 2\r\n\r\nok"
LARGE = bytes(range(256)) * 8192


class Server:
    """Answers the nth request of a connection with the nth of its answers; b"" closes without a word."""

    def __init__(self, *answers, tls=None):
        self.answers = answers
        self.tls = tls
        self.requests = []
        self.connections = 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            for answer in self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                self.requests.append((head, await reader.readexactly(length)))
                if answer is None:
                    await asyncio.Event().wait()
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def client():
    async with httpx.AsyncClient(transport=Http1Transport(keep_alive=60)) as client:
        yield client


ANSWERS = {
    "a known length": (OK + b"Content-Length: 2097152\r\n\r\n" + LARGE, LARGE),
    "no body at all": (OK + b"Content-Length: 0\r\n\r\n", b""),
    "pieces": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n", b"abcde"),
    "up to the end of the connection": (OK + b"Connection: close\r\n\r\nabc", b"abc"),
    "an old protocol": (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "a head in two parts": (b"HTTP/1.1 100 Continue\r\n\r\n" + TWO, b"ok"),
    "a status that has no body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b""),
    "a length given twice": (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", b"ok"),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_an_answer_is_read_whole(client, kind):
    answer, body = ANSWERS[kind]
    async with Server(answer) as server:
        response = await client.post(f"http://127.0.0.1:{server.port}/a?b=c", content=b"given", headers={"X-A": "1"})
    assert response.content == body
    head, given = server.requests[0]
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert b"\r\nx-a: 1\r\n" in head.lower()
    assert given == b"given"


async def test_facts_about_the_answer_are_those_of_httpx(client):
    packed = gzip.compress(b"hello " * 1000)
    head = b"HTTP/1.1 418 I'm a teapot\r\nX-One: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(
        packed
    )
    async with Server(head + packed) as server:
        response = await client.get(f"http://127.0.0.1:{server.port}/")
    assert response.content == b"hello " * 1000
    assert (response.status_code, response.reason_phrase, response.http_version) == (418, "I'm a teapot", "HTTP/1.1")
    assert response.headers["x-one"] == "a"


REUSED = {
    "after a known length": (TWO, 1),
    "after pieces": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1),
    "not when the server says so": (OK + b"Connection: Close\r\nContent-Length: 2\r\n\r\nok", 2),
    "not after more than was announced": (TWO + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 2),
    "not after more than the pieces": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1", 2),
    "not in an old protocol": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
}


@pytest.mark.parametrize("when", REUSED)
async def test_a_connection_is_used_again(client, when):
    answer, connections = REUSED[when]
    async with Server(answer, answer) as server:
        for _ in range(2):
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"
    assert server.connections == connections


async def test_a_connection_that_the_server_has_closed_is_not_used_again(client):
    async with Server(TWO) as server:
        for _ in range(3):
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"
            await anyio.wait_all_tasks_blocked()
    assert server.connections == 3


async def test_a_connection_is_not_used_again_after_its_time():
    async with Server(TWO, TWO) as server, httpx.AsyncClient(transport=Http1Transport(keep_alive=0)) as client:
        for _ in range(2):
            await client.get(f"http://127.0.0.1:{server.port}/")
    assert server.connections == 2


async def test_requests_at_once_have_connections_of_their_own(client):
    async with Server(TWO, TWO) as server:
        address = f"http://127.0.0.1:{server.port}/"
        answers = await asyncio.gather(*(client.get(address) for _ in range(3)))
    assert [answer.text for answer in answers] == ["ok"] * 3
    assert server.connections == 3


async def test_a_head_request_has_no_body(client):
    async with Server(OK + b"Content-Length: 2\r\n\r\n", TWO) as server:
        assert (await client.head(f"http://127.0.0.1:{server.port}/")).content == b""
        assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"
    assert server.connections == 1


TROUBLE = {
    "no word": (b"", httpx.RemoteProtocolError, "closed without an answer"),
    "half a head": (b"HTTP/1.1 200 OK\r\nConte", httpx.RemoteProtocolError, None),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", httpx.RemoteProtocolError, None),
    "an endless head": (OK + b"X: " + b"x" * 200_000, httpx.RemoteProtocolError, None),
    "half a body": (OK + b"Content-Length: 9\r\n\r\nhalf", httpx.RemoteProtocolError, "5 bytes before the end"),
    "half of the pieces": (OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf", httpx.RemoteProtocolError, None),
    "lengths that differ": (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nok", httpx.RemoteProtocolError, None),
    "no answer in time": (None, httpx.ReadTimeout, None),
}


@pytest.mark.parametrize("what", TROUBLE)
async def test_trouble_has_the_errors_of_httpx(client, what):
    answer, error, words = TROUBLE[what]
    async with Server(answer) as server:
        with pytest.raises(error, match=words) as caught:
            await client.get(f"http://127.0.0.1:{server.port}/", timeout=httpx.Timeout(10, read=0.05))
    assert caught.value.request.url.port == server.port


async def test_nobody_there(client, unused_port):
    with pytest.raises(httpx.ConnectError):
        await client.get(f"http://127.0.0.1:{unused_port}/")


@pytest.fixture
async def unused_port():
    async with Server() as server:
        return server.port


async def test_an_address_without_a_way():
    with pytest.raises(httpx.UnsupportedProtocol):
        await Http1Transport(keep_alive=1).handle_async_request(httpx.Request("GET", "ftp://127.0.0.1/"))


async def test_a_header_that_is_none(client):
    async with Server(TWO) as server:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(f"http://127.0.0.1:{server.port}/", headers={"X-A": "a\r\nX-B: b"})
    assert server.requests == []


async def test_a_refusal_that_comes_before_all_has_been_sent(client):
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        response = await client.post(f"http://127.0.0.1:{port}/", content=b"x" * 50_000_000)
        assert (response.status_code, response.text) == (413, "no")
    except (httpx.ReadError, httpx.RemoteProtocolError):
        pass  # the reset that the unread rest causes may overtake the answer
    server.close()


async def test_who_stops_half_way_leaves_no_connection_behind(client):
    async with Server(OK + b"Content-Length: 5\r\n\r\nha", TWO) as server:
        address = f"http://127.0.0.1:{server.port}/"
        async with client.stream("GET", address) as response:
            assert response.status_code == 200
        with anyio.move_on_after(0.05) as scope:
            await client.get(address)
        assert scope.cancelled_caught
        with anyio.move_on_after(0.05) as scope:
            await client.get(address)
        assert scope.cancelled_caught
    assert server.connections == 3


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "pair.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_tls_with_a_certificate_that_is_trusted(certificate, tls):
    transport = Http1Transport(keep_alive=60, trust=lambda: ssl.create_default_context(cafile=certificate))
    answer = OK + b"Content-Length: 2097152\r\n\r\n" + LARGE
    async with Server(answer, TWO, tls=tls) as server, httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"https://localhost:{server.port}/")).content == LARGE
        assert (await client.get(f"https://localhost:{server.port}/")).text == "ok"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://127.0.0.1:{server.port}/")
    assert server.connections == 1


async def test_tls_with_a_certificate_that_is_not_trusted(client, tls):
    async with Server(TWO, tls=tls) as server:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://localhost:{server.port}/")
    assert server.requests == []


async def test_plain_words_where_tls_is_expected(client):
    async def speak(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    with pytest.raises(httpx.ConnectError):
        await client.get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    server.close()
