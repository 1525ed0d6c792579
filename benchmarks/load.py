"""Fifty people browsing and twenty runs at once on the embedded host, over loopback."""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from connector_host.connectors import load_connector
from connector_host.contract.sandbox import RunningSandbox
from connector_host.instances import Home, InstanceState, InstanceStore, TokenStore

from .measure import ratio_line
from .options import Options

__all__ = ["main"]

_PEOPLE, _RUNS = 50, 20
_PAGES = ("/instances", "/connectors", "/runs", "/connectors/linnworks")
_NOTHING = "/health"
_STREAM = "processed_orders"
_THINKING_SECONDS = 0.5
"""Between two clicks of one person; without it the figure would be of fifty machines."""


@dataclass
class _Seen:
    """Seconds of each request by address, and what went wrong."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def p95(self, *addresses: str) -> float:
        """Return the 95th percentile of the requests to these addresses."""
        return statistics.quantiles([each for address in addresses for each in self.times[address]], n=20)[-1]


def main(options: Options) -> None:
    """Print the ratio of the pages' p95 to that of a page that does nothing, and the number of errors."""
    print(f"{_PEOPLE} people browsing and {_RUNS} runs at once on the embedded host:")
    sandbox = load_connector("linnworks").sandbox().start({"orders": 2000, "items": 200})
    try:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder)).create()
            token = _prepare(home, sandbox)
            with _serving(home) as (address, sign_in_token):
                seen, states = asyncio.run(_load(address, sign_in_token, token, clicks=4 * options.rounds))
    finally:
        sandbox.close()
    print(ratio_line("p95 of the pages to p95 of a page that does nothing", seen.p95(*_PAGES) / seen.p95(_NOTHING)))
    print(ratio_line("errors", len(seen.errors), 0))
    print(ratio_line("runs that succeeded, of those begun", states.count("success") / _RUNS, 1, least=True))
    for error in sorted(set(seen.errors))[:5]:
        print(f"    {error}")


def _prepare(home: Home, sandbox: RunningSandbox) -> str:
    """Add the instances, and return a token of the API."""
    manifest = load_connector("linnworks").manifest
    with InstanceStore.open(home) as store:
        for number in range(_RUNS):
            store.add(
                f"Shop {number}",
                connector=manifest.name,
                connector_version=manifest.version,
                authentication=manifest.method().name,
                settings=sandbox.settings,
                credentials=sandbox.credentials,
                state=InstanceState.OK,
            )
        return TokenStore(store.database).add("load")[1]


@contextlib.contextmanager
def _serving(home: Home) -> Iterator[tuple[str, str]]:
    """Run the embedded host as a process; give its address and its sign-in token."""
    program = "from connector_host.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", program, "--home", str(home.path), "serve", "--port", "0"],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        told = [process.stdout.readline().split() for _ in range(2)] if process.stdout else []
        yield told[0][1].rstrip("/"), told[1][1]
    finally:
        process.terminate()
        process.wait()


async def _load(address: str, sign_in_token: str, token: str, *, clicks: int) -> tuple[_Seen, list[str]]:
    seen = _Seen()
    limits = httpx.Limits(max_connections=_PEOPLE + _RUNS)
    transport = httpx.AsyncHTTPTransport(retries=20, limits=limits)
    async with httpx.AsyncClient(base_url=address, transport=transport, trust_env=False, timeout=60) as browser:
        form = await browser.get("/sign-in")
        fields = {"secret": sign_in_token, "_csrf": form.cookies["connector_host_sign_in"], "next": "/"}
        await browser.post("/sign-in", data=fields, headers={"Origin": address})
        api = {"Authorization": f"Bearer {token}"}
        begun = await asyncio.gather(*(_begin(browser, api, number, seen) for number in range(_RUNS)))
        await asyncio.gather(*(_person(browser, number, clicks, seen) for number in range(_PEOPLE)))
        states = [await _ended(browser, api, run) for run in begun if run]
    return seen, states


async def _begin(browser: httpx.AsyncClient, api: Mapping[str, str], number: int, seen: _Seen) -> str:
    answer = await browser.post(
        "/api/v1/runs",
        json={"instance": f"Shop {number}", "what": _STREAM, "parameters": {"since": "365d"}},
        headers=api,
    )
    if answer.status_code != httpx.codes.CREATED:
        seen.errors.append(f"run: {answer.status_code} {answer.text[:200]}")
        return ""
    return str(answer.json()["id"])


async def _person(browser: httpx.AsyncClient, number: int, clicks: int, seen: _Seen) -> None:
    """Click through the pages, and through the one that does nothing as often."""
    await asyncio.sleep(_THINKING_SECONDS * number / _PEOPLE)
    for click in range(clicks):
        for address in (_PAGES[(number + click) % len(_PAGES)], _NOTHING):
            started = time.perf_counter()
            answer = await browser.get(address)
            seen.times.setdefault(address, []).append(time.perf_counter() - started)
            if answer.status_code != httpx.codes.OK:
                seen.errors.append(f"{address}: {answer.status_code}")
        await asyncio.sleep(_THINKING_SECONDS)


async def _ended(browser: httpx.AsyncClient, api: Mapping[str, str], run: str) -> str:
    """Follow a run to its end."""
    async with browser.stream("GET", f"/api/v1/runs/{run}/stream", headers=api) as events:
        async for _ in events.aiter_lines():
            pass
    return str((await browser.get(f"/api/v1/runs/{run}", headers=api)).json()["state"])
