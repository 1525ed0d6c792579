"""The real connections: TLS, proxies, time limits and broken connections, over loopback sockets."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector_host.engine import transport

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")
LARGE = b"x" * 3_000_000


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """A machine without a proxy; returns what sets a variable."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "loopback.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return file


class Served:
    """A server that answers every request with the same bytes, and counts; `after` is called behind each answer."""

    def __init__(self, body=b"{}", *, certificate=None, after=None):
        self.body, self.connections, self.requests, self.after = body, 0, 0, after
        self._context, self._handlers = None, []
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        self.address = f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error):
        self._server.close()
        for task, writer in self._handlers:
            writer.transport.abort()
            await task

    async def _serve(self, reader, writer):
        self._handlers.append((asyncio.current_task(), writer))
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
                )
                await reader.readexactly(length)
                self.requests += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body))
                writer.write(self.body)
                await writer.drain()
                if self.after is not None:
                    self.after(writer)
        writer.close()


class Proxy:
    """A proxy that only tunnels: it notes where to, and hands bytes on both ways."""

    def __init__(self):
        self.asked = []
        self._ends = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://user:pass@127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error):
        self._server.close()
        for end in self._ends:
            end.transport.abort()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append((head.split()[:2], "Proxy-Authorization: Basic dXNlcjpwYXNz" in head))
        inner, outer = await asyncio.open_connection(*head.split()[1].split(":"))
        self._ends += [writer, outer]
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_pipe(reader, outer), _pipe(inner, writer))


@contextlib.asynccontextmanager
async def silent():
    """Serve connections that are never read from and never answered, at the address that is given."""
    over = asyncio.Event()

    async def wait(_reader, writer):
        writer.transport.pause_reading()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0, limit=1)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    over.set()
    server.close()


async def _pipe(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def ask(network, address, content=None, **timeout):
    request = httpx.Request("POST", address, content=content, extensions={"timeout": timeout})
    response = await network.handle_async_request(request)
    try:
        return await response.aread()
    finally:
        await response.aclose()


async def test_a_large_body_comes_whole_and_the_connection_is_kept():
    network = transport.network(2)
    async with Served(LARGE) as server:
        assert await ask(network, server.address) == LARGE
        assert await ask(network, server.address, b"y" * 2_000_000) == LARGE
        assert (server.connections, server.requests) == (1, 2)
        await network.aclose()


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", b"123456789"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n", b"123456789"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456789", b"123456789"),
    ],
)
async def test_a_body_is_what_came_whatever_its_length_was_told_to_be(head, body):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        network = transport.network(2)
        assert await ask(network, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") == body
        await network.aclose()


async def test_a_connection_that_the_server_has_closed_is_not_used_again():
    closed = asyncio.Event()

    def close(writer):
        writer.close()
        closed.set()

    network = transport.network(2)
    async with Served(after=close) as server:
        await ask(network, server.address)
        await closed.wait()
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)  # the loop hears of the end
        assert await ask(network, server.address) == b"{}"
        assert server.connections == 2
        await network.aclose()


async def test_tls_is_spoken_with_the_authorities_of_the_environment(environment, certificate):
    environment("SSL_CERT_FILE", str(certificate))
    network = transport.network(2)
    async with Served(LARGE, certificate=certificate) as server:
        assert await ask(network, server.address, connect=5, read=5) == LARGE
        assert await ask(network, server.address, connect=5, read=5) == LARGE
        assert server.connections == 1
        await network.aclose()


async def test_a_certificate_that_nobody_trusts_is_an_error_of_connecting(certificate):
    network = transport.network(2)
    async with Served(certificate=certificate) as server:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await ask(network, server.address)
        assert server.requests == 0
        await network.aclose()


async def test_https_goes_through_the_proxy_of_the_environment_and_http_does_not(environment, certificate):
    environment("SSL_CERT_FILE", str(certificate))
    async with Proxy() as proxy, Served(LARGE, certificate=certificate) as server, Served() as plain:
        environment("HTTPS_PROXY", proxy.address)
        network = transport.network(2)
        assert await ask(network, server.address) == LARGE
        assert await ask(network, plain.address) == b"{}"
        assert proxy.asked == [(["CONNECT", f"127.0.0.1:{server.port}"], True)]
        await network.aclose()


async def test_the_proxy_is_passed_by_where_the_environment_says_so(environment, certificate):
    environment("SSL_CERT_FILE", str(certificate))
    async with Proxy() as proxy, Served(certificate=certificate) as server:
        environment("HTTPS_PROXY", proxy.address)
        environment("NO_PROXY", "127.0.0.1")
        network = transport.network(2)
        assert await ask(network, server.address) == b"{}"
        assert proxy.asked == []
        await network.aclose()


async def test_an_answer_that_does_not_come_in_time_is_a_read_timeout():
    async with silent() as address:
        network = transport.network(2)
        with pytest.raises(httpx.ReadTimeout):
            await ask(network, address, read=0.01)
        await network.aclose()


async def test_nothing_that_listens_is_an_error_of_connecting():
    async with Served() as server:
        address = server.address
    network = transport.network(2)
    with pytest.raises(httpx.ConnectError):
        await ask(network, address, connect=5)
    await network.aclose()


async def test_a_reset_in_the_middle_of_a_body_is_an_error_of_reading():
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        writer.transport.get_extra_info("socket").setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    network = transport.network(1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await ask(network, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await network.aclose()
    server.close()


async def test_a_write_that_nobody_takes_ends_in_time():
    async with silent() as address:
        network = transport.network(2)
        with pytest.raises(httpx.WriteTimeout):
            await ask(network, address, LARGE * 20, write=0.01)
        await network.aclose()


async def test_a_task_that_is_cancelled_while_it_closes_an_answer_gives_its_connection_back():
    network = transport.network(1)
    async with Served(LARGE) as server:
        for steps in range(1, 7):
            response = await network.handle_async_request(httpx.Request("POST", server.address))
            closing = asyncio.create_task(response.aclose())
            for _ in range(steps):
                await asyncio.sleep(0)
            closing.cancel()
            await asyncio.gather(closing, return_exceptions=True)
            assert await ask(network, server.address, pool=5) == LARGE
        await network.aclose()
