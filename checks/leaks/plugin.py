"""The plugin: a test in whose output a secret is found fails, with the place and without the secret."""

from collections.abc import Generator
from pathlib import Path

import pytest

from .files import contents_of
from .taps import install
from .watch import Watch, allowed_of

_WATCH = pytest.StashKey[Watch]()
_PATCH = pytest.StashKey[pytest.MonkeyPatch]()
_FOLDERS = pytest.StashKey[list[Path]]()


def pytest_configure(config: pytest.Config) -> None:
    """Put the taps in."""
    config.stash[_WATCH] = watch = Watch(*allowed_of())
    config.stash[_PATCH] = patch = pytest.MonkeyPatch()
    config.stash[_FOLDERS] = folders = []
    install(watch, patch)
    make = pytest.TempPathFactory.mktemp

    def noted(factory: pytest.TempPathFactory, basename: str, *, numbered: bool = True) -> Path:
        folders.append(make(factory, basename, numbered=numbered))
        return folders[-1]

    patch.setattr(pytest.TempPathFactory, "mktemp", noted)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the taps out."""
    config.stash[_PATCH].undo()


@pytest.fixture(scope="session")
def leaks(request: pytest.FixtureRequest) -> Watch:
    """The watch, to be told of secrets and places that the taps do not know."""
    return request.config.stash[_WATCH]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at everything when a test has ended, and what it used is closed; a leak is an error of that test."""
    report = yield
    if call.when == "teardown":
        watch, folders = item.config.stash[_WATCH], item.config.stash[_FOLDERS]
        watch.see("standard output", report.capstdout, report.capstderr)
        while folders:
            for name, content in contents_of(folders.pop()):
                watch.see(f"file {name}", content)
        found = watch.leaks(item.nodeid)
        if found:
            report.outcome = "failed"
            told = "\n".join(["A secret of this test came out:", *(f"  {where}" for where in sorted(found))])
            report.longrepr = f"{report.longreprtext}\n{told}".strip()
    return report
