"""A small vendor in memory: it signs in, and answers what a test has put in its script."""

import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest

from connector_host.contract.answers import MeaningKind, RawAnswer, meaning_of_status, words_of
from connector_host.contract.auth import AuthContext, ManifestAuth, SessionAuth
from connector_host.contract.catalogue import Catalogue
from connector_host.contract.errors import AnswerUnreadable, CredentialsRejected, QuotaExhausted, VendorFault
from connector_host.contract.manifest import Manifest
from connector_host.contract.permissions import PermissionNames, Scope
from connector_host.contract.secrets import Credentials, Redactor
from connector_host.contract.sessions import MemorySessionStore, Session
from connector_host.engine.connection import Connection
from connector_host.engine.retry import RetryLimits
from connector_host.testing.clock import FakeClock

from .pulls import sync_of
from .pushes import RECORD, action

SECRET = "MARKER-secret-of-the-application"
SIGN_IN_URL = "https://api.shop.example/sign-in"
SERVER = "https://eu.shop.example"


def manifest(*, streams=(), actions=(), signs_in=True):
    session = {
        "name": "Session",
        "type": "token",
        "description": "Opens a session.",
        "credentials": [
            {"key": "scope", "label": "Scope", "help": "What may be done."},
            {"key": "secret", "label": "Secret", "help": "The secret.", "secret": True},
        ],
        "sign_in": {"url": SIGN_IN_URL, "operation": "shop.SignIn", "body": {"secret": "{{secret}}"}},
        "headers": {"Authorization": "{{session.token}}"},
    }
    token = {
        "name": "Token",
        "type": "token",
        "description": "Sends the secret.",
        "credentials": session["credentials"],
        "headers": {"X-Key": "{{secret}}"},
    }
    return Manifest.model_validate(
        {
            "contract": 1,
            "name": "shop",
            "label": "Shop",
            "description": "A shop for tests.",
            "version": 1,
            "version_name": "1.0.0",
            "system_type": "Other",
            "help_link": "https://shop.example/docs",
            "icon": "icon.svg",
            "colour": "blue",
            "rate_limit": {"amount": 1000, "unit": "second"},
            "allowed_hosts": ["*.shop.example"],
            "settings": [{"key": "address", "label": "Address", "help": "Where it is.", "default": SERVER}],
            "authentication": [session if signs_in else token],
            "permissions": {"credential": "scope", "prefix": "Perm.", "suffix": "Node"},
            "operations": {
                "catalogue": "operations",
                "addresses": {"api": "{{session.server}}" if signs_in else "{{address}}"},
            },
            "streams": list(streams),
            "actions": list(actions),
            "listing": {
                "summary": "A shop that exists in the memory of tests only.",
                "publisher": "t",
                "licence": "MIT",
            },
        }
    )


def _operation(name, kind, *, rate=None, permissions=(), body=None, parameters=(), response="object"):
    facts = {
        "operationId": f"shop.{name}",
        "summary": name,
        "x-kind": kind,
        "x-permissions": list(permissions),
        "parameters": list(parameters),
        "responses": {"200": {"description": "OK"}},
    }
    if response:
        schema = {"type": response, **({"properties": {"n": {"type": "integer"}}} if response == "object" else {})}
        facts["responses"]["200"]["content"] = {"application/json": {"schema": schema}}
    if rate:
        facts["x-rate-limit"] = {"calls": rate[0], "seconds": rate[1]}
    if body:
        content = {"application/json": {"schema": {"type": "object", "properties": body}}}
        facts["requestBody"] = {"content": content}
    return facts


_NUMBER, _LIST, _TEXT = {"type": "integer"}, {"type": "array"}, {"type": "string"}
_LISTING = {"page": _NUMBER, "size": _NUMBER, "token": _TEXT, "from": _TEXT, "to": _TEXT, "place": _TEXT}
_OPERATIONS = {
    "/sign-in": {"post": _operation("SignIn", "read", rate=(150, 60))},
    "/read": {
        "get": _operation(
            "Read", "read", rate=(5, 60), parameters=[{"name": "n", "in": "query", "schema": {"type": "string"}}]
        )
    },
    "/free": {"get": _operation("Free", "read"), "post": _operation("Ask", "read", body={"n": _NUMBER})},
    "/write": {"post": _operation("Write", "write", rate=(5, 60), body={"n": _NUMBER, "note": _TEXT})},
    "/silent": {"post": _operation("Silent", "write", body={"n": _NUMBER}, response=None)},
    "/word": {"get": _operation("Word", "read", response="string")},
    "/guarded": {"get": _operation("Guarded", "read", permissions=["Perm.Stock.ItemsNode"])},
    "/list": {"post": _operation("List", "read", body=_LISTING, response="object")},
    "/details": {"post": _operation("Details", "read", body={"ids": _LIST}, response="array")},
    "/places": {"get": _operation("Places", "read", response="array")},
}


class Vendor:
    """Answers operations from `script`, then with `{"n": 1}`; `sent` has every request that arrived at an operation."""

    def __init__(self):
        self.script = []
        self.sent = []
        self.sign_ins = 0
        self.sign_in_script = []
        self.tokens = set()
        self.server = SERVER
        self.before: Callable[[httpx.Request], Awaitable[None]] | None = None

    async def __call__(self, request):
        if request.url.path == "/sign-in":
            return self._sign_in()
        self.sent.append(request)
        if self.before:
            await self.before(request)
        return self._answer(self.script.pop(0) if self.script else {"n": 1}, request)

    def _sign_in(self):
        self.sign_ins += 1
        if self.sign_in_script:
            return self._answer(self.sign_in_script.pop(0), None)
        token = f"MARKER-token-{self.sign_ins}"
        self.tokens = {token}
        return httpx.Response(200, json={"token": token, "server": self.server, "account": "Tess"})

    def _answer(self, answer, request):
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={"message": f"status {answer}"})
        return httpx.Response(200, content=json.dumps(answer), headers={"content-type": "application/json"})


