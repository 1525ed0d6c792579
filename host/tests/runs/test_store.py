import datetime

import pytest

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse, UnknownName
from connector_host.instances import InstanceStore
from connector_host.runs import EventKind, Retention, RetentionStore, RunFile, RunKind, RunState, RunStore, StartedBy
from connector_host.testing.clock import FakeClock

STREAM = RunKind.STREAM


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store(any_home, clock):
    with InstanceStore.open(any_home, clock=clock) as store:
        yield store


@pytest.fixture
def runs(store, clock):
    return RunStore(store.database, clock=clock)


@pytest.fixture
def retention(store, clock, any_home):
    return RetentionStore(store.database, any_home, clock=clock)


@pytest.fixture
def shop(store):
    return store.add(
        "Shop", connector="plain", connector_version=1, authentication="Token", settings={}, credentials={}
    )


def test_what_is_known_of_a_run_comes_back(runs, shop, clock):
    run = runs.add(shop, STREAM, "things", {"limit": 1}, started_by=StartedBy.SCHEDULE, schedule_id="s1")
    clock.advance(60)
    assert not runs.record(run.id, [(EventKind.LOG, {"message": "hello"})], {"read": 3})
    files = [RunFile("things.jsonl", 120, 3), RunFile("dead-letters.jsonl", 7)]
    ended = runs.finish(run.id, RunState.PARTIAL_SUCCESS, message="m", request_id="r", checkpoint="c", files=files)
    assert runs.get(run.id) == ended
    assert (ended.state, ended.message, ended.request_id, ended.checkpoint) == ("partial success", "m", "r", "c")
    assert (ended.counts, ended.files, ended.parameters) == ({"read": 3}, tuple(files), {"limit": 1})
    assert (ended.started_by, ended.schedule_id, ended.instance, ended.connector) == ("schedule", "s1", "Shop", "plain")
    assert (ended.finished_at - ended.started_at).total_seconds() == 60
    assert ended.started_at.tzinfo is datetime.UTC
    assert [(event.number, event.kind) for event in runs.events(run.id)] == [(1, "state"), (2, "log"), (3, "state")]


def test_runs_are_listed_newest_first_and_searched_and_paged(runs, shop, store, clock):
    other = store.add(
        "Other", connector="plain", connector_version=1, authentication="Token", settings={}, credentials={}
    )
    made = []
    for number in range(5):
        clock.advance(1)
        made.append(runs.add(other if number % 2 else shop, STREAM, f"s{number}", {}).id)
    runs.finish(made[0], RunState.SUCCESS)
    assert [run.what for run in runs.list()] == ["s4", "s3", "s2", "s1", "s0"]
    assert [run.what for run in runs.list(offset=1, limit=2)] == ["s3", "s2"]
    assert [run.what for run in runs.list(instance_id=other.id)] == ["s3", "s1"]
    assert [run.what for run in runs.list(state=RunState.SUCCESS)] == ["s0"]
    assert (runs.count(), runs.count(instance_id=shop.id), runs.count(what="s1")) == (5, 3, 1)
    assert {key: run.what for key, run in runs.latest([shop.id, other.id]).items()} == {shop.id: "s4", other.id: "s3"}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 3),
        ("   ", 3),
        ("THINGS", 2),
        ("getthing", 1),
        ("über", 1),
        ("things ÜBER", 1),
        ("things colours", 0),
        ("%", 0),
        ("_", 1),
        ("plain", 0),
        ("\0", 0),
        ("things\0", 0),
        ("things \ud800", 0),
    ],
)
def test_every_word_of_a_search_stands_in_what_was_run_or_in_the_instances_name(runs, shop, store, search, found):
    other = store.add(
        "Über", connector="plain", connector_version=1, authentication="Token", settings={}, credentials={}
    )
    runs.add(shop, STREAM, "colours_of_shop", {})
    runs.add(shop, RunKind.OPERATION, "things.GetThing", {})
    runs.add(other, STREAM, "things", {})
    assert (len(runs.list(search=search)), runs.count(search=search)) == (found, found)
    assert runs.count(search=search, instance_id=shop.id) == len(runs.list(search=search, instance_id=shop.id))


