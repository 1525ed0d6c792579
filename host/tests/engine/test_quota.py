import multiprocessing
import sqlite3

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_host.contract.errors import ConfigurationError
from connector_host.engine.lanes import Usage, lane_of
from connector_host.engine.quota import LedgerBusy, MemoryLedger, SqliteLedger, open_ledger
from connector_host.testing.clock import FakeClock

LANE = lane_of("owner/shop.Read", 3, 60)
OTHER = lane_of("owner/*", 5, 10)


@pytest.fixture(params=["memory", "file"])
def ledger(request, clock, tmp_path):
    made = open_ledger(None if request.param == "memory" else tmp_path / "quota.sqlite", clock)
    yield made
    made.close()


def most_in_any_window(times, seconds):
    return max((sum(start <= each < start + seconds for each in times) for start in times), default=0)


def test_there_is_room_for_the_limit_and_then_only_when_the_oldest_has_left_the_window(ledger, clock):
    assert [ledger.take([LANE]) for _ in range(3)] == [None, None, None]
    shortfall = ledger.take([LANE])
    assert shortfall.lane is LANE
    assert 60.5 <= shortfall.seconds < 60.6
    clock.advance(shortfall.seconds - 0.01)
    assert ledger.take([LANE]) is not None
    clock.advance(0.01)
    assert ledger.take([LANE]) is None


def test_a_place_is_taken_in_every_lane_or_in_none(ledger, clock):
    for _ in range(5):
        assert ledger.take([OTHER]) is None
    assert ledger.take([LANE, OTHER]).lane is OTHER
    assert ledger.usage(LANE).used == 0
    clock.advance(11)
    assert ledger.take([LANE, OTHER]) is None
    assert (ledger.usage(LANE).used, ledger.usage(OTHER).used) == (1, 1)


def test_usage_forgets_what_has_left_the_window(ledger, clock):
    ledger.take([LANE])
    assert ledger.usage(LANE) == Usage(1, 3, free_in=60.501)
    clock.advance(61)
    assert ledger.usage(LANE) == Usage(0, 3)


def test_a_closed_lane_lets_nobody_in_until_its_time(ledger, clock):
    ledger.close_lane(LANE, 30)
    ledger.close_lane(LANE, 10)
    assert ledger.usage(LANE).closed_for == pytest.approx(30)
    clock.advance(29)
    assert ledger.take([LANE]).seconds == pytest.approx(1)
    assert ledger.take([OTHER]) is None
    clock.advance(1.01)
    assert ledger.take([LANE]) is None
    assert ledger.usage(LANE).closed_for == 0


def test_a_lane_without_a_limit_can_be_closed_too(ledger, clock):
    lane = lane_of("owner/free", None, 0)
    assert all(ledger.take([lane]) is None for _ in range(100))
    assert ledger.usage(lane) == Usage(0, None)
    ledger.close_lane(lane, 5)
    assert ledger.take([lane]).seconds == pytest.approx(5)
    clock.advance(5.01)
    assert ledger.take([lane]) is None


def test_an_absurd_closure_ends_after_a_day(ledger, clock):
    ledger.close_lane(LANE, 1e9)
    assert ledger.usage(LANE).closed_for == pytest.approx(86_400)
    clock.advance(86_401)
    assert ledger.take([LANE]) is None


def test_what_is_in_use_is_told_by_key_with_when_there_is_room_and_when_it_is_free(ledger, clock):
    whole = lane_of("owner/*", 9, 60)
    ledger.take([LANE, whole])
    clock.advance(20)
    for lane in (LANE, LANE, lane_of("owner/shop.Write", 5, 1), lane_of("owner/free", None, 0)):
        ledger.take([lane, whole])
    ledger.take([lane_of("other/shop.Read", 3, 60), lane_of("other/*", 9, 60)])
    clock.advance(2)
    ledger.close_lane(lane_of("owner/shut", None, 0), 30)
    ledger.close_lane(lane_of("others/shut", None, 0), 30)
    used = ledger.in_use("owner/")
    assert used == {
        "owner/shop.Read": Usage(3, 3, room_in=pytest.approx(38.501), free_in=pytest.approx(58.501)),
        "owner/*": Usage(5, 9, free_in=pytest.approx(58.501)),
        "owner/free": Usage(1, None, free_in=pytest.approx(58.501)),
        "owner/shut": Usage(0, None, closed_for=pytest.approx(30), room_in=pytest.approx(30)),
    }
    assert ledger.usage(LANE) == used["owner/shop.Read"]
    clock.advance(used["owner/shop.Read"].room_in)
    assert ledger.in_use("owner/")["owner/shop.Read"].room_in == 0
    clock.advance(20)
    assert ledger.in_use("owner/") == {}


