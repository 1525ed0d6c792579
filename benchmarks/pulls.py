"""Pulls to JSON Lines, beside the least code that does the job and beside Airbyte's source, from one local server."""

import datetime
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from .environments import Unavailable, python_with
from .measure import Cost, ratio_line, run_python
from .options import Options
from .pull_server import DAYS

__all__ = ["main"]

STREAMS: Final = ("stock_items", "processed_orders", "processed_order_details")
PEER: Final = "airbyte-source-linnworks==0.1.66"
_HERE = Path(__file__).resolve().parent
_UUID = "00000000-0000-4000-8000-00000000000b"
_CREDENTIALS = {"scope": "all", "token": _UUID, "application_id": _UUID, "application_secret": _UUID}
_IN_PYTHON = """
import asyncio, json, sys
from pathlib import Path
from connector_host import connect_async

async def main(address, connector, folder, credentials, *streams):
    given = {"credentials": json.loads(credentials), "settings": {"api_address": address}, "folders": [Path(connector)]}
    async with connect_async("linnworks", **given) as shop:
        for stream in streams:
            with open(f"{folder}/{stream}.jsonl", "wb") as file:
                async for page in shop.pages(stream):
                    file.write(page.lines())

asyncio.run(main(*sys.argv[1:]))
"""
_NO_LIMIT = "rate_limit: {amount: 1000000, unit: second}"
_WAYS = {"python": "in Python", "ours": "by command"}
_CPU, _WALL, _PEER, _MB, _GROWTH = 0.85, 0.7, 5, 90, 1.1
_PLACE = re.compile(rb"00000000-0000-4000-8000-(\d{12})")
Candidate = Callable[[Path], Cost]


def main(options: Options) -> None:
    """Print the ratios of CPU time, wall time and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            base = _beside(bench, options)
        except Unavailable as why:
            print(f"  The pulls are left out, as the least code has no environment: {why}")
            return
        sizes = [options.records * 10, *([1_000_000] if options.large else [])]
        _growth(bench, base, options.records, sizes)


def _beside(bench: "Bench", options: Options) -> dict[str, Cost]:
    """Compare with the others at one size; return what ours cost, by way and stream."""
    print(f"Pulls of {options.records:,} records each to JSON Lines, whole processes, best of {options.rounds}")
    with bench.server(options.records) as address:
        candidates: dict[str, Candidate] = {}
        for job in (*((stream,) for stream in STREAMS), STREAMS):
            candidates[f"ours {len(job)} {job[0]}"] = bench.ours(address, job)
            candidates[f"python {len(job)} {job[0]}"] = bench.in_python(address, job)
            candidates[f"least {len(job)} {job[0]}"] = bench.least(address, job)
        costs = bench.best_of(options.rounds, candidates, options.records)
        answering = _server_cpu(address) / options.rounds / sum(cost.wall for cost in costs.values())
        peer = _peer(bench, address, options.records)
    for name in (*STREAMS, "all three"):
        key = f"1 {name}" if name in STREAMS else f"3 {STREAMS[0]}"
        ours, least, python = costs[f"ours {key}"], costs[f"least {key}"], costs[f"python {key}"]
        print(f" {name}: {_facts('in Python', python)}; {_facts('command', ours)}; {_facts('least code', least)}")
        cpu, wall = (None, None) if name in STREAMS else (_CPU, _WALL)
        print(ratio_line("CPU in Python / least code", python.cpu / least.cpu, cpu))
        print(ratio_line("wall time in Python / least code", python.wall / least.wall, wall))
        print(ratio_line("CPU of the command, which keeps state and keys / least code", ours.cpu / least.cpu))
        print(ratio_line("wall time of the command / least code", ours.wall / least.wall))
        print(ratio_line(f"peak memory in Python / {_MB} MB", python.peak / _MB, 1.0))
        print(ratio_line(f"peak memory of the command / {_MB} MB", ours.peak / _MB, 1.0))
        if name in peer:
            airbyte = peer[name].cpu
            print(ratio_line(f"CPU of Airbyte ({airbyte:.1f} s) / in Python", airbyte / python.cpu, _PEER, least=True))
            print(ratio_line("CPU of Airbyte / the command", airbyte / ours.cpu, _PEER, least=True))
    print(ratio_line("CPU of the server / wall time of all it served", answering, 0.5))
    return {name: costs[name] for stream in STREAMS for name in (f"python 1 {stream}", f"ours 1 {stream}")}


def _peer(bench: "Bench", address: str, records: int) -> dict[str, Cost]:
    """Run the public source once: it is far from the limit, and slow."""
    try:
        python = python_with("airbyte", PEER)
    except Unavailable as why:
        print(f"  {PEER} is left out: {why}")
        return {}
    return bench.best_of(1, {stream: bench.airbyte(python, address, stream) for stream in STREAMS}, records)


def _growth(bench: "Bench", base: Mapping[str, Cost], records: int, sizes: list[int]) -> None:
    """Print what a record costs at larger sizes, against the first."""
    for size in sizes:
        print(f"Cost of a record at {size:,} records of each stream / at {records:,}")
        with bench.server(size) as address:
            for stream in STREAMS:
                ways = {"python": bench.in_python(address, (stream,)), "ours": bench.ours(address, (stream,))}
                for way, cost in bench.best_of(1, ways, size).items():
                    before = base[f"{way} 1 {stream}"]
                    each, peak = (cost.cpu / size) / (before.cpu / records), cost.peak / before.peak
                    name = f"{stream} {_WAYS[way]}"
                    print(ratio_line(f"{name}: CPU", each, 1.0 if records < size else None))
                    print(ratio_line(f"{name}: peak memory ({cost.peak:.0f} MB)", peak, _GROWTH))


def _server_cpu(address: str) -> float:
    with urllib.request.urlopen(f"{address}/cpu") as answer:  # noqa: S310 -- the address is our own server's
        return float(answer.read())


def _facts(what: str, cost: Cost) -> str:
    return f"{what} {cost.cpu:.2f} s CPU, {cost.wall:.2f} s, {cost.peak:.0f} MB"


class Bench:
    """Runs candidates, each into an empty folder, and looks whether every record came out once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._home = folder / "home"
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
        self._window = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (until - datetime.timedelta(days=DAYS + 5), until)]
        self._connector = without_quota(folder / "connector")
        self._command = ("-m", "connector_host", "--home", str(self._home), "--folder", str(self._connector))

    @contextmanager
    def server(self, records: int) -> Iterator[str]:
        """Serve so many records of each stream at the address that is given, and have an instance for it."""
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pull_server", "--records", str(records)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_HERE.parent,
        ) as process:
            if process.stdin is None or process.stdout is None:  # pragma: no cover -- both were asked for
                raise AssertionError("no pipes")
            address = process.stdout.readline().decode().strip()
            self._make_instance(address)
            yield address
            process.stdin.close()

    def _make_instance(self, address: str) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        values = {"name": "bench", "settings": {"api_address": address}, "credentials": _CREDENTIALS}
        file = self._folder / "values.json"
        file.write_text(json.dumps(values))
        run_python([*self._command, "instance", "add", "linnworks", "--untested", "--values", str(file)])
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:  # so that its modules are compiled
            run_python([*self._command, "pull", "bench", STREAMS[-1], "--limit", "1", "--to", folder])

    def ours(self, address: str, streams: Sequence[str]) -> Candidate:
        """Return a run of our command."""
        del address
        return lambda folder: run_python([*self._command, "pull", "bench", *streams, "--to", str(folder)])

    def in_python(self, address: str, streams: Sequence[str]) -> Candidate:
        """Return a run of the same from Python, in an environment with nothing but what a program needs."""
        python = python_with("ours", *_base_requirements())
        code = {"PYTHONPATH": str(_HERE.parent / "host")}
        return lambda folder: run_python(
            ["-c", _IN_PYTHON, address, str(self._connector), str(folder), json.dumps(_CREDENTIALS), *streams],
            python=python,
            env=code,
        )

    def least(self, address: str, streams: Sequence[str]) -> Candidate:
        """Return a run of the least code."""
        python = python_with("least", *(f"{each}=={version(each)}" for each in ("httpx",)), "orjson==3.13.0")
        script = str(_HERE / "least_code.py")
        return lambda folder: run_python([script, address, *self._window, str(folder), *streams], python=python)

    def airbyte(self, python: str, address: str, stream: str) -> Candidate:
        """Return a run of the public source; its messages hold the records."""
        given = [str(_HERE / "airbyte_peer.py"), address, stream, self._window[0]]
        return lambda folder: run_python([*given, str(folder)], python=python, into=folder / f"{stream}.jsonl")

    def best_of(self, rounds: int, candidates: Mapping[str, Candidate], records: int) -> dict[str, Cost]:
        """Run the candidates in turns; return the best CPU and wall time of each, and its highest peak.

        Raises RuntimeError when records are missing or come twice.
        """
        costs: dict[str, list[Cost]] = {name: [] for name in candidates}
        for number in range(rounds):
            for name, candidate in candidates.items():
                with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                    costs[name].append(candidate(Path(folder)))
                    if not number:
                        _check(name, Path(folder), records)
        return {
            name: Cost(
                wall=min(cost.wall for cost in found),
                cpu=min(cost.cpu for cost in found),
                peak=max(cost.peak for cost in found),
            )
            for name, found in costs.items()
        }


