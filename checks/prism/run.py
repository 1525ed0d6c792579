"""Send generated inputs of every operation to Prism, a mock that runs over the vendor's own files.

An input is made from the catalogue, checked and laid out by the host as a real call is, and judged by Prism against the
vendor's file. Exit codes: 0 every request is valid, 1 some are not, 2 the check could not run.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from inputs import inputs

from connector_host.contract.catalogue import Catalogue, Operation
from connector_host.contract.errors import InputInvalid
from connector_host.contract.inputs import PreparedRequest, check_input, prepare_request
from connector_host.contract.manifest import BodyFormat

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PRISM = HERE / "node_modules" / ".bin" / "prism"
FILE_OF_AREA = {"warehousetransfer-v1": "warehousetransfer-new"}
START_SECONDS = 60


@dataclass
class Tally:
    """What came of it: requests sent, and reasons by operation."""

    sent: int = 0
    failures: dict[str, Counter[str]] = field(default_factory=dict)
    not_noticed: list[str] = field(default_factory=list)
    caught: int = 0

    def fail(self, operation: Operation, reason: str) -> None:
        """Count a request that is not valid."""
        self.failures.setdefault(operation.id, Counter())[reason] += 1


class Prism:
    """A running mock of one vendor file."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def judge(self, request: PreparedRequest) -> str | None:
        """Return why the vendor's file does not allow a request, or None where it does."""
        headers = {"Authorization": "00000000-0000-0000-0000-000000000000"}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        answer = self._client.request(
            request.operation.method.value, request.target, content=request.content, headers=headers
        )
        if answer.is_success:
            return None
        found = json.loads(answer.headers.get("sl-violations", "[]"))
        if not found:
            return f"{answer.status_code} {answer.text}"
        # An answer that Prism made up itself and then found wanting says nothing about the request.
        return "; ".join(_sentence(each) for each in found if each["location"][0] == "request") or None


def _sentence(violation: dict[str, Any]) -> str:
    return f"{'.'.join(map(str, violation['location']))}: {violation['message']}"


@contextmanager
def prism_over(file: Path) -> Iterator[Prism]:
    """Run Prism over a vendor file on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        tempfile.TemporaryDirectory() as folder,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        log = Path(folder) / "prism.log"
        command = [str(PRISM), "mock", "--errors", "--host", "127.0.0.1", "--port", str(port), str(file)]
        with log.open("wb") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(process, client, log)
            yield Prism(client)
        finally:
            process.terminate()
            process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"Prism did not start:\n{log.read_text(encoding='utf-8')}")


def check_operation(prism: Prism, operation: Operation, tally: Tally, *, seed: str, random_ones: int) -> None:
    """Send the inputs of one operation, then one that is wrong on purpose, which Prism has to refuse."""
    done = set()
    for value in inputs(operation.input_schema, f"{seed}/{operation.id}", random_ones=random_ones):
        try:
            # JSON is what the vendor states for every body, also where clients found that a form is needed.
            request = prepare_request(operation, check_input(operation, value), encoding=BodyFormat.JSON)
        except InputInvalid as error:
            tally.fail(operation, f"the connector refuses it: {'; '.join(str(problem) for problem in error.problems)}")
            continue
        if (request.target, request.content) in done:
            continue
        done.add((request.target, request.content))
        tally.sent += 1
        reason = prism.judge(request)
        if reason:
            tally.fail(operation, reason)
    spoilt = _spoilt(operation, value)
    if spoilt is None:
        return
    if prism.judge(prepare_request(operation, spoilt, encoding=BodyFormat.JSON)) is None:
        tally.not_noticed.append(operation.id)
    else:
        tally.caught += 1


def _spoilt(operation: Operation, value: dict[str, Any]) -> dict[str, Any] | None:
    """The input with a list in place of a body field that takes one simple value; None where there is no such field."""
    if not operation.body_fields_at_top:
        return None
    fields = operation.resolved(operation.body or {}).get("properties", {})
    for name, schema in fields.items():
        if operation.resolved(schema).get("type") in ("string", "integer", "number", "boolean"):
            return {**value, name: [{}]}
    return None


def main() -> int:
    """Run the check and print what came of it."""
    parser = argparse.ArgumentParser(description="Check generated requests of every operation with Prism.")
    beside = REPOSITORY.parent / "shared" / "linnworks-openapi"
    parser.add_argument("vendor", type=Path, nargs="?", default=Path(os.environ.get("LINNWORKS_OPENAPI", beside)))
    parser.add_argument("--area", help="only this area")
    parser.add_argument("--seed", default="1", help="inputs are the same for the same seed (default 1)")
    parser.add_argument("--random", type=int, default=6, help="random inputs per operation (default 6)")
    options = parser.parse_args()
    if not PRISM.exists():
        print("Prism is not installed; run npm install in checks/prism.", file=sys.stderr)
        return 2
    files = {path.stem: path for path in options.vendor.rglob("*.json")}
    catalogue = Catalogue(sorted((REPOSITORY / "schemas" / "operations").glob("*.json")))
    tally, operations_seen = Tally(), 0
    for area in [options.area] if options.area else catalogue.areas:
        file = files.get(FILE_OF_AREA.get(area, area))
        if file is None:
            print(f"No vendor file for the area {area} in {options.vendor}.", file=sys.stderr)
            return 2
        operations = catalogue.search(area=area)
        operations_seen += len(operations)
        before = tally.sent
        with prism_over(file) as prism:
            for operation in operations:
                check_operation(prism, operation, tally, seed=options.seed, random_ones=options.random)
        failed = sum(1 for operation in operations if operation.id in tally.failures)
        print(
            f"{area:24} {len(operations):4} operations {tally.sent - before:6} requests {failed:4} not valid",
            flush=True,
        )
    return _report(tally, operations_seen)


def _report(tally: Tally, operations: int) -> int:
    for identifier, reasons in sorted(tally.failures.items()):
        for reason, count in reasons.most_common(3):
            print(f"{identifier}: {count} x {reason[:400]}")
    print(f"Wrong on purpose: {tally.caught} refused by Prism, {len(tally.not_noticed)} not noticed")
    for identifier in tally.not_noticed:
        print(f"{identifier}: a request that is wrong on purpose was not refused")
    valid = operations - len(tally.failures)
    print(f"{tally.sent} requests; {valid} of {operations} operations had only valid ones.")
    return 1 if tally.failures or tally.not_noticed else 0


if __name__ == "__main__":
    sys.exit(main())
