"""A browser, a served site and the accessibility rules, for tests of the host and of connectors."""

import contextlib
import os
import threading
from pathlib import Path

import pytest
import uvicorn

from connector_host.instances import Home
from connector_host.web import TokenAccess, WebOptions, create_app
from connector_host.web.serving import listen

ROOT = Path(__file__).parents[3]
CHROMIUM = Path("/usr/bin/chromium")
PLAIN = ROOT / "host" / "tests" / "fixtures" / "plain"
AXE = ROOT / "checks" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2"
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


def need(path, what):
    """Skip the test where something is not installed; in CI that is a failure."""
    if path.exists():
        return
    words = f"{what} is not installed: there is no {path}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


@contextlib.contextmanager
def chromium():
    """A running browser."""
    need(CHROMIUM, "Chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only where a browser is

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Site:
    """The application, served on loopback from a thread."""

    def __init__(self, home, folders):
        self.home = Home(home)
        self._listener = listen("127.0.0.1", 0)
        self.url = self._listener.url
        self.app = create_app(WebOptions(home=self.home, access=TokenAccess(TOKEN), folders=folders))
        config = uvicorn.Config(self.app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener.socket]})
        self._thread.start()

    @property
    def store(self):
        return self.app.state.host.store

    def close(self):
        self._server.should_exit = True
        self._thread.join()
        self._listener.socket.close()


class Tab:
    """A tab of a browser context that notes what a page must not do: complain, or ask another server."""

    def __init__(self, context, site):
        self.page = context.new_page()
        self.page.set_default_timeout(30_000)
        self.site = site
        self.complaints = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _heard(self, message):
        # Leaving a page ends the requests that it has under way, and htmx tells so as if it were a fault.
        if message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            return
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request):
        if not request.url.startswith(self.site.url):
            self.complaints.append(f"asked {request.url}")

    def open(self, path):
        self.page.goto(f"{self.site.url.rstrip('/')}{path}")
        return self.page

    def sign_in(self):
        self.open("/sign-in")
        self.page.fill("#secret", TOKEN)
        self.page.click("main button")
        self.page.wait_for_url("**/connectors")
        return self

    def violations(self):
        """What axe finds wrong with the page as it stands, and whether it is wider than the window."""
        need(AXE, "axe-core")
        self.page.wait_for_load_state("load")
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
        told = [f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}" for each in found]
        if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            told.append(f"{self.page.url} is wider than the window")
        return told


def add_instance(site, sandbox, name="Shop", **changes):
    """Add an instance of the plain connector to the store of a site or host, without its page."""
    settings = {
        "api_address": sandbox.address,
        "include_archived": False,
        "time_zone": "Europe/London",
        "rate_limit_amount": 600,
        "rate_limit_unit": "minute",
        "concurrency": 4,
    }
    values = {
        "connector": "plain",
        "connector_version": 3,
        "authentication": "Token",
        "settings": settings,
        "credentials": dict(sandbox.credentials),
        **changes,
    }
    return site.store.add(name, **values)
