"""Up to when a pull has read, whatever times it was limited to: the next one leaves out nothing in between."""

import datetime
from collections import Counter

import pytest

from connector_host.contract.errors import ConfigurationError
from connector_host.testing.clock import FakeClock

from .pulls import records
from .scripted import START, ThingsVendor, stream, things

NOW = FakeClock().time()
DAY = 86_400


def clock_at(days):
    return FakeClock(NOW + days * DAY)


def after(days):
    """Return a moment so many days after the time that the tests begin at."""
    return datetime.datetime.fromtimestamp(NOW + days * DAY, datetime.UTC)


def changed(vendor, key, days):
    """Let a thing come or change so many days after the time that the tests begin at."""
    vendor.things[key] = {"id": key, "at": (after(days) - START).total_seconds()}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"until": after(365)}, id="up to a time that has not come"),
        pytest.param({"since": after(1.5)}, id="from behind the last pull on"),
        pytest.param({"since": after(-20), "until": after(-10)}, id="a time long ago"),
        pytest.param({"since": after(-20), "until": after(1)}, id="up to where the last pull came"),
    ],
)
async def test_a_pull_of_other_times_in_between_hides_nothing_from_the_next(pull, tmp_path, given):
    vendor = ThingsVendor(things(1, 2))
    await pull(vendor, stream(time=True))
    changed(vendor, 3, 1)
    await pull(vendor, stream(time=True), clock=clock_at(2), **given)
    changed(vendor, 4, 3)
    await pull(vendor, stream(time=True), clock=clock_at(4))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter([1, 2, 3, 4])


async def test_what_was_read_is_not_read_again_because_a_pull_of_old_times_came_after_it(pull):
    vendor = ThingsVendor(things(1, 2))
    await pull(vendor, stream(time=True))
    await pull(vendor, stream(time=True), since=after(-30), until=after(-20))
    assert (await pull(vendor, stream(time=True))).counts.read == 0


async def test_what_a_broken_off_pull_has_not_read_comes_after_one_of_a_shorter_time(pull, tmp_path):
    vendor = ThingsVendor(things(*range(6)))
    await pull(vendor, stream(time=True), watch=lambda sync, moved: sync.stop() if moved.page == 2 else None)
    await pull(vendor, stream(time=True), since=after(-1))
    await pull(vendor, stream(time=True))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter(range(6))


async def test_a_state_of_a_clock_that_was_ahead_is_told_and_left_alone_until_a_pull_says_since_when(pull, tmp_path):
    vendor = ThingsVendor(things(1, 2))
    await pull(vendor, stream(time=True), clock=clock_at(7))
    state = tmp_path / ".state" / "things.json"
    before = state.read_bytes()
    changed(vendor, 3, 1)
    with pytest.raises(ConfigurationError, match="this computer's clock shows") as raised:
        await pull(vendor, stream(time=True), clock=clock_at(2))
    assert "since" in raised.value.next_step
    assert state.read_bytes() == before
    await pull(vendor, stream(time=True), clock=clock_at(2), since=after(-1))
    changed(vendor, 4, 2.5)
    await pull(vendor, stream(time=True), clock=clock_at(3))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter([1, 2, 3, 4])


@pytest.mark.parametrize("seconds", [-300, -200, 200, 300])
async def test_clocks_that_differ_by_five_minutes_hide_nothing(pull, tmp_path, seconds):
    vendor = ThingsVendor(things(1))
    await pull(vendor, stream(time=True), clock=FakeClock(NOW + seconds))
    changed(vendor, 2, 1 / DAY)
    await pull(vendor, stream(time=True), clock=FakeClock(NOW + 301))
    assert Counter(record["id"] for record in records(tmp_path)) == Counter([1, 2])
