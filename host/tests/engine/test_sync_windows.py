"""Runs through windows of time: split, halved or told where they fail."""

from collections import Counter

import httpx
import pytest

from connector_host.engine.report import RunEnd

from .pulls import adds_up, records
from .scripted import ThingsVendor, stream, things


@pytest.mark.parametrize("most", [2, 3])
async def test_windows_that_are_too_full_are_split_and_their_edges_come_once(pull, tmp_path, monkeypatch, most):
    monkeypatch.setattr("connector_host.engine.slices.MOST_PAGES", most)
    monkeypatch.setattr("connector_host.engine.slices._THIN", 1)
    seconds = [0, 0, 0, 9_000, 9_000, 9_001, 500_000, 500_000, 2_000_000, 2_000_001, 3_000_000, 3_000_000]
    vendor = ThingsVendor([{"id": number, "at": at} for number, at in enumerate(seconds)])
    report = await pull(vendor, stream(time=True))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(len(seconds)))
    windows = {(given["from"], given["to"]) for name, given in vendor.sent if name == "list"}
    assert len(windows) > 3
    assert adds_up(report)


async def test_windows_that_the_vendor_refuses_are_halved(pull, tmp_path):
    vendor = ThingsVendor(things(1, 1_000_000, 2_000_000, 3_000_000))

    def refuse(_, given):
        days = (int(given["to"][8:10]) + 31 * int(given["to"][5:7])) - (
            int(given["from"][8:10]) + 31 * int(given["from"][5:7])
        )
        return httpx.Response(400, json={"message": "too much"}) if not -400 < days < 12 else None

    vendor.before = refuse
    report = await pull(vendor, stream(time=True))
    assert report.state is RunEnd.SUCCESS
    assert len(records(tmp_path)) == 4


async def test_a_window_that_keeps_failing_is_told_and_read_again_the_next_time(pull, tmp_path, monkeypatch):
    monkeypatch.setattr("connector_host.engine.slices.MOST_PAGES", 1)
    vendor = ThingsVendor(things(1, 2, 1_000_000, 1_000_001, 2_000_000, 3_000_000))
    broken = {"on": True}
    vendor.before = lambda _, given: (
        httpx.Response(503) if broken["on"] and given["from"] <= "2026-12-18" <= given["to"] else None
    )
    report = await pull(vendor, stream(time=True))
    assert report.state is RunEnd.PARTIAL_SUCCESS
    assert report.failures
    assert "shop.List from 2026-1" in report.failures[0]
    broken["on"] = False
    assert (await pull(vendor, stream(time=True))).state is RunEnd.SUCCESS
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(list(vendor.things))
