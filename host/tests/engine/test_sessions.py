"""Sessions: one sign-in for however many calls, over tasks, threads and handlers that share a store."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest

from connector_host.contract.errors import CredentialsRejected, SessionLost
from connector_host.contract.secrets import HIDDEN, Redactor
from connector_host.contract.sessions import MemorySessionStore, Rejection, Session

BASE = {"base": "api", "base_target": "/free", "operation": "shop.Free"}


def request():
    return httpx.Request("GET", "https://unset.invalid/", extensions=dict(BASE))


class Strict:
    """A vendor that knows only the newest token; `gather` holds calls back until so many have come with an old one."""

    def __init__(self, *, gather=0, **answer):
        self.sign_ins = 0
        self.calls = []
        self.answer = answer
        self.valid = None
        self.gather = gather
        self.held = 0
        self.all_there = asyncio.Event()
        self.lock = threading.Lock()

    def sync(self, asked):
        with self.lock:
            if asked.url.path == "/sign-in":
                self.sign_ins += 1
                self.valid = f"MARKER-token-{self.sign_ins}"
                body = {"token": self.valid, "server": "https://eu.shop.example", "account": "Tess", **self.answer}
                return httpx.Response(200, json=body)
            token = asked.headers["Authorization"]
            self.calls.append(token)
            return httpx.Response(200 if token == self.valid else 401, json={})

    async def __call__(self, asked):
        if asked.url.path != "/sign-in" and self.gather and asked.headers["Authorization"] != self.valid:
            self.held += 1
            if self.held == self.gather:
                self.all_there.set()
            await self.all_there.wait()
        return self.sync(asked)


async def send_all(*clients, each=1):
    statuses = []

    async def one(client, auth):
        statuses.append((await client.send(request(), auth=auth)).status_code)

    async with anyio.create_task_group() as group:
        for client, auth in clients:
            for _ in range(each):
                group.start_soon(one, client, auth)
    return statuses


async def test_many_calls_at_once_sign_in_once(auth_of):
    vendor, auth = Strict(), auth_of(MemorySessionStore())
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        assert await send_all((client, auth), each=20) == [200] * 20
    assert vendor.sign_ins == 1


async def test_many_calls_refused_at_once_sign_in_once_and_are_repeated_once_each(auth_of):
    vendor, auth = Strict(gather=12), auth_of(MemorySessionStore())
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        await client.send(request(), auth=auth)
        vendor.valid = "another"
        assert await send_all((client, auth), each=12) == [200] * 12
    assert vendor.sign_ins == 2
    assert vendor.calls == ["MARKER-token-1"] * 13 + ["MARKER-token-2"] * 12


async def test_handlers_that_share_a_store_share_the_session_and_its_renewal(auth_of):
    vendor, store = Strict(gather=10), MemorySessionStore()
    one, other = auth_of(store), auth_of(store)
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        assert await send_all((client, one), (client, other)) == [200, 200]
        assert vendor.sign_ins == 1
        vendor.valid = "another"
        assert await send_all((client, one), (client, other), each=5) == [200] * 10
    assert vendor.sign_ins == 2


def test_threads_with_a_synchronous_client_do_the_same(auth_of):
    vendor, store = Strict(), MemorySessionStore()
    handlers = [auth_of(store), auth_of(store)]
    with httpx.Client(transport=httpx.MockTransport(vendor.sync)) as client, ThreadPoolExecutor(8) as pool:

        def one(number):
            return client.send(request(), auth=handlers[number % 2]).status_code

        assert list(pool.map(one, range(24))) == [200] * 24
        assert vendor.sign_ins == 1
        vendor.valid = "another"
        assert list(pool.map(one, range(24))) == [200] * 24
    assert vendor.sign_ins == 2


async def test_tasks_and_threads_share_a_store(auth_of):
    vendor, store = Strict(), MemorySessionStore()
    with httpx.Client(transport=httpx.MockTransport(vendor.sync)) as client:
        await asyncio.to_thread(client.send, request(), auth=auth_of(store))
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        await client.send(request(), auth=auth_of(store))
    assert vendor.sign_ins == 1


@pytest.mark.parametrize(
    ("answer", "seconds", "sign_ins"),
    [
        ({}, 10_000_000, 1),
        ({"idle": 1200}, 1139, 1),
        ({"idle": 1200}, 1141, 2),
        ({"idle": 10}, 8, 1),
        ({"idle": 10}, 9.5, 2),
    ],
)
async def test_when_an_idle_session_is_renewed(auth_of, clock, answer, seconds, sign_ins):
    vendor, auth = Strict(**answer), auth_of(MemorySessionStore())
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        await client.send(request(), auth=auth)
        clock.advance(seconds)
        await client.send(request(), auth=auth)
    assert vendor.sign_ins == sign_ins


@pytest.mark.parametrize(("life", "seconds", "sign_ins"), [(3600, 3539, 1), (3600, 3541, 2), (20, 17, 1), (20, 19, 2)])
async def test_when_a_session_is_renewed_that_says_how_long_it_lives(auth_of, clock, life, seconds, sign_ins):
    vendor, auth = Strict(expires_at=clock.time() + life), auth_of(MemorySessionStore())
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        await client.send(request(), auth=auth)
        clock.advance(seconds)
        await client.send(request(), auth=auth)
    assert vendor.sign_ins == sign_ins


async def test_use_keeps_an_idle_session_alive(auth_of, clock):
    vendor, auth = Strict(idle=1200), auth_of(MemorySessionStore())
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:
        for _ in range(5):
            await client.send(request(), auth=auth)
            clock.advance(1000)
    assert vendor.sign_ins == 1


async def test_a_call_that_is_refused_with_a_new_session_too_is_not_repeated_again(auth_of):
    vendor, auth = Strict(), auth_of(MemorySessionStore())
    calls = []

    async def never(asked):
        if asked.url.path == "/sign-in":
            return vendor.sync(asked)
        calls.append(asked.headers["Authorization"])
        return httpx.Response(401, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as client:
        assert (await client.send(request(), auth=auth)).status_code == 401
    assert calls == ["MARKER-token-1", "MARKER-token-2"]


def test_the_synchronous_flow_gives_up_after_one_repeat_too(auth_of):
    vendor, calls = Strict(), []

    def never(asked):
        if asked.url.path == "/sign-in":
            return vendor.sync(asked)
        calls.append(asked)
        return httpx.Response(401, json={})

    with httpx.Client(transport=httpx.MockTransport(never)) as client:
        assert client.send(request(), auth=auth_of(MemorySessionStore())).status_code == 401
    assert (len(calls), vendor.sign_ins) == (2, 2)


async def test_rejected_credentials_are_remembered_for_all_who_share_the_store(connect, vendor):
    vendor.sign_in_script = [400]
    store = MemorySessionStore()
    for _ in range(3):
        async with connect(store=store) as shop:
            with pytest.raises(CredentialsRejected):
                await shop.call("shop.Free")
    assert vendor.sign_ins == 1
    async with connect(store=MemorySessionStore(), secret="MARKER-corrected") as shop:
        await shop.call("shop.Free")


def test_what_is_remembered_of_a_rejection_has_no_secret(auth_of):
    store, redactor = MemorySessionStore(), Redactor()
    auth = auth_of(store, redactor=redactor)
    said = {"message": "MARKER-secret-of-the-application is wrong"}
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(400, json=said))) as client:
        with pytest.raises(CredentialsRejected, match=f"{HIDDEN} is wrong"):
            client.send(request(), auth=auth)
        with pytest.raises(CredentialsRejected, match="rejected before"):
            client.send(request(), auth=auth)
    known = store.load()
    assert isinstance(known, Rejection)
    assert "MARKER" not in known.message


async def test_a_failed_sign_in_lets_the_next_one_try(connect, vendor):
    vendor.sign_in_script = [httpx.ReadTimeout("late")] * 4
    async with connect() as shop, anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(shop.call, "shop.Free")
    assert len(vendor.sent) == 5


async def test_one_sign_in_for_many_calls_of_a_connection(connect, vendor):
    async with connect() as shop:
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(shop.call, "shop.Free")
        assert vendor.sign_ins == 1
        vendor.script = [401]
        await shop.call("shop.Free")
        assert vendor.sign_ins == 2
        vendor.script = [401, 401]
        with pytest.raises(SessionLost):
            await shop.call("shop.Free")
        assert vendor.sign_ins == 3


class Slow(MemorySessionStore):
    """A store whose lock another process holds until `free` is set."""

    def __init__(self):
        super().__init__()
        self.free = threading.Event()
        self.waiting = threading.Event()

    def signing_in(self):
        block = super().signing_in()
        store = self

        class Held:
            def __enter__(self):
                store.waiting.set()
                store.free.wait(30)
                block.__enter__()

            def __exit__(self, *error):
                block.__exit__(*error)

        return Held()


@pytest.mark.parametrize("native", [True, False])
async def test_who_is_cancelled_while_another_process_signs_in_leaves_no_lock_behind(auth_of, native):
    store = Slow()
    vendor, auth = Strict(), auth_of(store)
    async with httpx.AsyncClient(transport=httpx.MockTransport(vendor)) as client:

        async def call():
            with anyio.CancelScope() as scopes[0]:
                await client.send(request(), auth=auth)

        scopes = [None]
        task = asyncio.create_task(call())
        await asyncio.to_thread(store.waiting.wait)
        if native:
            task.cancel()
        else:
            scopes[0].cancel()
        await asyncio.wait([task])
        store.free.set()
        with anyio.fail_after(10):
            assert (await client.send(request(), auth=auth)).status_code == 200
    assert vendor.sign_ins == 1


def test_a_session_shows_nothing_of_its_secrets():
    session = Session({"token": "MARKER-1", "server": "https://eu"}, frozenset({"token"}), 0.0)
    assert "MARKER" not in repr(session) + str(session)
    assert session.secret_values == ("MARKER-1",)


def test_a_store_forgets_only_the_session_that_died():
    store, old = MemorySessionStore(), Session({"token": "1"}, frozenset(), 0.0)
    new = Session({"token": "2"}, frozenset(), 1.0)
    store.save(new)
    store.forget(old)
    assert store.load() == new
    store.forget(new)
    assert store.load() is None