def test_a_closed_lane_has_no_room_until_both_its_time_and_its_window_have_passed(ledger):
    for _ in range(3):
        ledger.take([LANE])
    ledger.close_lane(LANE, 10)
    assert ledger.in_use("owner/")[LANE.key].room_in == pytest.approx(60.501)
    ledger.close_lane(LANE, 100)
    assert ledger.in_use("owner/")[LANE.key].room_in == pytest.approx(100)


def test_a_limit_that_was_lowered_has_room_when_enough_calls_have_left(tmp_path, clock):
    ledger = SqliteLedger(tmp_path / "quota.sqlite", clock)
    for _ in range(5):
        ledger.take([lane_of("owner/shop.Read", 5, 60)])
        clock.advance(10)
    lowered = lane_of("owner/shop.Read", 2, 60)
    used = ledger.usage(lowered)
    assert (used.used, used.room_in) == (5, pytest.approx(40.501))
    clock.advance(used.room_in)
    assert ledger.take([lowered]) is None
    ledger.close()


def test_of_a_limit_that_has_changed_the_fuller_window_is_told(ledger):
    for calls, seconds in ((10, 60), (4, 30), (10, 45)):
        ledger.take([lane_of("owner/shop.Read", calls, seconds)])
    used = ledger.in_use("owner/")["owner/shop.Read"]
    assert (used.used, used.limit) == (1, 4)


@pytest.mark.parametrize(
    ("calls", "seconds", "kept", "milliseconds"),
    [(150, 60, 150, 60_500), (1, 1, 1, 1_010), (10, 3600, 10, 3_600_500), (1_000_000, 86_400, 10_000, 864_005)],
)
def test_windows_have_a_margin_and_memory_is_bounded(calls, seconds, kept, milliseconds):
    lane = lane_of("k", calls, seconds)
    assert (lane.calls, lane.milliseconds) == (kept, milliseconds)


@settings(max_examples=60, deadline=None)
@given(
    pauses=st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=120),
    calls=st.integers(1, 12),
    seconds=st.integers(1, 30),
)
def test_the_limit_holds_in_every_window(pauses, calls, seconds):
    clock = FakeClock(auto=False)
    ledger, lane, taken = MemoryLedger(clock), lane_of("k", calls, seconds), []
    for pause in pauses:
        clock.advance(pause)
        if ledger.take([lane]) is None:
            taken.append(clock.monotonic())
    assert most_in_any_window(taken, seconds) <= calls


