import importlib.util
from pathlib import Path

import pytest

from linnworks_connector.sandbox.server import SandboxOptions, start_sandbox

_PATH = Path(__file__).parents[2] / "host" / "tests" / "web" / "browser.py"
_SPEC = importlib.util.spec_from_file_location("browser_of_host", _PATH)
_browser = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_browser)


@pytest.fixture(scope="session")
def browser():
    """The helpers of the host's own browser tests."""
    return _browser


@pytest.fixture(scope="module")
def chromium(browser):
    with browser.chromium() as running:
        yield running


@pytest.fixture
def site(tmp_path, browser):
    running = browser.Site(tmp_path / "home", [])
    yield running
    running.close()


@pytest.fixture
def open_tab(chromium, site, browser):
    contexts, tabs = [], []

    def opened(**options):
        contexts.append(chromium.new_context(**{"viewport": browser.WIDE, **options}))
        tabs.append(browser.Tab(contexts[-1], site).sign_in())
        return tabs[-1]

    yield opened
    for context in contexts:
        context.close()
    assert [complaint for tab in tabs for complaint in tab.complaints] == []


@pytest.fixture
def start_vendor(request):
    """Start a sandbox that is closed after the test."""

    def start(**options):
        sandbox = start_sandbox(SandboxOptions(**{"orders": 30, "items": 20, **options}))
        request.addfinalizer(sandbox.close)
        return sandbox

    return start
