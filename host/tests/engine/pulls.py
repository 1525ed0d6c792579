"""Pulls of a vendor's things into a folder, and what they leave there."""

import json

from connector_host.engine.checkpoints import Cadence
from connector_host.engine.dead_letters import DeadLetterFile
from connector_host.engine.sinks import sink_for
from connector_host.engine.state import FolderState
from connector_host.engine.sync import Sync


def sync_of(shop, folder, **more):
    """Return a pull of the things into the folder, with a checkpoint behind every record."""
    return Sync(
        shop,
        "things",
        sink=sink_for(folder, "things", "jsonl", {}),
        state=FolderState(folder / ".state", "things"),
        dead_letters=DeadLetterFile(folder / "things.dead.jsonl"),
        cadence=Cadence(records=1),
        **more,
    )


def records(folder):
    return lines_of(folder / "things.jsonl")


def dead_letters(folder):
    return lines_of(folder / "things.dead.jsonl")


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def adds_up(report):
    counts = report.counts
    return counts.read == counts.written + counts.dead + counts.duplicates + counts.filtered + counts.unchanged