@settings(max_examples=40, deadline=None)
@given(pauses=st.lists(st.floats(0, 3, allow_nan=False), min_size=30, max_size=60))
def test_a_limit_kept_in_parts_holds_in_the_whole_window(pauses):
    clock = FakeClock(auto=False)
    lane = lane_of("k", 10, 10)
    part = type(lane)("k", lane.calls // 5, lane.milliseconds // 5)
    ledger, taken = MemoryLedger(clock), []
    for pause in pauses:
        clock.advance(pause)
        taken += [clock.monotonic() for _ in range(4) if ledger.take([part]) is None]
    assert most_in_any_window(taken, 10) <= 10


def test_idle_lanes_are_forgotten_in_memory(clock):
    ledger = MemoryLedger(clock)
    for number in range(1_000):
        ledger.take([lane_of(f"k{number}", 1, 1)])
    clock.advance(2)
    ledger.take([lane_of("one more", 1, 1)])
    assert len(ledger._buckets) == 1


def test_a_file_is_shared_and_outlives_who_opened_it(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    first, second = SqliteLedger(path, clock), SqliteLedger(path, clock)
    assert [first.take([LANE]), second.take([LANE]), first.take([LANE])] == [None, None, None]
    assert second.take([LANE]) is not None
    second.close_lane(OTHER, 40)
    first.close()
    second.close()
    third = SqliteLedger(path, clock)
    assert third.take([LANE]) is not None
    assert third.usage(OTHER).closed_for == pytest.approx(40)
    third.close()


def test_a_clock_that_is_set_back_closes_a_lane_for_one_window_at_most(tmp_path):
    clock = FakeClock(start=1_800_000_000)
    ledger = SqliteLedger(tmp_path / "quota.sqlite", clock)
    for _ in range(3):
        ledger.take([LANE])
    ledger._clock = FakeClock(start=1_800_000_000 - 86_400)
    assert ledger.take([LANE]).seconds <= 60.6
    ledger._clock.advance(60.6)
    assert ledger.take([LANE]) is None
    ledger.close()


def test_lanes_that_nobody_uses_any_more_leave_the_file(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    ledger.take([LANE])
    ledger.close_lane(OTHER, 5)
    ledger.close()
    clock.advance(3 * 86_400)
    SqliteLedger(path, clock).close()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name GLOB 'lane_*'").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM lanes").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM closed").fetchone() == (0,)
    database.close()


def test_a_lane_that_another_process_has_forgotten_is_told_again_once_it_is_used(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    ledger.take([LANE])
    clock.advance(3 * 86_400)
    SqliteLedger(path, clock).close()
    assert ledger.in_use("owner/") == {}
    ledger.take([LANE])
    assert SqliteLedger(path, clock).in_use("owner/")[LANE.key].used == 1
    ledger.close()


def test_a_lane_that_waits_keeps_its_table_when_another_process_opens_the_file(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    for _ in range(5):
        ledger.take([OTHER])
    assert ledger.take([LANE, OTHER]).lane is OTHER
    SqliteLedger(path, clock).close()
    clock.advance(ledger.take([LANE, OTHER]).seconds)
    assert ledger.take([LANE, OTHER]) is None
    assert ledger.in_use("owner/")[LANE.key].used == 1
    ledger.close()


def test_a_file_of_a_version_that_did_not_name_its_lanes_counts_on(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    for _ in range(2):
        ledger.take([LANE])
    ledger.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE lanes")
    database.close()
    ledger = SqliteLedger(path, clock)
    assert ledger.in_use("owner/") == {}
    assert [ledger.take([LANE]) is None, ledger.take([LANE]) is None] == [True, False]
    assert ledger.in_use("owner/")[LANE.key].used == 3
    ledger.close()


def test_what_is_in_use_is_read_while_another_process_writes(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    ledger.take([LANE])
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert ledger.in_use("owner/")[LANE.key] == ledger.usage(LANE)
        writer.execute("ROLLBACK")
    writer.close()
    ledger.close()


def test_who_will_not_wait_is_told_that_another_process_writes(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy):
            ledger.take([LANE], wait=False)
        writer.execute("COMMIT")
    writer.close()
    assert [ledger.take([LANE], wait=False) for _ in range(3)] == [None, None, None]
    assert ledger.take([LANE], wait=False) is not None
    ledger.close()


def test_calls_that_left_the_window_leave_the_file(tmp_path, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)
    for _ in range(9):
        assert ledger.take([LANE]) is None
        clock.advance(30.4)
    ledger.close()
    with sqlite3.connect(path) as database:
        (table,) = database.execute("SELECT name FROM lanes").fetchone()
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] <= 4  # noqa: S608 -- a digest
    database.close()


def test_a_file_that_is_none_is_told_in_words(tmp_path):
    path = tmp_path / "quota.sqlite"
    path.write_bytes(b"this is no database, but it is long enough to be looked at as one" * 20)
    with pytest.raises(ConfigurationError, match=r"quota\.sqlite") as caught:
        SqliteLedger(path)
    assert "remove the file" in str(caught.value)


def _take_all(path, ready, taken):
    ledger = SqliteLedger(path)
    ready.wait()
    count = 0
    while ledger.take([lane_of("k", 40, 3600)]) is None:
        count += 1
    taken.put(count)
    ledger.close()


def test_processes_together_never_take_more_than_the_limit(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, taken = context.Barrier(3), context.Queue()
    workers = [context.Process(target=_take_all, args=(tmp_path / "q.sqlite", ready, taken)) for _ in range(3)]
    for worker in workers:
        worker.start()
    counts = [taken.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(counts) == 40


async def test_a_file_that_breaks_while_it_is_used_is_told_in_words(tmp_path, connect, vendor, clock):
    path = tmp_path / "quota.sqlite"
    ledger = SqliteLedger(path, clock)

    async def break_it(_request):
        with sqlite3.connect(path) as database:
            database.execute("DROP TABLE closed")
        database.close()

    vendor.before = break_it
    vendor.script = [httpx.Response(429, headers={"retry-after": "5"})]
    async with connect(quota=ledger, concurrency=1) as shop:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=r"quota\.sqlite: no such table: closed"):
                await shop.call("shop.Free")
    assert len(vendor.sent) == 1
    ledger.close()
    with pytest.raises(ConfigurationError, match="closed database"):
        ledger.take([LANE])
