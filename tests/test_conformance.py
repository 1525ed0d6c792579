"""The host's conformance suite over every stream, against the sandbox."""

from pathlib import Path

from ruamel.yaml import YAML

from connector_host.testing.conformance import conformance
from linnworks_connector.sandbox.clock import ManualClock
from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.server import start_sandbox

_RARE = YAML(typ="safe").load(Path(__file__).with_name("rare_fields.yaml"))

TestStreams = conformance(
    "linnworks",
    start=lambda: start_sandbox(SandboxOptions(orders=60, items=60, quota=False, clock=ManualClock())),
    rare={
        stream: {field: group["reason"] for group in groups for field in group["fields"]}
        for stream, groups in _RARE.items()
    },
)
