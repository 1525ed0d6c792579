"""The code that reads a stream, whatever it does: hostile, hanging, left alone, missing, or in an extension."""

import datetime
import logging
import textwrap
import threading

import pytest

from connector_host import connect
from connector_host.connectors import code as code_module
from connector_host.connectors import load_connector
from connector_host.contract.errors import ConnectorBroken, InputInvalid, VendorRefused
from connector_host.embedding import connect_async
from connector_host.engine.sinks import JsonLinesSink
from connector_host.engine.state import MemoryState
from connector_host.engine.sync import Sync
from connector_host.testing.clock import FakeClock

from .plugins import HOOKS, SECRET, code_of

CODED = "    code: {operations: [things.ListColours]}\n"
LISTED = "    lists:\n      - operation: things.ListColours\n"
GIVING = """
@hookimpl
def stream_code(stream):
    return Code()
"""


@pytest.fixture
def opened(site, running):
    """Install a connector whose stream of colours is read by code, of its own or of an extension, and connect to it."""

    def open_it(plugin, *, extension=None, **engine):
        site.install("shop", manifest={LISTED: CODED}, plugin=plugin)
        if extension is not None:
            site.extend("shop_extension", "shop.colours", extension)
        return connect(load_connector("shop"), credentials=running.credentials, settings=running.settings, **engine)

    return open_it


@pytest.fixture
def told(opened):
    """Pull the colours with hostile code, and return the error that the run ends with."""

    def pull(body, *, head="async def pages(self, calls, extent):", hook=GIVING, **engine):
        connection = opened(f"{HOOKS}{code_of(head, body)}{hook}", **engine)
        with pytest.raises(Exception) as caught, connection as shop:  # noqa: PT011 -- which one is what tests look at
            list(shop.pull("colours"))
        return caught.value

    return pull


def test_times_that_the_code_does_not_take_are_refused(opened):
    code = code_of("async def pages(self, *_):", "yield CodePage([], 1)")
    with opened(f"{HOOKS}{code}{GIVING}") as shop:
        assert list(shop.pull("colours")) == []
        with pytest.raises(InputInvalid, match="cannot be pulled like this"):
            list(shop.pull("colours", since=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)))


def test_errors_of_calls_are_told_as_they_are(told, running):
    running.faults.append("400")
    error = told("yield CodePage((await calls.call('things.ListColours')).json(), 1)")
    assert isinstance(error, VendorRefused)
    assert error.call.operation == "things.ListColours"


LEFT = """async def fail():
    raise {}(SECRET)
asyncio.create_task(fail())
await asyncio.sleep(0.01)"""
WRONG = {
    "raises": ("raise ValueError('bad ' + SECRET)\nyield", "raised ValueError"),
    "raises what is no Exception": ("raise KeyboardInterrupt(SECRET)\nyield", "raised KeyboardInterrupt"),
    "ends the process": ("sys.exit(SECRET)\nyield", "raised SystemExit"),
    "cancels itself": ("asyncio.current_task().cancel()\nawait asyncio.sleep(0)\nyield", "raised CancelledError"),
    "leaves a task behind that ends all": (f"{LEFT.format('KeyboardInterrupt')}\nyield", "raised CancelledError"),
    "leaves a task behind that fails": (f"{LEFT.format('ValueError')}\nyield CodePage([], None)", "that is null"),
    "yields no page": ("yield [{'name': 'red'}]", "as page 1, a list, and no CodePage"),
    "yields records that are none": ("yield CodePage([1], 1)", "records that are no list of objects"),
    "yields a text": ("yield CodePage('red', 1)", "records that are no list of objects"),
    "yields what cannot be written": ("yield CodePage([{'name': object()}], 1)", "cannot be written as JSON"),
    "yields a record without end": (
        "record = {}\nrecord['name'] = record\nyield CodePage([record], 1)",
        "cannot be written as JSON (RecursionError)",
    ),
    "gives no resume point": ("yield CodePage([], None)", "a resume point that is null"),
    "gives a resume point that is no JSON": ("yield CodePage([], object())", "a resume point that is no JSON"),
    "gives one that comes back otherwise": ("yield CodePage([], (1, 2))", "does not come back from JSON as it was"),
    "gives a long one": ("yield CodePage([], 'x' * 70_000)", "a resume point of 70,002 bytes"),
    "does not come to an end": (
        "number = 0\nwhile True:\n    number += 1\n    yield CodePage([], number % 3)",
        "as page 4, a resume point that it has given before",
    ),
    "calls what it may not": ("await calls.call('things.DeleteThing', {'id': 't1'})\nyield", "things.DeleteThing"),
    "sends what is no input": (
        "await calls.call('things.ListColours', {1, 2})\nyield",
        "with a Python set, not a dict",
    ),
    "calls what there is not": ("await calls.call('things.Nothing')\nyield", "things.Nothing"),
}


