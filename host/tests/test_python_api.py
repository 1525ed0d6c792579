"""What the Python API answers to arguments that it does not take: sync and async, by credentials and saved."""

import contextlib
import datetime
import re
import traceback
from pathlib import Path

import pytest

from connector_host import connect, connect_async, open_instance, open_instance_async
from connector_host.contract.errors import InputInvalid
from connector_host.instances import InstanceState, InstanceStore

from .conftest import SECRET

NAIVE = datetime.datetime(2026, 1, 31)  # noqa: DTZ001 -- that it has no zone is the case
LOOP: list = []
LOOP.append(LOOP)


class Shop:
    """A connection of either kind, used in the same way."""

    def __init__(self, connection):
        self.connection = connection

    async def use(self, method, *given, **options):
        """Call a method, and take everything that it yields."""
        result = getattr(self.connection, method)(*given, **options)
        if hasattr(result, "__anext__"):
            return [each async for each in result]
        if hasattr(result, "__await__"):
            return await result
        return list(result) if hasattr(result, "__next__") else result


@pytest.fixture
def connected(vendor, plain):
    running = vendor(things=3)
    return plain, {"credentials": running.credentials, "settings": running.settings}


@pytest.fixture
def saved(vendor, home, plain, plain_folder):
    running = vendor(things=3)
    with InstanceStore.open(home) as store:
        store.add(
            "Shop",
            connector=plain.name,
            connector_version=plain.manifest.version,
            authentication="Token",
            settings=running.settings,
            credentials=running.credentials,
            state=InstanceState.OK,
        )
    return {"home": home, "folders": [plain_folder]}


@pytest.fixture(params=["connect", "connect_async", "open_instance", "open_instance_async"])
async def shop(request):
    """The same shop, connected to in each of the four ways."""
    if request.param.startswith("connect"):
        connector, given = request.getfixturevalue("connected")
        made = (connect if request.param == "connect" else connect_async)(connector, **given)
    else:
        given = request.getfixturevalue("saved")
        made = (open_instance if request.param == "open_instance" else open_instance_async)("Shop", **given)
    async with contextlib.AsyncExitStack() as stack:
        if hasattr(made, "__aenter__"):
            yield Shop(await stack.enter_async_context(made))
        else:
            yield Shop(stack.enter_context(made))


def told(error):
    """Return the problems of an error as (place, sentence); each has its next step, and none a secret."""
    assert isinstance(error, InputInvalid)
    assert error.message.endswith(".")
    assert all(problem.fix or error.next_step for problem in error.problems)
    assert SECRET not in f"{error} {error.detail} {error!r}"
    return [(problem.where, problem.sentence) for problem in error.problems]


USES = [
    *(
        (method, ("things",), {name: value}, name, sentence)
        for method in ("pull", "pages")
        for name, value, sentence in [
            ("since", "2026-01-01", "This is a text, not a datetime."),
            ("since", datetime.date(2026, 1, 1), "This is a Python date, not a datetime."),
            ("since", NAIVE, "This time has no zone."),
            ("until", 1_767_225_600, "This is a number, not a datetime."),
            ("until", NAIVE, "This time has no zone."),
            ("limit", -1, "This is a number, not a whole number from 0 on."),
            ("limit", 1.5, "This is a number, not a whole number from 0 on."),
            ("limit", "3", "This is a text, not a whole number from 0 on."),
            ("limit", True, "This is true or false, not a whole number from 0 on."),
        ]
    ),
    ("pull", (5,), {}, "stream", "This is a number, not the name of a stream."),
    ("pages", (None,), {}, "stream", "This is None, not the name of a stream."),
    ("call", (5,), {}, "operation_id", "This is a number, not the id of an operation."),
    ("call", (["things.ListThings"],), {}, "operation_id", "This is a list, not the id of an operation."),
    ("call", ("things.ListThings", "page=1"), {}, "given", "This is a text, not a dict."),
    ("call", ("things.ListThings", []), {}, "given", "This is a list, not a dict."),
    (
        "call",
        ("things.ListThings",),
        {"total_timeout": "10s"},
        "total_timeout",
        "This is a text, not a number above 0.",
    ),
    ("call", ("things.ListThings",), {"total_timeout": 0}, "total_timeout", "This is a number, not a number above 0."),
    ("call", ("things.ListThings",), {"allow_unknown": "no"}, "allow_unknown", "This is a text, not a bool."),
    ("call", ("things.ListThings", {"page": {1, 2}}), {}, "page", "This is a Python set, not a whole number."),
    ("call", ("things.CreateThing", {"name": "x", "tags": {"a"}}), {}, "tags", "This is a Python set, not a list."),
    ("call", ("things.CreateThing", {"name": "x", "tags": ("a",)}), {}, "tags", "This is a Python tuple, not a list."),
    ("call", ("things.CreateThing", {"name": b"x"}), {}, "name", "This is a Python bytes, not a text."),
    ("call", ("things.CreateThing", {"name": NAIVE}), {}, "name", "This is a Python datetime, not a text."),
    ("call", ("things.CreateThing", {"name": "x", 1: 2}), {}, "1", "There is no such field."),
    *(
        (method, ("add_thing", records), options, name, sentence)
        for method in ("push", "push_each")
        for records, options, name, sentence in [
            ({"name": "x"}, {}, "records", "This is an object, not a list of records."),
            ("records.jsonl", {}, "records", "This is a text, not a list of records."),
            (None, {}, "records", "This is None, not a list of records."),
            ([], {"dry_run": "no"}, "dry_run", "This is a text, not a bool."),
            ([], {"results": "results.jsonl"}, "results", "This is a text, not a path."),
            ([], {"resume": True}, "resume", "There is no file to go on with."),
        ]
    ),
    ("push", (5, []), {}, "action", "This is a number, not the name of an action."),
]


