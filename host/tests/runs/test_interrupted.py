import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connector_host.contract.errors import InUse
from connector_host.instances import Lease
from connector_host.instances.home import DATABASE_VARIABLE
from connector_host.runs import EventKind, RunKind, Runner, RunState, RunStore
from connector_host.runs.run import DELIVERED
from connector_host.testing.clock import FakeClock

from .conftest import Gate, change

PROCESS = Path(__file__).with_name("process.py")


@pytest.fixture
def place(any_home):
    return any_home


@pytest.fixture
def start_host(place, plain_folder):
    """Start a host as a process of its own that runs a stream."""
    started = []

    def start(instance="Shop"):
        process = subprocess.Popen(
            [sys.executable, str(PROCESS), str(place.path), str(plain_folder), instance],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, DATABASE_VARIABLE: place.database_override or ""},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def test_the_runs_of_a_killed_host_are_interrupted_at_the_next_start_and_can_be_resumed(
    start_host, vendor, add_shop, place, plain_folder
):
    running = vendor(slow=True, things=400)
    add_shop(running)
    process = start_host()
    run_id = process.stdout.readline().strip()
    async with Runner(place, [plain_folder]) as runner:
        assert runner.store.get(run_id).state is RunState.STARTED
        with pytest.raises(InUse):
            await runner.start("Shop", RunKind.STREAM, "things")
        process.send_signal(signal.SIGKILL)
        process.wait()
    running.options["slow"] = False
    async with Runner(place, [plain_folder]) as runner:
        left = runner.store.get(run_id)
        assert (left.state, left.finished_at is None) == (RunState.INTERRUPTED, False)
        assert "killed" in left.message
        assert runner.store.events(run_id)[-1].data["state"] == "interrupted"
        resumed = await runner.resume(run_id)
        ended = await runner.wait(resumed.id)
        assert (ended.state, ended.attempt) == (RunState.SUCCESS, 2)
        records = (runner.folder_of(run_id) / "things.jsonl").read_text().splitlines()
        assert len({json.loads(record)["id"] for record in records}) == len(records) == 360


async def test_kills_during_incremental_runs_lose_no_record(start_host, vendor, add_shop, place, plain_folder):
    running = vendor(things=60)
    add_shop(running)
    for generation, pages in enumerate((4, 0, 3, 5)):
        for number in range(2 + generation, 60, 7):
            change(running, f"t{number}", f"version {generation}")
        running.pause, running.options["slow"] = Gate(pages), True
        process = start_host()
        assert running.pause.held.wait(30)
        process.kill()
        process.wait()
        running.options["slow"] = False
        running.pause.set()
        change(running, "t1", f"version {generation}")
        if pages == 3:
            await ended(place, plain_folder)
    await ended(place, plain_folder)
    async with Runner(place, [plain_folder]) as runner:
        runs = sorted(runner.store.list(), key=lambda run: run.started_at)
        states = [run.state for run in runs]
        everything = last_versions(runner, runs)
        delivered = last_versions(runner, [run for run in runs if run.state in DELIVERED])
    assert states == [RunState.INTERRUPTED] * 3 + [RunState.SUCCESS, RunState.INTERRUPTED, RunState.SUCCESS]
    there = {key: each for key, each in running.things.items() if not each["archived"]}
    assert everything == delivered == there


async def ended(place, plain_folder):
    async with Runner(place, [plain_folder]) as runner:
        run = await runner.start("Shop", RunKind.STREAM, "things")
        assert (await runner.wait(run.id)).state is RunState.SUCCESS


def last_versions(runner, runs):
    """The last version of each record in the files of runs; what a kill left behind the last line is cut off."""
    found = {}
    for run in runs:
        for file in run.files:
            content = (runner.folder_of(run.id) / file.name).read_text()
            for line in content.splitlines(keepends=True):
                if line.endswith("\n"):
                    record = json.loads(line)
                    found[record["id"]] = record
    return found


async def test_a_run_of_another_machine_is_interrupted_when_its_lease_is_over(
    place, plain_folder, vendor, add_shop, store
):
    shop = add_shop(vendor())
    clock = FakeClock(auto=False)
    elsewhere = RunStore(store.database, clock=clock)
    run = elsewhere.add(shop, RunKind.STREAM, "things", {})
    lease = Lease(store.database, f"run:{shop.id}:things", clock=clock, longest_hold=None)
    assert lease._take("another machine", None)
    async with Runner(place, [plain_folder], clock=clock) as runner:
        assert runner.store.get(run.id).state is RunState.STARTED
        clock.advance(29)
        assert runner.mark_interrupted() == ()
        clock.advance(600)
        assert [each.id for each in runner.mark_interrupted()] == [run.id]
        again = await runner.start("Shop", RunKind.STREAM, "colours")
        assert (await runner.wait(again.id)).state is RunState.SUCCESS


def test_a_run_that_ended_by_itself_is_not_marked(runs, add_shop, vendor):
    run = runs.add(add_shop(vendor()), RunKind.STREAM, "things", {})
    runs.finish(run.id, RunState.SUCCESS)
    assert not runs.mark_interrupted(run.id, message="", next_step="")
    assert runs.get(run.id).state is RunState.SUCCESS
    assert [event.kind for event in runs.events(run.id)] == [EventKind.STATE, EventKind.STATE]
