"""Every operation of the catalogue can be called, and what is answered is what its schema says."""

import json
import random

import pytest
from jsonschema import Draft202012Validator

from linnworks_connector.sandbox.engine import Asked, Engine
from linnworks_connector.sandbox.generic import Maker
from linnworks_connector.sandbox.handlers import HANDLERS
from linnworks_connector.sandbox.operations import load_operations
from linnworks_connector.sandbox.server import ManualClock, SandboxOptions

OPERATIONS = load_operations().by_id
SIGN_IN = "auth.AuthorizeByApplication"


def engine(**options):
    return Engine(SandboxOptions(clock=ManualClock(), orders=40, items=60, **options), "http://127.0.0.1:1")


def token_of(made):
    return made.sessions.open().token


def request_for(made, operation, token):
    """A request that the operation's schema allows, with values that look like real ones."""
    maker = Maker(made.shop, operation.schemas, random.Random(operation.id))
    path, query, body = operation.path, {}, None
    for parameter in operation.parameters:
        value = maker.make(parameter["schema"], parameter["name"])
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(value))
        elif parameter["in"] == "query":
            query[parameter["name"]] = value if isinstance(value, str) else json.dumps(value)
    if operation.body is not None and not operation.multipart:
        body = json.dumps(maker.make(operation.body, "body")).encode()
    prefix = f"/{operation.base}" if operation.base in ("v1", "v2") else ""
    text = "&".join(f"{name}={value}" for name, value in query.items()).replace("+", "%2B").replace(" ", "%20")
    return Asked(operation.method, prefix + path, text, "application/json" if body else "", token, "", body or b"")


def side_of(operation):
    return "server" if operation.base == "session" else "api"


@pytest.mark.parametrize("name", sorted(name for name in OPERATIONS if name not in HANDLERS and name != SIGN_IN))
def test_an_operation_without_a_memory_answers_what_its_schema_says(name, shared_engine):
    made, token = shared_engine
    operation = OPERATIONS[name]
    told = made.handle(side_of(operation), request_for(made, operation, token))
    assert told.answer.status == operation.status, told.answer.content
    if operation.answer is None:
        assert told.answer.content == b""
        return
    schema = {**operation.answer, "components": {"schemas": operation.schemas}}
    Draft202012Validator(schema).validate(json.loads(told.answer.content))


@pytest.fixture(scope="module")
def shared_engine():
    made = engine(quota=False, json_noops=False)
    return made, token_of(made)


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_an_operation_with_a_memory_answers_or_refuses_but_never_breaks(name, shared_engine):
    made, token = shared_engine
    operation = OPERATIONS[name]
    told = made.handle(side_of(operation), request_for(made, operation, token))
    assert told.answer.status in (200, 204, 400, 404), told.answer.content
    if told.answer.status == 400:
        assert b"request is invalid" not in told.answer.content, told.answer.content


def test_all_operations_are_served():
    assert len(OPERATIONS) == 743
    assert set(HANDLERS) <= set(OPERATIONS)
