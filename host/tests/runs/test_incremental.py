import json

import pytest

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse, UnknownName
from connector_host.runs import EventKind, RetentionStore, RunKind, RunState
from connector_host.testing.clock import FakeClock

from .conftest import Gate, change

STREAM = RunKind.STREAM


@pytest.fixture
def shop(vendor, add_shop):
    running = vendor(things=25)
    running.instance = add_shop(running)
    return running


@pytest.fixture
def pull(runner):
    """Run a stream to its end."""

    async def ended(what="things", parameters=None):
        run = await runner.start("shop", STREAM, what, parameters)
        return await runner.wait(run.id)

    return ended


@pytest.fixture
def stop(runner, shop):
    """Run a stream and stop it when it has its first page, but no other."""

    async def stopped(nameless=()):
        for key in nameless:
            shop.things[key] = {**shop.things[key], "id": None}
        shop.options["slow"], shop.pause = True, Gate(1)
        run = await runner.start("shop", STREAM, "things")
        async for _ in runner.store.follow(run.id, kinds=[EventKind.PROGRESS]):
            break
        ended = await runner.stop(run.id)
        shop.options["slow"] = False
        shop.pause.set()
        assert (ended.state, ended.counts["read"]) == (RunState.STOPPED, 10)
        return ended

    return stopped


@pytest.fixture
def lines(runner):
    def read(run, name=None):
        path = runner.folder_of(run.id) / (name or f"{run.what}.jsonl")
        return [json.loads(line) for line in path.read_text().splitlines()]

    return read


@pytest.fixture
def retention(home, store):
    """The retention of a time when all that there is now is old."""
    return RetentionStore(store.database, home, clock=FakeClock(4_000_000_000.0))


def ids(records):
    return [each["id"] for each in records]


async def test_the_first_run_has_everything_and_the_next_only_what_changed(shop, pull, lines):
    first = await pull()
    assert len(lines(first)) == 23
    change(shop, "t3", "changed")
    asked = len(shop.requests)
    second = await pull()
    assert [(each["id"], each["name"]) for each in lines(second)] == [("t3", "changed")]
    assert [file.name for file in second.files] == ["things.jsonl"]
    assert (second.files[0].records, second.counts["written"]) == (1, 1)
    assert "since=" in shop.requests[asked][1]
    third = await pull()
    assert (lines(third), third.state) == ([], RunState.SUCCESS)


@pytest.mark.usefixtures("shop")
async def test_a_run_says_from_where_it_goes_on_and_where_it_ended(pull):
    first, second = await pull(), await pull()
    assert (first.reach["mode"], first.reach["after"], first.reach["since"]) == ("incremental", None, None)
    assert first.reach["read_up_to"] == first.reach["until"]
    assert second.reach["after"] == first.id
    assert second.reach["since"] < first.reach["read_up_to"] <= second.reach["read_up_to"]
    assert second.reach["complete"]


@pytest.mark.usefixtures("shop")
async def test_a_stream_without_a_change_date_is_compared_with_what_was_seen(pull, lines, monkeypatch):
    first = await pull("colours")
    assert {each["_change"] for each in lines(first)} == {"created"}
    assert lines(await pull("colours")) == []
    monkeypatch.setattr("plain_connector.sandbox.COLOURS", ("red", "green", "pink"))
    third = await pull("colours")
    assert sorted((each["name"], each["_change"]) for each in lines(third)) == [
        ("blue", "removed"),
        ("pink", "created"),
    ]
    assert (third.reach["mode"], third.files[0].records) == ("changes", 2)


async def test_a_full_run_has_everything_and_moves_no_state(shop, pull, lines):
    await pull()
    full = await pull(parameters={"mode": "full"})
    assert (len(lines(full)), full.reach) == (23, {**full.reach, "mode": "full"})
    change(shop, "t1", "changed")
    await pull(parameters={"mode": "full"})
    assert ids(lines(await pull())) == ["t1"]


