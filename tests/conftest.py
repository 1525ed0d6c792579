import os
import subprocess
import sys

import pytest

from connector_host.connectors import Connector, load_connector
from linnworks_connector.sandbox.clock import ManualClock
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.server import start_sandbox
from linnworks_connector.sandbox.sessions import Sessions


@pytest.fixture(scope="session")
def linnworks() -> Connector:
    return load_connector("linnworks")


@pytest.fixture(scope="session", autouse=True)
def _learn_sessions(leaks):
    """What a sandbox gives is a secret, to whichever process it gives it."""
    opened = Sessions.open

    def noted(self):
        session = opened(self)
        leaks.learn(session.token)
        return session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sessions, "open", noted)
        yield


@pytest.fixture
def sandbox():
    """Start sandboxes with options; their clocks stand still unless told otherwise."""
    started = []

    def start(**options):
        options = {"orders": 40, "items": 30, "clock": ManualClock(), **options}
        started.append(start_sandbox(SandboxOptions(**options)))
        return started[-1]

    yield start
    for running in started:
        running.close()


@pytest.fixture
def run_python():
    """Run the interpreter as a person would; return its output. Raises CalledProcessError with the output."""

    def run(*args, cwd=None, env=None):
        done = subprocess.run(
            [sys.executable, *args],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
