import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from connector_host.cli.app import app


@dataclass
class Host:
    """The command line with a home of its own, and the plain connector in a development folder."""

    home: object
    folder: object

    def run(self, *arguments, given=None, folders=()):
        """Run a command in this process; `given` is its stdin, as text or as JSON."""
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        options = [part for each in (self.folder, *folders) for part in ("--folder", str(each))]
        return CliRunner().invoke(app, ["--home", str(self.home), *options, *map(str, arguments)], input=text)

    def json(self, *arguments, given=None):
        """Run a command that succeeds, and return the JSON on its stdout."""
        result = self.run(*arguments, given=given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def process(self, *arguments, **options):
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", "from connector_host.cli import main; main()", *map(str, arguments)],
            env={**os.environ, "CONNECTOR_HOST_HOME": str(self.home), "CONNECTOR_HOST_FOLDERS": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )


@pytest.fixture
def host(tmp_path, plain_folder):
    return Host(tmp_path / "home", plain_folder)


def values_of(running, name="shop", **settings):
    return {
        "name": name,
        "authentication": "Token",
        "settings": {**running.settings, **settings},
        "credentials": dict(running.credentials),
    }


def interrupt(process, number=signal.SIGINT):
    """Send a signal to a pull, and see that it says that it can be gone on with."""
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 6
    assert "Interrupted. What is written is safe" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.fixture
def shop(host, plain, vendor):
    """An instance named shop of a stand-in that was started with the options; its faults begin after the test."""

    def add(*, access="all", settings=None, faults=(), **options):
        running = vendor(**options)
        values = values_of(running, **(settings or {}))
        values["credentials"]["access"] = access
        result = host.run("instance", "add", plain.name, "--values", "-", given=values)
        assert result.exit_code == 0, result.output
        running.requests.clear()
        running.faults += faults
        return running

    return add