def test_an_instance_is_not_removed_while_a_run_is_under_way_and_its_past_goes_with_it(runs, shop, store):
    run = runs.add(shop, STREAM, "things", {})
    with pytest.raises(InUse, match="a run of things that is under way"):
        store.remove("Shop")
    runs.finish(run.id, RunState.FAILURE)
    store.remove("Shop")
    assert runs.count() == 0
    with pytest.raises(UnknownName):
        runs.get(run.id)
    with pytest.raises(UnknownName, match="removed"):
        runs.add(shop, STREAM, "things", {})


def test_only_a_run_that_ended_early_goes_on(runs, shop):
    run = runs.add(shop, STREAM, "things", {})
    with pytest.raises(ConfigurationError, match=r"(?s)started.*Wait"):
        runs.restart(run.id)
    runs.finish(run.id, RunState.STOPPED, message="why")
    again = runs.restart(run.id)
    assert (again.state, again.attempt, again.message, again.finished_at) == (RunState.STARTED, 2, "", None)
    runs.finish(run.id, RunState.SUCCESS)
    with pytest.raises(ConfigurationError, match=r"(?s)success.*Run it again"):
        runs.restart(run.id)


def test_a_stop_is_asked_for_once_and_only_of_what_goes_on(runs, shop):
    run = runs.add(shop, STREAM, "things", {})
    assert runs.request_stop(run.id).stop_requested
    assert runs.record(run.id, [])
    runs.finish(run.id, RunState.STOPPED)
    assert not runs.request_stop(runs.add(shop, STREAM, "b", {}).id).state.can_resume
    with pytest.raises(UnknownName):
        runs.request_stop("none")


def test_events_are_paged_and_chosen_by_kind(runs, shop):
    run = runs.add(shop, STREAM, "things", {})
    runs.record(run.id, [(EventKind.LOG, {"n": n}) for n in range(10)])
    assert [event.number for event in runs.events(run.id, after=4, limit=3)] == [5, 6, 7]
    assert [event.data["n"] for event in runs.events(run.id, kinds=[EventKind.LOG], limit=2)] == [0, 1]
    assert runs.events(run.id, after=99) == ()
    with pytest.raises(UnknownName):
        runs.events("none")


def test_retention_has_the_platforms_figures_until_it_is_set(retention):
    assert retention.get() == Retention(log_days=30, sample_hours=72)
    assert retention.set({"log_days": 7}) == Retention(7, 72)
    assert retention.set({"sample_hours": 0}) == retention.get() == Retention(7, 0)
    with pytest.raises(InputInvalid):
        retention.set({"log_days": 0})
    with pytest.raises(InputInvalid):
        retention.set({"days": 1})


def test_samples_go_after_their_hours_and_logs_and_files_after_their_days(runs, shop, retention, clock, any_home):
    def events():
        return [event.kind for event in runs.events(run.id)]

    run = runs.add(shop, STREAM, "things", {})
    folder = any_home.runs / run.id
    folder.mkdir(parents=True)
    (folder / "things.jsonl").write_text("{}\n")
    runs.record(run.id, [(EventKind.SAMPLE, {"text": "x"}), (EventKind.LOG, {"message": "y"})])
    runs.finish(run.id, RunState.SUCCESS, files=[RunFile("things.jsonl", 3, 1)], counts={"read": 1})
    clock.advance(71 * 3600)
    assert retention.sweep().samples == 0
    clock.advance(3600)
    assert retention.sweep().samples == 1
    assert events() == ["state", "log", "state"]
    clock.advance(27 * 86400 - 60)
    retention.sweep()
    assert len(events()) == 3
    clock.advance(120)
    swept = retention.sweep()
    assert (swept.events, swept.folders) == (3, 1)
    assert (events(), folder.exists()) == ([], False)
    kept = runs.get(run.id)
    assert (kept.state, kept.counts, kept.files) == (RunState.SUCCESS, {"read": 1}, ())


def test_a_run_under_way_keeps_its_log_however_old(runs, shop, retention, clock):
    run = runs.add(shop, STREAM, "things", {})
    clock.advance(90 * 86400)
    assert retention.sweep().events == 0
    assert len(runs.events(run.id)) == 1