def without_quota(target: Path) -> Path:
    """Copy the connector into a folder, with everything but its limits."""
    root = _HERE.parent
    shutil.copytree(
        root / "linnworks_connector", target / "linnworks_connector", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(root / "schemas", target / "schemas")
    shutil.copy(root / "pyproject.toml", target)
    manifest = (root / "connector.yaml").read_text("utf-8")
    (target / "connector.yaml").write_text(re.sub(r"(?m)^rate_limit: .*$", _NO_LIMIT, manifest), "utf-8")
    for document in (target / "schemas" / "operations").glob("*.json"):
        document.write_text(re.sub(r'"x-rate-limit": \{[^}]*\},', "", document.read_text("utf-8")), "utf-8")
    return target


def _base_requirements() -> list[str]:
    """Return what the two distributions need without extras, in the versions that are installed here."""
    found: set[str] = set()
    for file in (_HERE.parent / "pyproject.toml", _HERE.parent / "host" / "pyproject.toml"):
        wanted = tomllib.loads(file.read_text("utf-8"))["project"]["dependencies"]
        found |= {re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in wanted}
    return [f"{each}=={version(each)}" for each in sorted(found - {"connector-host"})]


def _check(name: str, folder: Path, records: int) -> None:
    """See that every record of each file came once, by its place in its first id. Raises RuntimeError."""
    for path in folder.glob("*.jsonl"):
        found = bytearray(records)
        with path.open("rb") as file:
            for line in file:
                if (place := _PLACE.search(line)) is not None:
                    found[int(place[1])] += 1
        if found.count(1) != records:
            raise RuntimeError(f"{name}: {records - found.count(1):,} records of {path.stem} did not come exactly once")
