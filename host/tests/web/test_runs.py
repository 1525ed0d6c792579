import json
import re

import pytest

from connector_host.instances import InstanceState
from connector_host.runs import RunKind, RunState, ScheduleStore

from .conftest import Visitor


async def _pull(visitor, instance, stream="things", **fields):
    page = await visitor.get(f"/instances/{instance.id}/streams/{stream}")
    form = _form(page, f"/streams/{stream}")
    given = {f"parameters.{key}": value for key, value in fields.items()}
    return await visitor.post(form["action"], {**dict(form.fields()), **given})


def _form(page, ending):
    return next(form for form in page.all("form") if (form["action"] or "").endswith(ending))


async def _ended(app, page):
    return await app.state.runner.wait(page.path.rsplit("/", 1)[-1])


def _events(text):
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            yield lines["event"], json.loads(lines["data"])


async def test_nothing_has_run_yet(visitor, add_instance):
    instance = add_instance()
    assert "Nothing has run yet" in (await visitor.get("/runs")).main
    page = await visitor.get(f"/instances/{instance.id}/runs")
    assert "Choose a stream to pull" in page.main
    assert "never" in (await visitor.get(f"/instances/{instance.id}/streams")).main


async def test_a_stream_is_pulled_watched_and_downloaded(visitor, app, add_instance):
    page = await _pull(visitor, add_instance())
    run = await _ended(app, page)
    assert run.state is RunState.SUCCESS
    page = await visitor.get(page.path)
    assert "23" in page.one("dl", class_="counts").text
    link = page.one("a", href=f"/runs/{run.id}/files/things.jsonl")
    lines = (await visitor.http.get(link["href"])).text.splitlines()
    assert len(lines) == 23
    assert json.loads(lines[0])["id"] == "t1"
    assert re.search(r"\d\d:\d\d:\d\d .* things.ListThings", page.one("ol", class_="log").text)
    assert page.one("pre", aria_label="Sample of things")


@pytest.mark.parametrize("state", ["incomplete", "disabled"])
async def test_an_instance_that_cannot_be_used_offers_what_to_do_first(visitor, app, add_instance, vendor, state):
    words, place = {"incomplete": ("Enter it first", "/edit/credentials"), "disabled": ("Enable it first", "")}[state]
    instance = add_instance()
    done = await _pull(visitor, instance)
    await _ended(app, done)
    old = await visitor.get(f"/instances/{instance.id}/streams/things")
    app.state.host.store.set_state(instance.name, InstanceState(state), "Its secrets are not entered: API token.")
    asked = len(vendor.requests)
    for path in (old.path, done.path):
        page = await visitor.get(path)
        assert not [each for each in page.one("main").all("button") if each.text in ("Begin", "Run it again")]
        link = next(each for each in page.all("a") if each.text == words)
        assert link["href"] == f"/instances/{instance.id}{place}"
        assert (await visitor.get(link["href"])).status == 200
    assert "Test it now" not in (await visitor.get(f"/instances/{instance.id}")).main
    form = _form(old, "/streams/things")
    for more in ({}, {"parameters.when": "60"}):
        page = await visitor.post(form["action"], {**dict(form.fields()), **more})
        assert "Nothing was begun" in page.one(role="alert").text
    assert len(app.state.runner.store.list(instance_id=instance.id)) == 1
    assert ScheduleStore(app.state.host.store.database).list(instance_id=instance.id) == ()
    assert len(vendor.requests) == asked


