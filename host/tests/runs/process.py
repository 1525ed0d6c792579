"""A host of its own, for tests that kill one: it begins a run, says so, and works until it is killed.

It makes a checkpoint after every page, so that there are many to be killed between.
"""

import asyncio
import os
import sys
from pathlib import Path

from connector_host.engine import sync
from connector_host.engine.checkpoints import Cadence
from connector_host.instances import Home
from connector_host.instances.home import DATABASE_VARIABLE
from connector_host.runs import EventKind, RunKind, Runner


async def main(home, folder, instance):
    database = os.environ.get(DATABASE_VARIABLE) or None
    async with Runner(Home(Path(home), database), [Path(folder)]) as runner:
        run = await runner.start(instance, RunKind.STREAM, "things")
        async for _ in runner.store.follow(run.id, kinds=[EventKind.PROGRESS]):
            print(run.id, flush=True)  # noqa: T201 -- how the test hears of it
            break
        await runner.wait(run.id)


sync.Cadence = lambda: Cadence(records=1)
asyncio.run(main(*sys.argv[1:]))