class ShopAuth(SessionAuth):
    def read_session(self, response):
        answer = RawAnswer(response.status_code, response.headers, response.content)
        meaning = meaning_of_status(answer, self.context.clock.time())
        words = self.context.redactor(words_of(answer))
        if meaning.kind is MeaningKind.QUOTA:
            raise QuotaExhausted("Too many sign-ins.", retry_after=meaning.retry_after)
        if meaning.kind is MeaningKind.VENDOR_FAULT:
            raise VendorFault("Shop failed to sign in.")
        if not response.is_success:
            raise CredentialsRejected(f"Shop rejects the credentials: {words}.")
        body = response.json()
        if "token" not in body:
            raise AnswerUnreadable("There is no token in the answer.")
        return Session(
            {"token": body["token"], "server": body["server"]},
            frozenset({"token"}),
            self.context.clock.time(),
            expires_at=body.get("expires_at"),
            idle_seconds=body.get("idle"),
            account=body["account"],
        )


@dataclass
class Shop:
    """A connector for the vendor, without a plugin around it. `reads` may say what an answer means.

    `schemas` are the files with the records of actions.
    """

    manifest: Manifest
    catalogue: Catalogue
    auth: type = ShopAuth
    reads: Callable | None = None
    schemas: dict | None = None

    def schema_file(self, relative):
        return (self.schemas or {}).get(relative, {"type": "object"})

    def scope(self, credentials):
        return Scope(credentials["scope"], PermissionNames("Perm.", "Node"))

    def auth_handler(self, context):
        return self.auth(context)

    async def read_answer(self, operation, answer, now):
        return self.reads(operation, answer, now) if self.reads else None


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    document = {"openapi": "3.1.0", "x-area": "shop", "x-base": "api", "paths": _OPERATIONS, "components": {}}
    path = tmp_path_factory.mktemp("catalogue") / "shop.json"
    path.write_text(json.dumps(document))
    return Catalogue([path])


@pytest.fixture
def vendor():
    return Vendor()


@pytest.fixture
def clock():
    return FakeClock()


def connection_to(
    vendor,
    clock,
    catalogue,
    *,
    signs_in=True,
    streams=(),
    actions=(),
    schemas=None,
    scope="all",
    reads=None,
    auth=None,
    settings=None,
    store=None,
    secret=SECRET,
    **more,
):
    shop = Shop(manifest(streams=streams, actions=actions, signs_in=signs_in), catalogue, reads=reads, schemas=schemas)
    shop.auth = auth or (ShopAuth if signs_in else ManifestAuth)
    more.setdefault("transport", httpx.MockTransport(vendor))
    return Connection(
        shop,
        Credentials({"scope": scope, "secret": secret}, {"secret"}),
        {"address": SERVER, **(settings or {})},
        method=shop.manifest.method(),
        instance="my-shop",
        sessions=store or MemorySessionStore(),
        clock=clock,
        **more,
    )


@pytest.fixture
def connect(vendor, clock, catalogue):
    """Make a connection to the vendor in memory; the keyword arguments are those of Connection, and a few more."""
    return functools.partial(connection_to, vendor, clock, catalogue)


@pytest.fixture(scope="session")
def fresh(catalogue):
    """Make a vendor, a clock and a connection, for the examples of a property."""

    def make(**more):
        vendor, clock = Vendor(), FakeClock()
        return vendor, clock, connection_to(vendor, clock, catalogue, **more)

    return make


def check_facts(error, operation, *, attempts):
    """Look for what every error of a call tells."""
    assert error.call.operation == operation
    assert error.call.instance == "my-shop"
    assert len(error.call.request_id) == 32
    assert [attempt.number for attempt in error.call.attempts] == list(range(1, attempts + 1))
    assert all(attempt.outcome for attempt in error.call.attempts)
    assert error.next_step
    assert error.message.endswith((".", "?"))
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.fixture
def pull(catalogue, tmp_path):
    """Pull the things of a vendor into a folder: once, with everything new but the folder."""

    async def run(vendor, made, *, clock=None, watch=None, settings=None, **given):
        limits = RetryLimits(attempts=1)
        connection = connection_to(
            vendor, clock or FakeClock(), catalogue, streams=[made], limits=limits, settings=settings
        )
        async with connection as shop:
            sync = sync_of(shop, tmp_path, progress=(lambda moved: watch(sync, moved)) if watch else None, **given)
            return await sync.run()

    return run


@pytest.fixture
def pushing(connect):
    """Push records with the action, and return the report."""

    async def push(records, *, given=None, connection=None, **options):
        async with connect(
            actions=[action(**(given or {}))], schemas={"write.json": RECORD}, **connection or {}
        ) as shop:
            return await shop.push("write", records, **options)

    return push


def outcomes(report):
    """Return the outcome of each record, in order; the counts of the report are those of its results."""
    assert [result.record for result in report.results] == list(range(1, len(report.results) + 1))
    counts = report.counts.as_dict()
    assert counts.pop("read") == sum(counts.values())
    return [result.outcome.value for result in report.results]


@pytest.fixture
def auth_of(clock):
    """Make an auth handler of the vendor, for a store of sessions."""

    def make(store, *, redactor=None, kind=ShopAuth):
        made = manifest()
        credentials = Credentials({"scope": "all", "secret": SECRET}, {"secret"})
        settings = {"address": SERVER}
        return kind(AuthContext(made, made.method(), credentials, settings, redactor or Redactor(), store, clock))

    return make