@pytest.mark.parametrize("use", USES, ids=lambda use: f"{use[0]} {use[3]}")
async def test_what_a_connection_does_not_take(shop, use):
    method, given, options, where, sentence = use
    with pytest.raises(InputInvalid) as raised:
        await shop.use(method, *given, **options)
    assert told(raised.value) == [(where, sentence)]


async def test_what_a_connection_takes(shop):
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert len(await shop.use("pull", "things", since=begin, until=None, limit=2)) == 2
    assert await shop.use("pull", "things", limit=0) == []
    assert (await shop.use("call", "things.ListThings", None, total_timeout=30)).data["data"]
    assert (await shop.use("push", "add_thing", iter([{"name": "x", "colour": "red"}]), dry_run=True)).counts.checked


async def test_every_wrong_argument_is_told_at_once(shop):
    with pytest.raises(InputInvalid) as raised:
        await shop.use("pull", "things", since="2026-01-01", until="2026-02-01", limit="3")
    assert [where for where, _ in told(raised.value)] == ["since", "until", "limit"]
    assert "datetime(2026, 1, 31, tzinfo=UTC)" in str(raised.value)


async def test_an_input_that_contains_itself_is_told(shop):
    with pytest.raises(InputInvalid, match="cannot be written"):
        await shop.use("call", "things.CreateThing", {"name": "x", "loop": LOOP}, allow_unknown=True)


async def test_a_wrong_field_leads_to_its_operation(shop):
    with pytest.raises(InputInvalid) as raised:
        await shop.use("call", "things.ListThings", {"page": "one"})
    assert raised.value.next_step == "See its fields with: connector-host operation plain things.ListThings"


CONNECTING = [
    ("connector", 5, "This is a number, not a connector."),
    ("connector", Path("plain"), "This is a Python .*Path, not a connector."),
    ("credentials", None, "This is None, not a dict."),
    ("credentials", SECRET, "This is a text, not a dict."),
    ("credentials", [SECRET], "This is a list, not a dict."),
    ("credentials", SECRET.encode(), "This is a Python bytes, not a dict."),
    ("settings", "time_zone", "This is a text, not a dict."),
    ("settings", [], "This is a list, not a dict."),
    ("authentication", 5, "This is a number, not the name of a method."),
    ("folders", "plain", "This is a text, not a list of paths."),
    ("folders", ["plain"], "This is a list, not a list of paths."),
]


@pytest.mark.parametrize("way", [connect, connect_async])
@pytest.mark.parametrize(("name", "value", "sentence"), CONNECTING)
def test_what_no_connection_is_made_of(connected, way, name, value, sentence):
    connector, given = connected
    with pytest.raises(InputInvalid) as raised:
        way(**{"connector": connector, **given, name: value})
    ((where, said),) = told(raised.value)
    assert where == name
    assert re.fullmatch(sentence, said)


@pytest.mark.parametrize("way", [connect, connect_async])
@pytest.mark.parametrize(
    ("credentials", "where", "sentence"),
    [
        ({"api_token": [SECRET]}, "credentials.api_token", "A token begins with tok-"),
        ({"api_token": {SECRET}}, "credentials.api_token", "A token begins with tok-"),
        ({"api_token": SECRET, 5: SECRET}, "credentials.5", "There is no such field."),
    ],
)
def test_a_credential_of_another_kind_is_told_without_its_value(plain, way, credentials, where, sentence):
    with pytest.raises(InputInvalid) as raised:
        way(plain, credentials=credentials)
    problem = raised.value.problems[0]
    assert (problem.where, problem.sentence[: len(sentence)]) == (where, sentence)
    assert SECRET not in "".join(traceback.format_exception_only(raised.value))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("limits", {"attempts": 2}, "This is an object, not RetryLimits."),
        ("timeouts", 30, "This is a number, not Timeouts."),
        ("encodings", {"things.CreateThing": "form"}, "This is an object, not a dict of body formats."),
        ("transport", "http://localhost", "This is a text, not a transport."),
        ("observer", [], "This is a list, not a function."),
    ],
)
def test_what_the_engine_does_not_take(connected, name, value, sentence):
    connector, given = connected
    with pytest.raises(InputInvalid) as raised:
        connect_async(connector, **given, **{name: value})
    assert told(raised.value) == [(name, sentence)]
    with pytest.raises(InputInvalid), connect(connector, **given, **{name: value}):
        pass


OPENING = [
    ("name", 5, "This is a number, not the name of an instance."),
    ("name", None, "This is None, not the name of an instance."),
    ("home", "data", "This is a text, not a Home."),
    ("folders", "plain", "This is a text, not a list of paths."),
    ("load", "plain", "This is a text, not a function."),
]


@pytest.mark.parametrize(("name", "value", "sentence"), OPENING)
async def test_what_no_instance_is_opened_by(saved, name, value, sentence):
    given = {"name": "Shop", **saved, name: value}
    with pytest.raises(InputInvalid) as raised:
        async with open_instance_async(**given):
            pass
    assert told(raised.value) == [(name, sentence)]
    with pytest.raises(InputInvalid) as raised, open_instance(**given):
        pass
    assert told(raised.value) == [(name, sentence)]
