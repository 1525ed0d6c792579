import os
import subprocess
import sys
from pathlib import Path

import pytest

from connector_host.instances import FileKeys

PROCESS = Path(__file__).with_name("process.py")


class Other:
    """A real process that is talked to by lines."""

    def __init__(self, home, *arguments):
        environ = {**os.environ, "CONNECTOR_HOST_HOME": str(home.path)}
        if home.database_override:
            environ["CONNECTOR_HOST_DATABASE"] = home.database_override
        self.process = subprocess.Popen(
            [sys.executable, str(PROCESS), *arguments],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self):
        return self.process.stdout.readline().strip()

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start(any_home):
    started = []

    def begin(*arguments):
        started.append(Other(any_home, *arguments))
        return started[-1]

    yield begin
    for other in started:
        other.end()


def test_two_processes_that_sign_in_at_once_do_it_once(start, store, add_shop):
    add_shop(store)
    first, second = start("sign-in"), start("sign-in")
    assert first.hear() == "ready"
    assert second.hear() == "ready"
    first.go_on()
    assert first.hear() == "signing in"
    second.go_on()
    assert second.hear() == "waiting"
    first.go_on()
    assert first.hear() == "left"
    second.go_on()
    assert second.hear() == "found shared"
    assert second.hear() == "left"


def test_a_process_killed_while_signing_in_does_not_hold_others_off_for_ever(start, store, add_shop, clock):
    add_shop(store)
    killed = start("hold")
    killed.hear()
    killed.go_on()
    assert killed.hear() == "signing in"
    killed.end()
    sessions = store.sessions(store.get("Shop"), store.credentials("Shop", ()), sleep=clock.sleep_here)
    with sessions.signing_in():
        assert clock.passed <= 31
        assert sessions.load() is None


def test_processes_that_open_a_new_home_at_once_and_write_to_it_lose_nothing(any_home, start, open_store):
    writers = [start("write", name) for name in "abc"]
    for writer in writers:
        assert writer.hear() == "ready"
    for writer in writers:
        writer.go_on()
    for writer in writers:
        assert writer.hear() == "written"
    store = open_store(any_home)
    assert store.count() == 60
    assert {store.credentials(i.name, ())["token"] for i in store.list()} == {
        i.name.replace(" ", "-") for i in store.list()
    }
    assert len(FileKeys(any_home.key_file).load().keys) == 1


def test_a_process_that_opens_the_home_again_keeps_its_database_from_another_that_closes_it(home, open_store, add_shop):
    """A served host opens the store for every form beside the one it has; commands come and go meanwhile."""
    store = open_store(home)
    add_shop(store)
    open_store(home).close()
    log = home.path / "instances.db-wal"
    before = log.stat().st_ino
    command = [sys.executable, "-m", "connector_host", "--home", str(home.path), "instance", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Shop" in done.stdout
    assert log.exists()
    assert log.stat().st_ino == before
    add_shop(store, "Later")
    assert "Later" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
