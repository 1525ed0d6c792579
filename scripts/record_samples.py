"""Writes a sample record of each stream, pulled from a sandbox whose clock stands still.

Run `python -m scripts.record_samples [STREAM …]` after a stream or what the sandbox answers has changed. A list in a
sample is cut to its first element.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from connector_host.connectors import load_connector
from connector_host.embedding import connect
from connector_host.testing.clock import FakeClock
from linnworks_connector.sandbox.clock import ManualClock
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.server import start_sandbox

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "schemas" / "samples"


def sample_of(records: list[Any]) -> Any:
    """Return the record that has most in it, with every list cut to one element."""
    return _cut(max(records, key=_fields))


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(each) for each in value[:1]]
    return {name: _cut(each) for name, each in value.items()} if isinstance(value, dict) else value


def _fields(value: Any) -> int:
    """Count the fields that a sample would show."""
    if isinstance(value, dict):
        return sum(1 + _fields(each) for each in value.values())
    return _fields(value[0]) if isinstance(value, list) and value else 0


def main(names: list[str]) -> int:
    """Write the samples of the named streams, or of all."""
    clock = ManualClock()
    options = SandboxOptions(orders=400, items=120, quota=False, clock=clock)
    connector = load_connector("linnworks")
    SAMPLES.mkdir(exist_ok=True)
    with start_sandbox(options) as sandbox:
        virtual = FakeClock(clock.now().timestamp())
        with connect(
            connector, credentials=sandbox.credentials, settings=sandbox.settings, clock=virtual
        ) as connection:
            for stream in connector.manifest.streams:
                if names and stream.name not in names:
                    continue
                text = msgspec.json.format(msgspec.json.encode(sample_of(list(connection.pull(stream.name)))), indent=1)
                (SAMPLES / f"{stream.name}.json").write_bytes(text + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