async def test_runs_with_other_parameters_have_a_state_of_their_own(shop, pull, lines, runner):
    await pull()
    short = await pull(parameters={"columns": ["name"], "normalise": True})
    assert lines(short)[0] == {"id": "t1", "name": "Thing 1"}
    assert len(lines(short)) == 23
    assert lines(await pull(parameters={"normalise": True, "columns": ["name"], "mode": "incremental"})) == []
    dated = await pull(parameters={"since": "2026-01-01T20:00:00Z"})
    assert ids(lines(dated)) == ["t21", "t22", "t23", "t24", "t25"]
    assert len(runner.states.list(shop.instance.id, "things")) == 3
    compared = await pull(parameters={"mode": "changes"})
    assert {each["_change"] for each in lines(compared)} == {"created"}


async def test_what_a_run_that_was_stopped_has_read_comes_with_the_next(shop, runner, stop, pull, lines):
    await pull()
    for number in range(1, 26):
        change(shop, f"t{number}", "changed")
    stopped = await stop()
    some = ids(lines(stopped))
    assert len(some) == 10
    change(shop, "t2", "changed since")
    after = await pull()
    records = lines(after)
    assert after.reach["after"] == stopped.id
    assert set(ids(records)) == {each for each in shop.things if not shop.things[each]["archived"]}
    assert ids(records)[: len(some)] == some
    assert {each["id"]: each for each in records}["t2"]["name"] == "changed since"
    assert after.counts["written"] == after.files[0].records == len(records)
    assert ids(lines(stopped)) == some
    with pytest.raises(ConfigurationError, match="later run"):
        await runner.resume(stopped.id)
    assert lines(await pull()) == []


async def test_a_run_that_was_stopped_goes_on_itself_when_it_is_resumed(runner, stop, pull, lines):
    stopped = await stop()
    await runner.resume(stopped.id)
    ended = await runner.wait(stopped.id)
    assert (ended.state, ended.attempt, ended.counts["written"]) == (RunState.SUCCESS, 2, 23)
    assert len(set(ids(lines(ended)))) == 23
    assert lines(await pull()) == []


async def test_a_run_that_fails_moves_nothing(shop, runner, pull, lines):
    await pull()
    change(shop, "t4", "changed")
    token = shop.options["token"]
    shop.options["token"] = "tok-changed-since"
    failed = await pull()
    assert failed.state is RunState.FAILURE
    again = await pull()
    shop.options["token"] = token
    after = await pull()
    assert ids(lines(after)) == ["t4"]
    assert runner.states.taken_over_by(again) == after.id


@pytest.mark.usefixtures("shop")
async def test_a_limited_run_leaves_the_rest_to_the_next(pull, lines):
    first = await pull(parameters={"limit": 10})
    assert (first.state, len(lines(first)), first.reach["complete"]) == (RunState.SUCCESS, 10, False)
    second = await pull(parameters={"limit": 10})
    rest = await pull()
    assert [len(lines(each)) for each in (second, rest)] == [10, 3]
    assert len(set(ids(lines(first) + lines(second) + lines(rest)))) == 23
    assert rest.counts["written"] == 3


async def test_a_reset_lets_the_next_run_read_everything(shop, runner, pull, lines):
    first = await pull()
    assert await runner.reset("SHOP", "things") == 1
    assert runner.states.list(shop.instance.id) == ()
    assert len(lines(first)) == 23
    after = await pull()
    assert (len(lines(after)), after.reach["after"]) == (23, None)
    assert await runner.reset("shop", "colours") == 0
    with pytest.raises(UnknownName, match='no stream "thing"'):
        await runner.reset("shop", "thing")
    shop.options["slow"] = True
    run = await runner.start("shop", STREAM, "things")
    with pytest.raises(InUse):
        await runner.reset("shop", "things")
    await runner.stop(run.id)