@pytest.mark.parametrize("how", WRONG)
def test_code_that_goes_wrong_is_told_with_stream_and_hook(told, running, how, caplog):
    body, words = WRONG[how]
    with caplog.at_level(logging.DEBUG):
        error = told(body)
    assert isinstance(error, ConnectorBroken)
    assert words in error.message
    assert "the stream colours" in error.message
    assert SECRET not in f"{error}{error!r}{error.detail}{error.__cause__}{caplog.text}"
    assert running.requests == []


@pytest.mark.parametrize("body", ["raise ValueError(SECRET)", "sys.exit(SECRET)", "await asyncio.sleep(0)\nyield 1"])
def test_code_that_cleans_up_badly_harms_nobody(opened, body, capfd, caplog):
    pages = f"try:\n    yield CodePage([{{'name': 'red'}}], 1)\nfinally:\n{textwrap.indent(body, '    ')}"
    with opened(f"{HOOKS}{code_of('async def pages(self, *_):', pages)}{GIVING}") as shop:
        assert list(shop.pull("colours", limit=1)) == [{"name": "red"}]
    out, err = capfd.readouterr()
    assert SECRET not in out + err + caplog.text
    assert "Traceback" not in err


def test_the_hook_is_named_where_code_fails(told):
    assert "(hook stream_code of shop)" in told("raise ValueError('x')\nyield").message


def test_an_error_that_the_code_makes_itself_has_no_secret(told):
    problem = "Problem(SECRET, 'rule', SECRET, SECRET)"
    error = told(f"raise VendorFault('down ' + SECRET, detail=SECRET, next_step=SECRET, problems=[{problem}])\nyield")
    assert "down " in error.message
    assert SECRET not in f"{error}{error!r}{error.detail}{error.problems}"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("async def pages(self, calls, extent):", "return [CodePage([], 1)]"),
        ("def pages(self, calls, extent):", "return [CodePage([], 1)]"),
        ("def pages(self, calls, extent):", "return None"),
    ],
)
def test_pages_that_do_not_come_one_by_one_are_told(told, head, body):
    assert "does not give pages one after another" in told(body, head=head).message


HANGING = {
    "sleeps": "time.sleep(1.5)\nyield",
    "waits for nothing": "await asyncio.Event().wait()\nyield",
    "tries again and again what it may not": (
        "while True:\n    try:\n        await calls.call('things.DeleteThing', {'id': 't1'})\n"
        "    except Exception:\n        await asyncio.sleep(0.01)\nyield"
    ),
}


@pytest.mark.parametrize("how", HANGING)
def test_code_that_hangs_is_told(told, running, how, monkeypatch):
    monkeypatch.setattr(code_module, "CODE_SECONDS", 0.1)
    error = told(HANGING[how])
    assert isinstance(error, ConnectorBroken)
    assert "the stream colours (hook stream_code of shop) did not return within 0.1 seconds" in error.message
    assert running.requests == []


@pytest.mark.parametrize("body", ["while True:\n    await calls.sleep(60)\nyield", "await calls.sleep(7200)\nyield"])
def test_code_may_wait_for_its_vendor_but_not_for_ever(told, body):
    clock = FakeClock()
    error = told(body, clock=clock)
    assert "was not done with one page or record within 3600 seconds" in error.message
    assert clock.monotonic() <= 3600


def test_each_page_has_its_own_time(opened):
    pages = """
for number in range(3):
    await calls.sleep(3000)
    yield CodePage([{'name': str(number)}], number)
"""
    code = code_of("async def pages(self, calls, extent):", pages)
    clock = FakeClock()
    with opened(f"{HOOKS}{code}{GIVING}", clock=clock) as shop:
        assert [record["name"] for record in shop.pull("colours")] == ["0", "1", "2"]
    assert clock.slept == [3000] * 3


