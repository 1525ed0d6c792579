"""Pulls that are killed at random over a shop that changes and fails: what came out is what there was, once."""

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from linnworks_connector.sandbox.options import SandboxOptions
from linnworks_connector.sandbox.server import start_sandbox

KILLS = int(os.environ.get("CRASH_KILLS", "40"))
FAULTS = (
    "*:503:probability=0.03",
    "*:reset:probability=0.03",
    "*:truncated:probability=0.03",
    "*:401:probability=0.02",
    "*:429:retry_after=0:probability=0.02",
    "*:html:probability=0.01",
)
KEYS = {
    "orders": "OrderId",
    "processed_orders": "pkOrderID",
    "processed_order_details": "OrderId",
    "open_orders": "OrderId",
    "stock_items": "StockItemId",
}
STOCK = {"InOrderBook", "AvailableStock", "Level", "BinRacks", "StockLevelIndicator"}
CHANGES = ("open_orders", "stock_items")
STEPS_OF_A_BLOCK = range(3, 24, 5)
"""At what a pull is killed that has one block to write and to make safe."""


class Worker:
    """The process that forks the pulls."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def pull(self, order, kill_after=None):
        """Pull, and kill it after so many seconds; return how it ended."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        timer = threading.Timer(kill_after, _kill, [child]) if kill_after is not None else None
        if timer:
            timer.start()
        code = int(self._process.stdout.readline())
        if timer:
            timer.cancel()
        return code

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


def _kill(child):
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


@pytest.fixture(scope="module")
def worker():
    made = Worker()
    yield made
    made.close()


@pytest.fixture
def shop():
    """A live shop, in which something happens all the time."""
    options = SandboxOptions(
        orders=1200, items=300, live=True, live_rate=1500.0, quota=False, faults=FAULTS, session_idle=1.0, seed=11
    )
    with start_sandbox(options) as running:
        yield running


def lines_of(folder, stream, file_format):
    content = (folder / f"{stream}.{file_format}").read_bytes()
    content = gzip.decompress(content) if file_format.endswith("gz") else content
    assert not content or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def replayed(records, key):
    """Return what a reader of the changes has in the end; every change must fit what was there before."""
    there = {}
    for record in records:
        change = record.pop("_change")
        if change == "created":
            assert record[key] not in there
            there[record[key]] = record
        elif change == "updated":
            assert there[record[key]] != record
            there[record[key]] = record
        else:
            assert record == {key: record[key]}
            del there[record[key]]
    return there


def latest(records, key):
    """Return the last version of each record; none may stand there twice, and none come again after a later one.

    The stock in an order may be again what it was before, without the order being what it was.
    """
    there, versions = {}, {}
    for record in records:
        assert there.get(record[key]) != record, "a record was written twice"
        there[record[key]] = record
        known = versions.setdefault(record[key], [])
        version = json.dumps(undated(record), sort_keys=True)
        if version not in known[-1:]:
            assert version not in known, "an earlier version was written after a later one"
            known.append(version)
    return there


@pytest.mark.parametrize(("seed", "file_format", "orders_api"), [(1, "jsonl", "auto"), (2, "jsonl.gz", "classic")])
def test_whatever_is_killed_nothing_is_lost_and_nothing_comes_twice(
    worker, shop, tmp_path, *, seed, file_format, orders_api
):
    draw = random.Random(seed)
    order = {
        "folder": str(tmp_path),
        "credentials": dict(shop.credentials),
        "settings": {**shop.settings, "orders_api": orders_api},
        "format": file_format,
    }
    killed = Counter()
    for number in range(KILLS // 2):
        streams = draw.sample(sorted(KEYS), k=len(KEYS))
        if number % 2:
            streams.sort(key=lambda stream: stream != "orders")
        by_step = draw.random() < 0.6
        asked = {
            **order,
            "streams": streams,
            "steps": draw.randint(1, 60) if by_step else 0,
            "skew": draw.choice((-300, 0, 300)),
        }
        code = worker.pull(asked, kill_after=None if by_step else draw.uniform(0.01, 0.5))
        assert code in (0, -signal.SIGKILL), "a pull failed by itself"
        begun = last_begun(tmp_path)
        if code == -signal.SIGKILL:
            killed[begun] += 1
        for stream in KEYS:
            if (tmp_path / f"{stream}.dead.jsonl").exists():
                assert (tmp_path / f"{stream}.dead.jsonl").read_bytes() == b""
    assert killed.total() > KILLS // 6
    assert killed["orders"] > 0
    moved = kill_while_orders_are_processed(worker, shop, order, draw)
    shop.control.clear_faults()
    shop.control.live = None
    for _ in range(3):
        final = {**order, "streams": sorted(KEYS), "steps": 0, "skew": 1}
        assert worker.pull(final) == 0
    assert all(end[:2] == ["success", True] for end in json.loads((tmp_path / "ended.json").read_text()))
    for stream, key in KEYS.items():
        records = lines_of(tmp_path, stream, file_format)
        if stream == "orders":
            came_open = {record[key] for record in records if not record["Processed"]}
            assert moved & came_open
        found = replayed(records, key) if stream in CHANGES else latest(records, key)
        wanted = truth(worker, order, tmp_path, stream, key)
        assert found
        assert {name: undated(each) for name, each in found.items()} == {
            name: undated(each) for name, each in wanted.items()
        }, stream
        if stream == "orders":
            book = shop.shop.orders.heads.values()
            assert {name: each["Processed"] for name, each in found.items()} == {
                head.id: not head.is_open for head in book
            }


def last_begun(folder):
    """Return the stream that the last pull had come to; None where it was killed before the first."""
    begun = folder / "begun"
    stream = begun.read_text() if begun.exists() else None
    begun.unlink(missing_ok=True)
    return stream


def kill_while_orders_are_processed(worker, shop, order, draw):
    """Process orders that were written open, and kill the pulls that find them so; return their ids.

    These pulls' clock is right, and that of the pull before them was fast.
    """
    asked = {**order, "streams": ["orders"], "skew": 0}
    for _ in range(2):  # the first may go on with a run that was broken off, and only the second has this clock
        assert worker.pull({**asked, "steps": 0, "skew": 300}) == 0
    moved, codes = set(), []
    for steps in STEPS_OF_A_BLOCK:
        with shop.shop.lock:
            there = sorted(shop.shop.orders.open)
        chosen = draw.sample(there, k=3)
        for each in chosen:
            shop.control.process_order(each)
        moved.update(chosen)
        codes.append(worker.pull({**asked, "steps": steps}))
    assert set(codes) <= {0, -signal.SIGKILL}, "a pull failed by itself"
    assert -signal.SIGKILL in codes
    return moved


def undated(record):
    """Return an order without the stock of its items at the moment, which changes without the order changing."""
    if "Items" not in record:
        return record
    return {**record, "Items": [_without_stock(item) for item in record["Items"] or ()]}


def _without_stock(item):
    kept = {name: value for name, value in item.items() if name not in STOCK}
    return {**kept, "CompositeSubItems": [_without_stock(each) for each in item.get("CompositeSubItems") or ()]}


def truth(worker, order, folder, stream, key):
    """Return what the shop has now, read at once by a fresh pull without faults or kills."""
    fresh = folder / f"fresh-{stream}"
    fresh.mkdir()
    asked = {**order, "folder": str(fresh), "streams": [stream], "steps": 0, "skew": 1, "format": "jsonl"}
    assert worker.pull(asked) == 0
    records = lines_of(fresh, stream, "jsonl")
    for record in records:
        record.pop("_change", None)
    return {record[key]: record for record in records}
