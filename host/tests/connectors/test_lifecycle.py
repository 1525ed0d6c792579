"""The order in which hooks fire, and that the page about them says the same as the code."""

import inspect
import re
import sys
from pathlib import Path

from connector_host import connect
from connector_host.connectors import load_connector
from connector_host.contract.hooks import ConnectorHooks

PAGE = (Path(__file__).parents[3] / "docs" / "hooks.md").read_text()
HOOKS = {
    name: member for name, member in inspect.getmembers(ConnectorHooks, inspect.isfunction) if not name.startswith("_")
}
NOTING = """
from pathlib import Path
from connector_host.contract.code import CodePage
from connector_host.contract.markers import hookimpl

ROOT = Path(__file__).parent
fired = []

def note(name, value=None):
    fired.append(name)
    return value

@hookimpl
def manifest():
    return note("manifest", ROOT / "connector.yaml")

@hookimpl
def operations():
    return note("operations", [ROOT / "schemas" / "operations" / "things.json"])

@hookimpl
def check_credentials(method, credentials):
    return note("check_credentials", [])

@hookimpl
def migrate_settings(settings, from_version):
    return note("migrate_settings")

@hookimpl
def auth_handler(context):
    return note("auth_handler")

class Colours:
    async def pages(self, calls, extent):
        yield CodePage((await calls.call("things.ListColours")).json(), 1)

@hookimpl
def stream_code(stream):
    return note("stream_code", Colours())

@hookimpl
def read_answer(operation, answer):
    return note("read_answer")

@hookimpl
def sandbox():
    from plain_connector.sandbox import PlainSandbox
    return note("sandbox", PlainSandbox())
"""


def test_hooks_fire_in_the_order_that_the_page_draws(site):
    listed = "    lists:\n      - operation: things.ListColours\n"
    coded = "    code: {operations: [things.ListColours]}\n"
    site.install("shop", plugin=NOTING, manifest={listed: coded})
    connector = load_connector("shop")
    assert len(connector.catalogue)
    running = connector.sandbox().start({})
    try:
        with connect(connector, credentials=running.credentials, settings=running.settings) as shop:
            assert len(list(shop.pull("colours"))) == 3
    finally:
        running.close()
    connector.migrate_settings({}, connector.manifest.version - 1)
    assert list(dict.fromkeys(sys.modules["shop_connector.plugin"].fired)) == [
        "manifest",
        "operations",
        "sandbox",
        "check_credentials",
        "auth_handler",
        "stream_code",
        "read_answer",
        "migrate_settings",
    ]


def test_page_describes_every_hook_with_its_signature():
    described = dict(re.findall(r"^### `(\w+)\((.*?)\) -> .*`$", PAGE, re.MULTILINE))
    arguments = {name: ", ".join(list(inspect.signature(hook).parameters)[1:]) for name, hook in HOOKS.items()}
    assert described == arguments


def test_every_hook_says_what_it_returns_and_when_it_fires():
    for name, hook in HOOKS.items():
        text = inspect.getdoc(hook)
        assert text.startswith("Return "), name
        assert "Fires" in text, name


def test_every_hook_stands_in_the_drawing():
    drawing = PAGE.split("```text")[1].split("```")[0]
    assert [name for name in HOOKS if name not in drawing] == []
