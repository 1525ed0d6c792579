"""A process that pulls, for tests that kill it: it loads everything once and forks a child for each pull.

Reads one JSON object per line: what to pull, and after how many steps on the way to a safe file the child kills itself
(0: never). Answers with the child's process id, and when it has ended with how.
"""

import asyncio
import json
import os
import pathlib
import signal
import sys
import time
import traceback

from connector_host.embedding import connect_async
from connector_host.engine import RetryLimits
from connector_host.engine.checkpoints import Cadence
from connector_host.engine.dead_letters import DeadLetterFile
from connector_host.engine.keys import KeyStore
from connector_host.engine.sinks import sink_for
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync


class Skewed:
    """The machine's clock, so many seconds fast."""

    def __init__(self, seconds):
        self._seconds = seconds

    def time(self):
        return time.time() + self._seconds

    def monotonic(self):
        return time.monotonic()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


def set_tripwire(steps):
    """Kill this process at the given step of those that make records safe: before it, or half-way through a write."""
    left = steps

    def step():
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(holder, name):
        original = getattr(holder, name)

        def stepping(*args, **kwargs):
            step()
            result = original(*args, **kwargs)
            step()
            return result

        setattr(holder, name, stepping)

    before(os, "fsync")
    before(pathlib.Path, "replace")
    before(KeyStore, "commit")
    before(KeyStore, "put")
    before(Sync, "_take")


async def pull(order):
    limits = RetryLimits(attempts=8, total=20.0, first_pause=0.002, longest_pause=0.01)
    folder = pathlib.Path(order["folder"])
    clock = Skewed(order["skew"])
    ended = []
    async with connect_async(
        "linnworks", credentials=order["credentials"], settings=order["settings"], limits=limits, clock=clock
    ) as connection:
        for stream in order["streams"]:
            (folder / "begun").write_text(stream)
            sync = Sync(
                connection,
                stream,
                sink=sink_for(folder, stream, order["format"], {}),
                state=FolderState(folder / ".state", stream),
                dead_letters=DeadLetterFile(folder / f"{stream}.dead.jsonl"),
                cadence=Cadence(records=30, seconds=0.01),
            )
            report = await sync.run()
            ended.append([str(report.state), report.finished, report.resumed, report.error and report.error.message])
    return ended


def main():
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_in_child(order))
        _say(child)
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))


def _in_child(order):
    if order["steps"]:
        set_tripwire(order["steps"])
    try:
        ended = asyncio.run(pull(order))
        (pathlib.Path(order["folder"]) / "ended.json").write_text(json.dumps(ended))
    except BaseException:  # noqa: BLE001 -- a forked child must not run the parent's code
        traceback.print_exc()
        return 1
    return 0


def _say(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
