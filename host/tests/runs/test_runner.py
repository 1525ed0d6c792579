import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse, UnknownName
from connector_host.instances import EnvironmentStore
from connector_host.runs import EventKind, RunKind, Runner, RunState, RunStore, StartedBy
from connector_host.set_up import disable_instance

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package

STREAM, OPERATION = RunKind.STREAM, RunKind.OPERATION


async def finished(runner, *args, **options):
    run = await runner.start(*args, **options)
    assert run.state is RunState.STARTED
    return await runner.wait(run.id)


def lines(runner, run, name="things.jsonl"):
    return [json.loads(line) for line in (runner.folder_of(run.id) / name).read_text().splitlines()]


def events_of(runner, run, kind):
    return [event.data for event in runner.store.events(run.id, kinds=[kind])]


@pytest.fixture
def place(any_home):
    return any_home


@pytest.fixture
def shop(vendor, add_shop):
    running = vendor()
    add_shop(running)
    return running


@pytest.fixture
def slow(vendor, add_shop):
    """A vendor that answers each call when `pause` is set, or half a second later."""
    running = vendor(slow=True, things=40)
    add_shop(running)
    return running


async def test_a_run_pulls_a_stream_into_a_file_and_tells_what_it_did(runner, shop):
    run = await finished(runner, "shop", STREAM, "things", {"limit": 15})
    assert (run.state, run.instance, run.connector, run.kind, run.what) == (
        "success",
        "Shop",
        "plain",
        STREAM,
        "things",
    )
    assert (run.counts["read"], run.counts["written"], run.counts["requests"]) == (15, 15, len(shop.requests))
    assert run.finished_at >= run.started_at
    assert [record["id"] for record in lines(runner, run)][:3] == ["t1", "t2", "t3"]
    assert [(file.name, file.records) for file in run.files] == [("things.jsonl", 15)]
    assert run.files[0].size == (runner.folder_of(run.id) / "things.jsonl").stat().st_size
    assert runner.folder_of(run.id).stat().st_mode & 0o077 == 0


async def test_the_log_has_every_request_with_its_id(runner, vendor, add_shop):
    running = vendor(faults=["503"])
    add_shop(running)
    run = await finished(runner, "shop", STREAM, "colours")
    logged = events_of(runner, run, EventKind.LOG)
    assert [(each["operation"], each["attempt"], each["level"]) for each in logged] == [
        ("things.ListColours", 1, "warning"),
        ("things.ListColours", 2, "info"),
    ]
    sent = {headers["x-request-id"] for _, _, headers, _ in running.requests}
    assert {each["request_id"] for each in logged} == sent
    assert [event["state"] for event in events_of(runner, run, EventKind.STATE)] == ["started", "success"]


@pytest.mark.usefixtures("shop")
async def test_a_sample_of_what_came_is_kept_for_the_person_who_looks(runner):
    run = await finished(runner, "shop", STREAM, "things", {"limit": 3})
    assert [json.loads(each["text"])["id"] for each in events_of(runner, run, EventKind.SAMPLE)] == ["t1"]


async def test_an_operation_is_a_run_too(runner, shop):
    run = await finished(runner, "shop", OPERATION, "things.getthing", {"input": {"id": "t7"}})
    assert (run.state, run.what) == (RunState.SUCCESS, "things.GetThing")
    assert json.loads((runner.folder_of(run.id) / "answer.json").read_bytes())["name"] == "Thing 7"
    assert shop.requests[-1][1] == "/things/t7"


async def test_times_are_read_when_the_run_begins_in_the_zone_of_the_instance(runner, vendor, add_shop):
    running = vendor()
    add_shop(running, time_zone="Asia/Tokyo")
    await finished(runner, "shop", STREAM, "things", {"since": "2026-01-02T00:00:00", "until": "2026-01-02"})
    path = running.requests[0][1]
    assert "since=2026-01-01T15%3A00%3A00Z" in path
    assert "until=2026-01-02T14%3A59%3A59Z" in path