CLEANING = """
class Code:
    async def pages(self, calls, extent):
        try:
            task = asyncio.current_task()
            async with asyncio.timeout(60):
                for number in range(100):
                    yield CodePage([{"name": str(number)}], number)
        finally:
            Code.ended.append((threading.current_thread().name, asyncio.current_task() is task))
    ended = []
"""


def test_code_that_is_no_longer_wanted_is_ended_and_cleans_up(opened):
    with opened(f"{HOOKS}{CLEANING}{GIVING}") as shop:
        assert len(list(shop.pull("colours", limit=3))) == 3
    from shop_connector import plugin  # noqa: PLC0415 -- it is installed by the test

    name = "The code of the stream colours (hook stream_code of shop)"
    assert plugin.Code.ended == [(name, True)]
    for thread in [each for each in threading.enumerate() if each.name == name]:
        thread.join(10)
        assert not thread.is_alive()


GIVES = {
    "nothing": "    return None",
    "rubbish": "    return 42",
    "code of another stream": "    return Code() if stream.name == 'things' else None",
}


@pytest.mark.parametrize("how", GIVES)
def test_a_hook_that_gives_no_code_is_told_when_the_stream_is_pulled(told, how):
    error = told("yield CodePage([], 1)", hook=f"@hookimpl\ndef stream_code(stream):\n{GIVES[how]}\n")
    assert isinstance(error, ConnectorBroken)
    assert "The hook stream_code of shop did not return code with pages() for the stream colours" in error.message


def test_a_hook_that_raises_is_told_without_the_secret(told):
    error = told("yield", hook="@hookimpl\ndef stream_code(stream):\n    raise ValueError('bad ' + SECRET)\n")
    assert "The hook stream_code of shop raised ValueError." in error.message
    assert SECRET not in f"{error}{error.detail}"


def test_a_connector_without_the_hook_is_broken(opened):
    with pytest.raises(ConnectorBroken, match="gives the stream colours to code, and no hook stream_code is there"):
        opened(HOOKS)


EXTENSION = """
from connector_host.contract.code import CodePage
from connector_host.contract.markers import hookimpl

class Code:
    async def pages(self, calls, extent):
        yield CodePage((await calls.call("things.ListColours")).json(), 1)

@hookimpl
def stream_code(stream):
    return Code() if stream.name == "colours" else None
"""


def test_the_code_of_a_stream_may_be_in_an_extension(opened):
    with opened(HOOKS, extension=EXTENSION) as shop:
        assert [record["name"] for record in shop.pull("colours")] == ["red", "green", "blue"]


def test_a_broken_extension_takes_its_stream_along_and_no_other(opened):
    with opened(HOOKS, extension=f"{EXTENSION}\nraise ValueError('no')\n") as shop:
        assert len(list(shop.pull("things"))) == 32
        with pytest.raises(ConnectorBroken, match="for the stream colours"):
            list(shop.pull("colours"))


@pytest.fixture
def sights(site, running):
    """A connector whose stream of sights takes its values from one that code reads."""
    site.install(
        "shop",
        manifest={
            "\nstreams:\n": (
                "\nstreams:\n  - name: sights\n    title: Sights\n    description: Looks at things.\n"
                "    entity_type: Custom\n    lists:\n      - operation: things.GetThing\n        records: nothing\n"
                "        for_each: {stream: colours, value: name, into: id}\n"
                "    primary_key: [name]\n    record_schema: schemas/records/colours.json\n"
            ),
            LISTED: CODED,
        },
        plugin=f"{HOOKS}\n{EXTENSION}",
    )
    running.things |= {name: {"nothing": [{"name": f"a {name} one"}]} for name in ("red", "green", "blue")}
    return load_connector("shop")


def test_other_streams_may_take_their_values_from_it(sights, running):
    with connect(sights, credentials=running.credentials, settings=running.settings) as shop:
        assert [each["name"] for each in shop.pull("sights")] == ["a red one", "a green one", "a blue one"]


async def test_their_plan_is_the_least_and_names_what_code_calls(sights, running, tmp_path):
    async with connect_async(sights, credentials=running.credentials, settings=running.settings) as shop:
        sink = JsonLinesSink(tmp_path / "sights.jsonl")
        estimate = await Sync(shop, "sights", sink=sink, state=MemoryState()).estimate()
    assert [(each.operation, each.requests) for each in estimate.operations] == [("things.GetThing", 3)]
    assert [each.operation for each in estimate.by_code] == ["things.ListColours"]
    assert not estimate.exact