async def test_progress_is_sent_piece_by_piece_until_the_end(visitor, app, add_instance):
    page = await _pull(visitor, add_instance())
    await _ended(app, page)
    answer = await visitor.http.get(f"{page.path}/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = list(_events(answer.text))
    assert events[-1][0] == "end"
    status = [html for kind, html in events if kind == "status"][-1]
    assert "success" in status
    assert "things.jsonl" in status
    assert any("things.ListThings" in html for kind, html in events if kind == "line")
    later = await visitor.http.get(f"{page.path}/live", headers={"Last-Event-ID": "10000"})
    assert [kind for kind, _ in _events(later.text)] == ["status", "end"]


async def test_parameters_that_are_none_are_told_beside_their_field(visitor, add_instance, vendor):
    page = await _pull(visitor, add_instance(), since="yesterday", limit="many")
    assert "Write 2026-01-31" in page.error_of("parameters.since")
    assert "not a whole number" in page.error_of("parameters.limit")
    assert page.one(name="parameters.since")["value"] == "yesterday"
    assert vendor.requests == []


async def test_the_form_offers_what_the_stream_can_do(visitor, add_instance):
    instance = add_instance()
    page = await visitor.get(f"/instances/{instance.id}/streams/things")
    assert [each["value"] for each in page.one(name="parameters.mode").all("option")] == [
        "incremental",
        "changes",
        "full",
    ]
    states = [each["value"] for each in page.one(name="parameters.filters.state").all("option")]
    assert states == ["", "present", "archived"]
    assert page.one(name="parameters.filters.colour")["type"] == "text"
    columns = [each["value"] for each in page.all(name="parameters.columns")]
    assert columns == ["id", "name", "colour", "weight", "archived", "updated_at"]
    page = await visitor.get(f"/instances/{instance.id}/streams/colours")
    options = {each["value"]: each.text for each in page.one(name="parameters.mode").all("option")}
    assert options == {
        "changes": "What differs from the last run: created, updated, removed",
        "full": "Everything",
    }
    assert not list(page.all(name="parameters.since"))
    assert not list(page.all(name="parameters.filters.state"))


async def test_runs_go_on_from_each_other_and_say_so_until_the_stream_is_started_over(visitor, app, add_instance):
    instance = add_instance()
    first = await _ended(app, await _pull(visitor, instance))
    page = await _pull(visitor, instance)
    second = await _ended(app, page)
    assert (first.counts["written"], second.counts["written"]) == (23, 0)
    page = await visitor.get(page.path)
    told = page.one(id="run-status").text
    assert "It goes on from an earlier run and reads what changed." in told
    assert "The next run goes on from" in told
    assert page.one("a", href=f"/runs/{first.id}")
    page = await visitor.get(f"/instances/{instance.id}/streams/things")
    assert "Changes are read up to" in page.main
    page = await visitor.get(page.one("a", class_="button small danger")["href"])
    page = await visitor.send(page)
    assert "The next run reads everything." in page.source
    assert "Changes are read up to" not in page.main
    third = await _ended(app, await _pull(visitor, instance))
    assert third.counts["written"] == 23


async def test_what_a_run_was_asked_for_is_told_in_words(visitor, app, add_instance):
    page = await _pull(
        visitor,
        add_instance(),
        mode="full",
        columns=["name", "colour"],
        normalise="true",
        **{"filters.colour": "red", "filters.state": "present"},
    )
    run = await _ended(app, page)
    assert run.parameters == {
        "mode": "full",
        "filters": {"colour": "red", "state": "present"},
        "columns": ["name", "colour"],
        "normalise": True,
    }
    told = (await visitor.get(page.path)).main
    for words in ("Reads Everything", "Only colour red", "Fields name, colour", "It reads everything."):
        assert words in told


async def test_a_run_that_another_has_gone_on_from_cannot_be_resumed(visitor, app, add_instance, vendor):
    instance = add_instance()
    token = vendor.options["token"]
    vendor.options = {**vendor.options, "token": "tok-another-one"}
    page = await _pull(visitor, instance)
    await _ended(app, page)
    assert [form.one("button").text for form in (await visitor.get(page.path)).one(id="run-status").all("form")] == [
        "Resume",
        "Run it again",
    ]
    vendor.options = {**vendor.options, "token": token}
    later = await _ended(app, await _pull(visitor, instance))
    status = (await visitor.get(page.path)).one(id="run-status")
    assert status.one("a", href=f"/runs/{later.id}").text == "A later run"
    assert [form.one("button").text for form in status.all("form")] == ["Run it again"]


async def test_a_limit_is_kept(visitor, app, add_instance):
    page = await _pull(visitor, add_instance(), limit="3", since="2026-01-01")
    assert (await _ended(app, page)).counts["written"] == 3
    assert "2026-01-01" in (await visitor.get(page.path)).main


async def test_a_run_that_fails_says_what_to_do_and_shows_with_its_instance(visitor, app, add_instance, vendor):
    instance = add_instance(credentials={**vendor.credentials, "access": "Other"})
    page = await _pull(visitor, instance)
    run = await _ended(app, page)
    assert run.state is RunState.FAILURE
    page = await visitor.get(page.path)
    assert "Plain.Things.ReadNode" in page.one("div", class_="note warning").text
    assert [form.one("button").text for form in page.one(id="run-status").all("form")] == ["Resume", "Run it again"]
    page = await visitor.get("/instances")
    assert "failure" in page.one("tbody").text


async def test_a_run_is_done_again_and_resumed(visitor, app, add_instance, vendor):
    vendor.options = {**vendor.options, "token": "tok-another-one"}
    page = await _pull(visitor, add_instance(), limit="2")
    run = await _ended(app, page)
    assert run.state is RunState.FAILURE
    vendor.options = {**vendor.options, "token": vendor.credentials["api_token"]}
    for word, same in (("resume", True), ("again", False)):
        form = next(each for each in (await visitor.get(page.path)).all("form") if each["action"].endswith(word))
        after = await visitor.post(form["action"], dict(form.fields()))
        assert (after.path == page.path) is same
        assert (await _ended(app, after)).counts["written"] == 2
    assert app.state.runner.store.count() == 2


async def test_a_run_under_way_is_stopped(visitor, add_instance, vendor):
    vendor.options = {**vendor.options, "slow": True}
    instance = add_instance()
    page = await _pull(visitor, instance)
    assert "data-live" in page.one(id="run-status").attributes
    second = await _pull(visitor, instance)
    assert "under way already" in second.main
    stop = next(each for each in page.all("form") if each["action"].endswith("/stop"))
    page = await visitor.post(stop["action"], dict(stop.fields()))
    assert "stopped" in page.one(id="run-status").text
    page = await visitor.get(f"/instances/{instance.id}/remove")
    assert (await visitor.send(page, {"word": "confirm"})).path == "/instances"


async def test_dead_letters_are_shown_with_their_reason(visitor, app, add_instance):
    page = await _pull(visitor, add_instance(), stream="colours")
    run = await _ended(app, page)
    letters = app.state.runner.folder_of(run.id) / "colours.dead.jsonl"
    letters.write_text('{"reason": "It has no key.", "record": {"name": "<b>"}}\n')
    page = await visitor.get(page.path)
    assert "It has no key." in page.one("pre", aria_label="Dead letters").text
    assert "<b>" not in page.source


async def test_runs_are_listed_by_state(visitor, app, add_instance):
    instance = add_instance()
    for _ in range(27):
        page = await _pull(visitor, instance, stream="colours")
        await _ended(app, page)
    page = await visitor.get("/runs")
    assert "27 runs, page 1 of 2" in page.main
    assert "No run is in this state" in (await visitor.get("/runs?state=failure")).main
    page = await visitor.get(f"/instances/{instance.id}/runs?page=2")
    assert len(list(page.one("tbody").all("tr"))) == 2


async def test_runs_are_searched_on_the_server_and_the_address_keeps_the_search(visitor, app, add_instance):
    shops = [add_instance(name) for name in ("North", "South")]
    for shop in shops:
        for what in ("colours", "things") * 7:
            app.state.runner.store.add(shop, RunKind.STREAM, what, {})
    page = await visitor.get("/runs?search=COLOURS+north&state=started")
    assert "7 runs" in page.main
    assert {each.text for each in page.one("tbody").all("th")} == {"colours North"}
    assert page.one("input", name="search")["value"] == "COLOURS north"
    page = await visitor.get("/runs?search=th&state=started")
    assert "28 runs, page 1 of 2" in page.main
    page = await visitor.get(page.one("a", rel="next")["href"])
    assert page.path == "/runs?search=th&state=started&page=2"
    assert len(list(page.one("tbody").all("tr"))) == 3
    assert "14 runs" in (await visitor.get(f"/instances/{shops[0].id}/runs?search=north")).main
    page = await visitor.get("/runs?search=colours+west")
    assert "No run fits" in page.main
    assert page.one("input", name="search")["value"] == "colours west"
    part = await visitor.http.get("/runs?search=south+things", headers={"HX-Target": "runs"})
    assert "7 runs" in part.text
    assert "<html" not in part.text


async def test_a_search_for_what_is_no_text_finds_nothing_in_any_database(any_home, make_app):
    app = make_app(home=any_home)
    shop = {"connector": "plain", "connector_version": 3, "authentication": "Token", "settings": {}, "credentials": {}}
    app.state.runner.store.add(app.state.host.store.add("Shop", **shop), RunKind.STREAM, "things", {})
    visitor = Visitor(app)
    await visitor.sign_in()
    for path, words in (("/instances", "No instance fits"), ("/runs", "No run fits")):
        page = await visitor.get(f"{path}?search=%00sho")
        assert (page.status, words in page.main) == (200, True)
    assert "<option" not in (await visitor.get("/environments/instances?instance=sho%00")).source
    for path in ("/instances/%00", "/runs/%00"):
        assert (await visitor.get(path)).status in (404, 422)
    await visitor.http.aclose()


@pytest.mark.parametrize("name", ["../../instances.db", "lock", "nothing", "%2e%2e%2f%2e%2e%2finstances.db"])
async def test_only_files_of_the_run_are_given_out(visitor, app, add_instance, name):
    instance = add_instance()
    run = await app.state.runner.start(instance.name, RunKind.STREAM, "colours")
    await app.state.runner.wait(run.id)
    assert (await visitor.http.get(f"/runs/{run.id}/files/{name}")).status_code == 404


async def test_a_run_that_is_not_there_is_told(visitor):
    assert (await visitor.get("/runs/nothing")).status == 404


@pytest.mark.parametrize(("when", "told"), [("60", "Every 60 minutes"), ("30 6 * * mon-fri", "30 6 * * mon-fri")])
async def test_a_stream_is_planned_and_no_more(visitor, app, add_instance, when, told):
    instance = add_instance()
    path = f"/instances/{instance.id}/streams/things"
    page = await _pull(visitor, instance, when=when, columns=["name", "colour"])
    planned = page.one("li", class_="inline").text
    assert told in planned
    assert "next" in planned
    assert "Fields: name, colour" in planned
    assert app.state.runner.store.count() == 0
    page = await visitor.get(f"/instances/{instance.id}/remove")
    assert "a schedule of things" in (await visitor.send(page, {"word": "confirm"})).main
    page = await visitor.get((await visitor.get(path)).one("li", class_="inline").one("a")["href"])
    assert told in page.main
    assert "Fields: name, colour" in page.main
    assert page.one("a", class_="quiet")["href"] == f"{path}#schedules"
    assert "next" in (await visitor.get(path)).one("li", class_="inline").text
    after = await visitor.send(page)
    assert "The schedule is removed." in after.source
    assert not list(after.all("li", class_="inline"))
    assert (await visitor.send(page)).path == (await visitor.get(page.path)).path == path


async def test_a_schedule_is_removed_on_the_page_of_its_own_stream_only(visitor, app, add_instance):
    shop, other = add_instance(), add_instance("Other")
    store = ScheduleStore(app.state.host.store.database)
    schedule = store.add(shop, RunKind.STREAM, "things", {}, every_minutes=5)
    for place in (f"{other.id}/streams/things", f"{shop.id}/streams/colours"):
        page = await visitor.get(f"/instances/{shop.id}/streams/things/schedules/{schedule.id}/remove")
        address = f"/instances/{place}/schedules/{schedule.id}/remove"
        assert (await visitor.get(address)).path == f"/instances/{place}"
        assert (await visitor.post(address, dict(page.form.fields()))).path == f"/instances/{place}"
    assert store.list() == (schedule,)


async def test_a_plan_that_is_none_is_told_beside_its_field(visitor, add_instance):
    instance = add_instance()
    for when in ("0", "never"):
        page = await _pull(visitor, instance, when=when, limit="3")
        assert page.error_of("parameters.when"), when
        assert page.one(name="parameters.when")["value"] == when
        assert page.one(name="parameters.limit")["value"] == "3"
        assert not list(page.all("li", class_="inline"))
