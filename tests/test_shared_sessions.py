"""Processes of one home share the sessions of an instance: ten runs do not sign in ten times."""

import json
import os
import subprocess
import sys

import pytest

from linnworks_connector.sandbox.clock import SystemClock

PROCESSES = 5
COMMAND = [sys.executable, "-m", "connector_host"]


@pytest.fixture
def shop(sandbox, tmp_path):
    """A sandbox, and an instance of it saved by the command."""
    running = sandbox(clock=SystemClock())
    env = {**os.environ, "CONNECTOR_HOST_HOME": str(tmp_path / "home")}
    values = {"name": "shop", "settings": running.settings, "credentials": running.credentials}
    added = subprocess.run(
        [*COMMAND, "instance", "add", "linnworks", "--values", "-"],
        input=json.dumps(values),
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert added.returncode == 0, added.stderr
    return running, env


def call_at_once(env):
    calls = [
        subprocess.Popen(
            [*COMMAND, "call", "shop", "inventory.GetStockLocations"], env=env, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in calls]
    assert {process.returncode for process in calls} == {0}
    return answers


def test_processes_share_one_sign_in_and_survive_a_dead_session(shop):
    running, env = shop
    before = running.control.sign_ins
    answers = call_at_once(env)
    assert all(answer == answers[0] for answer in answers)
    assert running.control.sign_ins == before + 1
    running.control.expire_sessions()
    call_at_once(env)
    assert running.control.sign_ins == before + 2