@pytest.mark.usefixtures("shop")
async def test_states_and_files_go_with_the_instance(runner, pull, home, store):
    run = await pull()
    assert list(home.states.glob("*/things-*"))
    store.remove("Shop")
    assert not list(home.states.iterdir())
    assert not runner.folder_of(run.id).exists()


async def test_retention_takes_no_records_that_the_next_run_needs(shop, retention, stop, pull, lines):
    stopped = await stop()
    assert retention.sweep().folders == 0
    assert len(lines(stopped)) == stopped.counts["written"]
    after = await pull()
    assert len(lines(after)) == 23
    assert retention.sweep().folders == 2
    with pytest.raises(FileNotFoundError):
        lines(stopped)
    change(shop, "t5", "changed")
    assert ids(lines(await pull())) == ["t5"]


async def test_states_of_instances_that_another_machine_removed_are_swept(home, retention):
    (home.states / "11111111-1111-1111-1111-111111111111" / "things-0").mkdir(parents=True)
    retention.sweep()
    assert not list(home.states.iterdir())


@pytest.mark.parametrize("name", ["things.jsonl", "things.dead.jsonl"])
async def test_files_that_somebody_took_away_are_read_again(runner, stop, pull, lines, name):
    stopped = await stop(nameless=["t1"])
    (runner.folder_of(stopped.id) / name).unlink()
    after = await pull()
    assert (len(lines(after)), len(lines(after, "things.dead.jsonl")), after.reach["after"]) == (22, 1, None)
    assert after.state is RunState.PARTIAL_SUCCESS
    assert any(
        "not there any more" in each.data["message"] for each in runner.store.events(after.id, kinds=[EventKind.LOG])
    )


async def test_a_state_that_cannot_be_read_says_what_to_do(shop, runner, pull, home):
    await pull()
    [chain] = home.states.glob("*/things-*")
    (chain / "claim.json").write_text("{")
    broken = await pull()
    assert runner.states.taken_over_by(broken) is None
    assert (broken.state, "start the stream over" in broken.next_step) == (RunState.FAILURE, True)
    (chain / "claim.json").unlink()
    (chain / "things.json").write_text('{"version": 99}')
    broken = await pull()
    assert (broken.state, "start the stream over" in broken.next_step) == (RunState.FAILURE, True)
    assert runner.states.list(shop.instance.id) == ()
    await runner.reset("shop", "things")
    assert (await pull()).state is RunState.SUCCESS


@pytest.mark.parametrize(
    ("what", "parameters", "where", "told"),
    [
        ("colours", {"mode": "incremental"}, "parameters.mode", "only what changed"),
        ("colours", {"since": "7d"}, "parameters.since", "no such filter"),
        ("things", {"mode": "sometimes"}, "parameters.mode", "none of the choices"),
        ("things", {"since": "2026-03-01", "until": "2026-02-01"}, "parameters.since", "later than until"),
        ("things", {"columns": ["names"]}, "parameters.columns", 'no field "names"'),
        ("things", {"filters": {"colours": "red"}}, "parameters.filters.colours", 'no filter "colours"'),
        ("things", {"filters": {"state": "lost"}}, "parameters.filters.state", "none of its choices"),
    ],
)
@pytest.mark.usefixtures("shop")
async def test_what_a_stream_cannot_do_is_told_where_it_stands(runner, what, parameters, where, told):
    with pytest.raises(InputInvalid) as caught:
        await runner.start("shop", STREAM, what, parameters)
    problems = {each.where: f"{each.sentence} {each.fix}" for each in caught.value.problems}
    assert told in problems[where]
    assert runner.store.count() == 0


@pytest.mark.usefixtures("shop")
async def test_filters_choose_records(pull, lines):
    red = await pull(parameters={"filters": {"colour": "red"}})
    assert {each["colour"] for each in lines(red)} == {"red"}
    archived = await pull(parameters={"filters": {"state": "archived"}, "mode": "full"})
    assert lines(archived) == []