@pytest.mark.parametrize(
    ("settings", "written"),
    [({}, "2026-01-02T00:00:00Z"), ({"date_format": "%Y-%m-%d %H:%M:%S+0000"}, "2026-01-02 00:00:00+0000")],
    ids=["connector's", "instance's"],
)
async def test_dates_reach_the_vendor_in_the_format_of_the_instance(runner, vendor, add_shop, settings, written):
    running = vendor()
    add_shop(running, **settings)
    await finished(runner, "shop", STREAM, "things", {"since": "2026-01-02", "limit": 1})
    assert parse_qs(urlsplit(running.requests[0][1]).query)["since"] == [written]


async def test_a_failure_says_why_where_and_what_to_do(runner, vendor, add_shop):
    running = vendor()
    add_shop(running)
    running.options["token"] = "tok-changed-since"
    run = await finished(runner, "shop", STREAM, "things")
    assert run.state is RunState.FAILURE
    assert run.message
    assert run.next_step
    assert run.request_id == running.requests[-1][2]["x-request-id"]
    assert events_of(runner, run, EventKind.LOG)[-1]["level"] == "error"


async def test_a_disabled_instance_is_not_run(runner, shop, store):
    before = await finished(runner, "shop", STREAM, "things")
    disable_instance(store, "Shop")
    asked = len(shop.requests)
    for begin in (runner.start("shop", STREAM, "things"), runner.again(before.id)):
        with pytest.raises(ConfigurationError, match="is disabled"):
            await begin
    assert [each.id for each in runner.store.list()] == [before.id]
    run = await finished(runner, "shop", STREAM, "things", started_by=StartedBy.SCHEDULE)
    assert (run.state, "disabled" in run.message) == (RunState.FAILURE, True)
    with pytest.raises(ConfigurationError, match="is disabled"):
        await runner.resume(run.id)
    assert runner.store.get(run.id).attempt == 1
    assert len(shop.requests) == asked


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("what", "kind", "parameters", "error"),
    [
        ("thing", STREAM, {}, UnknownName),
        ("things.GetThings", OPERATION, {}, UnknownName),
        ("things", STREAM, {"limit": 0}, InputInvalid),
        ("things", STREAM, {"since": "yesterday"}, InputInvalid),
        ("things", STREAM, {"since": "2026-02-31"}, InputInvalid),
        ("things", STREAM, {"pages": 3}, InputInvalid),
        ("things.GetThing", OPERATION, {"input": {}}, InputInvalid),
    ],
)
async def test_what_cannot_run_is_told_before_it_begins(runner, what, kind, parameters, error):
    with pytest.raises(error):
        await runner.start("shop", kind, what, parameters)
    assert runner.store.count() == 0
    with pytest.raises(UnknownName):
        await runner.start("nobody", STREAM, "things")


@pytest.mark.usefixtures("slow")
async def test_two_runs_of_one_stream_on_one_instance_do_not_overlap(runner, place, plain_folder):
    first = await runner.start("shop", STREAM, "things")
    async with Runner(place, [plain_folder]) as other:
        with pytest.raises(InUse, match="under way"):
            await other.start("SHOP", STREAM, "things")
        colours = await other.start("shop", STREAM, "colours")
        assert (await other.stop(colours.id)).state is RunState.STOPPED
    with pytest.raises(InUse):
        await runner.start("shop", STREAM, "things")
    await runner.stop(first.id)
    again = await runner.start("shop", STREAM, "things")
    await runner.stop(again.id)
    assert runner.store.count() == 3


async def test_a_run_is_stopped_and_leaves_whole_records(runner, slow):
    run = await runner.start("shop", STREAM, "things", {"mode": "full"})
    async for event in runner.store.follow(run.id, kinds=[EventKind.LOG]):
        assert event.data["operation"] == "things.ListThings"
        break
    stopped = await runner.stop(run.id)
    assert stopped.state is RunState.STOPPED
    assert stopped.counts["written"] in (10, 20)
    assert len(lines(runner, run, "things.jsonl.part")) == stopped.counts["written"]
    assert [file.name for file in stopped.files] == ["things.jsonl.part"]
    assert (await runner.stop(run.id)).state is RunState.STOPPED
    slow.options["slow"] = False
    resumed = await runner.resume(run.id)
    assert (resumed.id, resumed.attempt, resumed.state) == (run.id, 2, RunState.STARTED)
    ended = await runner.wait(run.id)
    assert (ended.state, len(lines(runner, run))) == (RunState.SUCCESS, 36)
    assert [file.name for file in ended.files] == ["things.jsonl"]
    with pytest.raises(ConfigurationError, match="nothing to resume"):
        await runner.resume(run.id)


