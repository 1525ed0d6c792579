"""Places that take no more: what was being written is cut off, and the next pull goes on from the last checkpoint."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from connector_host.contract.errors import Unwritable
from connector_host.engine.sinks import FORMATS, StdoutSink, sink_for
from connector_host.engine.state import FolderState

from .pulls import records
from .scripted import ThingsVendor, stream, things

resource = pytest.importorskip("resource")

THINGS = [thing | {"text": "x" * 100_000} for thing in things(*range(20))]
ROOM = 1_050_000


@contextlib.contextmanager
def room(size):
    """Let no file grow beyond so many bytes, as on a file system with such a limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("mode", ["incremental", "full"])
async def test_a_full_disk_leaves_no_half_line_and_loses_nothing(pull, tmp_path, mode):
    vendor = ThingsVendor(THINGS)
    with room(ROOM), pytest.raises(Unwritable, match="cannot be written") as raised:
        await pull(vendor, stream(time=True), mode=mode)
    assert "Make room" in raised.value.next_step
    report = await pull(vendor, stream(time=True), mode=mode)
    assert report.resumed
    assert [record["id"] for record in records(tmp_path)] == list(range(20))


@pytest.mark.parametrize("method", ["add", "commit", "end_run"])
async def test_keys_that_cannot_be_kept_are_told(pull, monkeypatch, method):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(f"connector_host.engine.keys.KeyStore.{method}", full)
    with pytest.raises(Unwritable, match="disk is full"):
        await pull(ThingsVendor(things(1)), stream())


async def test_keys_that_cannot_even_be_opened_are_not_to_be_moved_away(pull, tmp_path):
    await pull(ThingsVendor(things(1)), stream())
    (tmp_path / ".state" / "things.keys.db-wal").unlink(missing_ok=True)
    with room(0), pytest.raises(Unwritable) as raised:
        FolderState(tmp_path / ".state", "things").keys()
    assert "Make room" in raised.value.next_step
    assert "move" not in raised.value.next_step


async def test_a_folder_of_states_that_cannot_be_written_is_told(pull, tmp_path):
    (tmp_path / ".state" / "things.keys.db").mkdir(parents=True)
    with pytest.raises(Unwritable, match="cannot be written"):
        await pull(ThingsVendor(things(1)), stream())


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_sink_without_room_tells_so_and_lets_go(tmp_path, file_format):
    if file_format == "parquet":
        pytest.importorskip("pyarrow")
    if file_format == "jsonl.zst":
        pytest.importorskip("zstandard")
    sink = sink_for(tmp_path, "things", file_format, {"properties": {"id": {"type": "integer"}}})
    sink.open(None, rewrite=False, unfinished=False)
    with room(0):
        with pytest.raises(Unwritable, match="things"):
            write_and_commit(sink)
        sink.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that takes nothing is needed")
def test_standard_output_that_takes_no_more_is_told():
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(Unwritable, match="standard output"):
        write_and_commit(StdoutSink(full))


def write_and_commit(sink):
    sink.write([json.dumps({"id": number}).encode() for number in range(10)])
    sink.commit()
