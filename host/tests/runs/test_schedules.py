import asyncio
import datetime

import pytest
import time_machine

from connector_host.contract.errors import InputInvalid, InUse, UnknownName
from connector_host.instances import InstanceStore
from connector_host.runs import RetentionStore, RunKind, RunState, Scheduler, ScheduleStore, StartedBy
from connector_host.testing.clock import FakeClock

from .conftest import change

START = datetime.datetime(2026, 3, 28, 12, 0, tzinfo=datetime.UTC)
STREAM = RunKind.STREAM


@pytest.fixture
def place(any_home):
    return any_home


@pytest.fixture
def clock():
    return FakeClock(START.timestamp())


@pytest.fixture
def schedules(store, clock):
    return ScheduleStore(store.database, clock=clock)


@pytest.fixture
def shop(vendor, add_shop):
    return add_shop(vendor(), time_zone="Europe/London")


@pytest.fixture
def slow(vendor, add_shop):
    return add_shop(vendor(slow=True, things=40), "slow")


def hours_after(schedule, times):
    moment, found = START, []
    for _ in range(times):
        moment = schedule.next_after(moment)
        found.append(round((moment - START).total_seconds() / 3600, 2))
    return found


def test_a_schedule_comes_back_as_it_was_made(schedules, shop):
    made = schedules.add(shop, STREAM, "things", {"since": "1d"}, every_minutes=90)
    assert (made.instance, made.what, made.parameters, made.enabled) == ("Shop", "things", {"since": "1d"}, True)
    assert made.due_at == START + datetime.timedelta(minutes=90)
    assert hours_after(made, 3) == [1.5, 3.0, 4.5]
    assert schedules.list() == (made,)
    assert schedules.list(instance_id="other") == ()
    assert schedules.remove(made.id) == made
    with pytest.raises(UnknownName):
        schedules.get(made.id)


def test_a_cron_expression_is_in_the_zone_of_the_instance_across_its_clock_changes(schedules, shop):
    made = schedules.add(shop, STREAM, "things", cron="30 6 * * *")
    assert made.time_zone == "Europe/London"
    assert hours_after(made, 2) == [17.5, 41.5]
    other = schedules.add(shop, STREAM, "colours", cron="30 6 * * *", time_zone="UTC")
    assert hours_after(other, 2) == [18.5, 42.5]


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"every_minutes": 5, "cron": "* * * * *"},
        {"every_minutes": 0},
        {"cron": "every day at six"},
        {"cron": "61 * * * *"},
        {"cron": "0 0 31 2 *"},
        {"every_minutes": 5, "time_zone": "Mars/Base"},
    ],
)
def test_times_that_make_no_sense_are_refused(schedules, shop, times):
    with pytest.raises(InputInvalid):
        schedules.add(shop, STREAM, "things", **times)
    assert schedules.list() == ()


def test_an_instance_with_a_schedule_is_not_removed(schedules, shop, store):
    made = schedules.add(shop, STREAM, "things", every_minutes=5)
    with pytest.raises(InUse, match="a schedule of things"):
        store.remove("Shop")
    schedules.remove(made.id)
    store.remove("Shop")


def test_what_is_due_is_taken_once_by_one_of_all_hosts_and_what_was_missed_is_not_piled_up(
    schedules, shop, clock, place
):
    made = schedules.add(shop, STREAM, "things", every_minutes=60)
    assert schedules.claim(made.id) is None
    clock.advance(10 * 3600 + 60)
    with InstanceStore.open(place) as elsewhere:
        taken = [each.claim(made.id) for each in (schedules, ScheduleStore(elsewhere.database, clock=clock))]
    assert [each is not None for each in taken] == [True, False]
    assert schedules.get(made.id).due_at == START + datetime.timedelta(hours=11)
    assert schedules.claim("none") is None


def test_a_schedule_rests_until_it_is_enabled(schedules, shop, clock):
    made = schedules.add(shop, STREAM, "things", every_minutes=60)
    assert schedules.set_enabled(made.id, False).due_at is None
    clock.advance(5 * 3600 + 60)
    assert schedules.claim(made.id) is None
    assert schedules.set_enabled(made.id, True).due_at == START + datetime.timedelta(hours=6)


@pytest.fixture
def begun(runner, monkeypatch):
    """The runs that are begun, as they are."""
    begin, queue = runner.start, asyncio.Queue()

    async def start(*args, **options):
        queue.put_nowait(run := await begin(*args, **options))
        return run

    monkeypatch.setattr(runner, "start", start)
    return queue


async def test_the_embedded_host_begins_what_is_due(runner, begun, store, shop, place):
    schedules = ScheduleStore(store.database)
    with time_machine.travel(START, tick=False):
        made = schedules.add(shop, STREAM, "colours", every_minutes=5)
    scheduler = Scheduler(runner, schedules, RetentionStore(store.database, place))
    async with scheduler:
        # It is long overdue, so APScheduler begins it at once, and once.
        run = await begun.get()
        assert (run.started_by, run.schedule_id, run.what) == (StartedBy.SCHEDULE, made.id, "colours")
        assert (await runner.wait(run.id)).state is RunState.SUCCESS
        assert runner.store.count() == 1
        assert schedules.get(made.id).due_at > datetime.datetime.now(datetime.UTC)
        await scheduler.look()
        assert scheduler.planned == {made.id: schedules.get(made.id).due_at}
        schedules.remove(made.id)
        await scheduler.look()
        assert scheduler.planned == {}
        await scheduler.keep_house()
        await scheduler.mark()


async def test_each_run_of_a_schedule_has_what_changed_since_the_one_before(runner, schedules, vendor, add_shop, clock):
    running = vendor()
    made = schedules.add(add_shop(running), STREAM, "things", every_minutes=5)
    written = []
    for _ in range(2):
        clock.advance(300)
        await Scheduler(runner, schedules, None).fire(made.id)
        run = await runner.wait(runner.store.list(limit=1)[0].id)
        written.append(run.counts["written"])
        change(running, "t7", "changed")
    assert written == [23, 1]
    assert run.reach["mode"] == "incremental"


async def test_a_time_is_left_out_while_the_last_run_is_under_way(runner, schedules, slow, clock, caplog):
    made = schedules.add(slow, STREAM, "things", every_minutes=5)
    first = await runner.start("slow", STREAM, "things")
    clock.advance(600)
    await Scheduler(runner, schedules, None).fire(made.id)
    assert "left out" in caplog.text
    assert runner.store.count() == 1
    await runner.stop(first.id)