@pytest.mark.usefixtures("slow")
async def test_another_process_stops_a_run_through_the_database(runner, place, plain_folder):
    run = await runner.start("shop", STREAM, "things")
    async with Runner(place, [plain_folder]) as other:
        assert (await other.stop(run.id)).stop_requested
    assert (await runner.wait(run.id)).state is RunState.STOPPED


@pytest.mark.usefixtures("slow")
async def test_a_host_that_is_shut_down_leaves_runs_that_can_be_resumed(place, plain_folder):
    async with Runner(place, [plain_folder]) as first:
        run = await first.start("shop", STREAM, "things")
    async with Runner(place, [plain_folder]) as second:
        left = second.store.get(run.id)
        assert (left.state, left.message) == (RunState.INTERRUPTED, "The host was shut down.")
        resumed = await second.resume(run.id)
        assert resumed.attempt == 2
        await second.stop(run.id)


@pytest.mark.usefixtures("shop")
async def test_the_same_work_is_run_again(runner):
    first = await finished(runner, "shop", STREAM, "things", {"limit": 2})
    second = await runner.again(first.id)
    assert second.id != first.id
    assert second.parameters == {"limit": 2}
    assert (await runner.wait(second.id)).counts["written"] == 2
    assert [run.id for run in runner.store.list()] == [second.id, first.id]


@pytest.mark.usefixtures("shop")
async def test_a_follower_sees_every_event_in_order_from_where_it_wants(runner, store, clock_that_jumps):
    run = await runner.start("shop", STREAM, "things")
    elsewhere = RunStore(store.database, clock=clock_that_jumps)
    seen = [event async for event in elsewhere.follow(run.id)]
    assert [event.number for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].data["state"] == "success"
    progress = [event for event in seen if event.kind is EventKind.PROGRESS]
    assert progress[-1].data["written"] == 23
    later = [event async for event in elsewhere.follow(run.id, after=seen[-2].number)]
    assert later == [seen[-1]]
    with pytest.raises(UnknownName):
        async for _ in elsewhere.follow("no such run"):
            pass


async def test_an_environment_replaces_the_instance(runner, vendor, add_shop, store):
    live, sandbox = vendor(), vendor()
    add_shop(live, "live")
    add_shop(sandbox, "sandbox")
    EnvironmentStore(store).add("staging", {"live": "sandbox"})
    run = await finished(runner, "live", STREAM, "colours", environment="STAGING")
    assert run.instance == "sandbox"
    assert (len(live.requests), len(sandbox.requests)) == (0, 1)


async def test_many_runs_go_side_by_side(runner, vendor, add_shop):
    running = vendor()
    for number in range(8):
        add_shop(running, f"shop {number}")
    started = await asyncio.gather(*(runner.start(f"shop {number}", STREAM, "things") for number in range(8)))
    ended = [await runner.wait(run.id) for run in started]
    assert {run.state for run in ended} == {RunState.SUCCESS}
    assert {run.counts["written"] for run in ended} == {23}


async def test_a_secret_in_an_answer_does_not_reach_log_or_sample(runner, vendor, add_shop):
    running = vendor(faults=["400"])
    add_shop(running)
    running.things["t1"]["name"] = f"token {SECRET}"
    run = await finished(runner, "shop", STREAM, "things", {"limit": 1})
    again = await finished(runner, "shop", STREAM, "things", {"limit": 1})
    told = repr([event.data for each in (run, again) for event in runner.store.events(each.id)] + [run, again])
    assert SECRET not in told
    assert "token ••••••" in told
