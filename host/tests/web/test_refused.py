"""No answer to a form is drawn where it was sent to: it has an address of its own, which a reload asks for again."""

import re

import anyio.lowlevel
import pytest
from starlette.routing import Route

from connector_host.connectors import load_connector
from connector_host.contract.errors import VendorUnreachable
from connector_host.instances import EnvironmentStore, TokenStore
from connector_host.runs import RunKind, RunState, ScheduleStore
from connector_host.web import app as app_module
from connector_host.web.answers import Trial
from connector_host.web.drafts import Draft
from connector_host.web.host_settings import NewToken
from connector_host.web.pages import action
from connector_host.web.refused import Refused
from connector_host.web.shelves import Limits, Shelf, Shelves

MARKER = "tok-5ec2e7-marker"
GONE = "What was typed here is not kept any longer."
FORMS = {
    "/connectors/{name}/add/{draft}/{step}": "Give it a name of 1 to 80 characters",
    "/instances/import": "This is not a JSON object.",
    "/instances/import/{draft}": "Give it a name of 1 to 80 characters",
    "/instances/{id}/test": "The test did not get through",
    "/instances/{id}/remove": "Type the word confirm to remove it.",
    "/instances/{id}/edit/{section}": "This is a text, not a whole number.",
    "/instances/{id}/duplicate": "The name has 99 characters.",
    "/environments": "The name has 99 characters.",
    "/environments/{id}/replacements": "There is no instance",
    "/environments/{id}/replacements/{instance}/remove": "",
    "/environments/{id}/remove": "",
    "/instances/{id}/operations/{operation}": "The form and the JSON were both changed",
    "/instances/{id}/calls/{trial}": "That did not work",
    "/instances/{id}/streams/{stream}": "This is a text, not a whole number.",
    "/instances/{id}/streams/{stream}/reset": "",
    "/instances/{id}/streams/{stream}/schedules/{schedule}/remove": "",
    "/runs/{run}/stop": "",
    "/runs/{run}/resume": "Nothing was begun",
    "/runs/{run}/again": "Nothing was begun",
    "/settings/keys": "",
    "/settings/retention": "This is a text, not a whole number.",
    "/settings/tokens": "The name has 99 characters.",
    "/settings/tokens/{id}/revoke": "",
    "/instances/{id}/disable": "",
    "/instances/{id}/enable": "It is enabled, but the test did not get through",
    "/sign-out": "",
}
"""Every form but the one to sign in, and what is told about the wrong values below; empty where none can be wrong."""
WRONG = {
    "name": "x" * 99,
    "document": "{",
    "word": "confrim",
    "settings.rate_limit_amount": "many",
    "instance": "Nobody",
    "replacement": "Nobody",
    "json": "{",
    "parameters.limit": "many",
    "log_days": "many",
    "go": "call",
}


def form_to(page, end):
    return next(each for each in page.all("form") if (each["action"] or page.path).partition("?")[0].endswith(end))


async def send(visitor, page, end, **changes):
    form = form_to(page, end)
    fields = {**dict(form.fields()), **changes}
    fields.pop("file", None)
    return await visitor.post(form["action"], fields)


async def csrf_of(visitor):
    return (await visitor.get("/instances")).one("form", action="/sign-out").one(name="_csrf")["value"]


def told(page):
    """What the page announces, and what stands beside its fields."""
    alerts = [each.text for each in page.all(role="alert")]
    return [*alerts, *(each.text for each in page.all("p", class_="error"))]


def steps(page):
    """The statuses and the kinds of request on the way to a page."""
    return [(each.request.method, each.status_code) for each in (*page.answer.history, page.answer)]


def test_every_form_is_in_the_table():
    posts = [each.path for each in app_module._routes() if isinstance(each, Route) and "POST" in each.methods]
    assert sorted(posts) == sorted({*FORMS, "/sign-in"})


@pytest.fixture
def unreachable(monkeypatch):
    """Let every test of an instance fail, as if the vendor were down."""

    async def fail(*_, **__):
        raise VendorUnreachable("The vendor does not answer.", next_step="Try again later.")

    monkeypatch.setattr("connector_host.web.instances.retest_instance", fail)
    monkeypatch.setattr("connector_host.web.editing.enable_instance", fail)


@pytest.fixture
def places(visitor, app, add_instance):
    """For each address of a form one that is there."""
    del visitor
    database = app.state.host.store.database
    instance, other = add_instance(), add_instance("Sandbox")
    environment = EnvironmentStore(app.state.host.store).add("staging", {"Shop": "Sandbox"})
    schedule = ScheduleStore(database).add(other, RunKind.STREAM, "things", {}, every_minutes=60)
    token, _ = TokenStore(database).add("program")
    run = app.state.runner.store.add(instance, RunKind.STREAM, "gone", {})
    app.state.runner.store.finish(run.id, RunState.SUCCESS)
    [session] = app.state.host.sessions._shelf
    shelves, name = app.state.shelves, "of-this-session"
    shelves[Draft].put(Draft.begin(load_connector("plain", app.state.host.options.folders)), owner=session, name=name)
    shelves[Trial].put(Trial(instance.id, "things.CreateThing", {}), owner=session, name=name)
    parts = {"name": "plain", "draft": name, "step": "name", "section": "settings", "instance": instance.id}
    parts |= {"operation": "things.CreateThing", "trial": name, "stream": "things", "schedule": schedule.id}
    ids = {"/environments": environment.id, "/settings": token.id, "/instances": instance.id}

    def place(path):
        own = {"id": ids.get(f"/{path.split('/')[1]}", ""), "run": run.id}
        own |= {"id": other.id} if "{schedule}" in path else {}
        return path.format(**parts, **own)

    return place


@pytest.mark.usefixtures("unreachable")
async def test_a_wrong_value_in_any_form_is_told_at_an_address_that_a_reload_asks_for(visitor, places):
    csrf, wrong = await csrf_of(visitor), {}
    for path, words in FORMS.items():
        page = await visitor.post(places(path), {**WRONG, "_csrf": csrf})
        again = await visitor.get(page.path)
        if (
            page.status != 200
            or steps(page)[0] != ("POST", 303)
            or {method for method, _ in steps(page)[1:]} != {"GET"}
            or told(page) != told(again)
            or not any(words in each for each in told(page) or [""])
            or bool(told(page)) != bool(words)
        ):
            wrong[path] = (steps(page), page.path, told(page), told(again))
    assert wrong == {}


@pytest.fixture
def shops(add_instance):
    return add_instance("Live"), add_instance("Sandbox")


async def refused_forms(visitor, instance):
    """One refused form of each kind."""
    path = f"/instances/{instance.id}"
    made = await send(visitor, await visitor.get("/environments"), "/environments", name=f"Of {instance.name}")
    return [
        await send(visitor, await visitor.get("/environments"), "/environments", name="  a / b  "),
        await send(visitor, made, "/replacements", instance="Nobody", replacement="Nobody either"),
        await send(visitor, await visitor.get("/settings"), "/retention", log_days="many"),
        await send(visitor, await visitor.get("/settings"), "/tokens", name="a / b"),
        await send(visitor, await visitor.get("/instances/import"), "/import", document="{"),
        await send(visitor, await visitor.get(f"{path}/remove"), "/remove", word="confrim"),
        await send(visitor, await visitor.get(f"{path}/edit"), "/duplicate", name="a / b"),
        await send(visitor, await visitor.get(f"{path}/edit/name"), "/edit/name", name="a / b"),
        await send(visitor, await visitor.get(f"{path}/streams/things"), "/things", **{"parameters.limit": "many"}),
    ]


async def test_what_was_typed_stands_in_the_form_again_and_not_in_its_address(visitor, shops):
    typed = ["a / b", "Nobody either", "many", "a / b", None, "confrim", "a / b", "a / b", "many"]
    for page, words in zip(await refused_forms(visitor, shops[0]), typed, strict=True):
        assert re.fullmatch(r"[-/a-z0-9]+\?refused=[-\w]{22}", page.path), page.path
        values = [each["value"] for each in page.all("input")]
        assert words is None or words in values, page.path


async def test_a_refused_form_that_is_gone_or_of_another_session_is_empty_and_says_so(visitor, other, shops, clock):
    pages = await refused_forms(visitor, shops[0])
    theirs = [await other.get(page.path) for page in pages]
    unknown = [await visitor.get(f"{page.path.partition('?')[0]}?refused=nothing") for page in pages]
    crossed = [await visitor.get(f"{pages[0].path.partition('?')[0]}?{pages[2].path.partition('?')[2]}")]
    clock.advance(1801)
    for page in [*theirs, *unknown, *crossed, *[await visitor.get(each.path) for each in pages]]:
        assert page.status == 200
        assert GONE in page.one(class_="note warning").text
        assert told(page) == []
        assert not {"a / b", "many", "confrim", "Nobody either"} & {each["value"] for each in page.all("input")}
        assert GONE not in (await visitor.get(page.path.partition("?")[0])).main


async def test_two_tabs_do_not_mix_up(visitor, shops):
    first, second = [await refused_forms(visitor, each) for each in shops]
    for one, two in zip(first, second, strict=True):
        assert one.path != two.path
        assert told(await visitor.get(one.path)) == told(one)
    live = await visitor.get(first[5].path)
    page = await send(visitor, live, "/remove", word="confirm")
    assert "was removed" in page.main
    assert told(await visitor.get(second[5].path)) == ["Type the word confirm to remove it."]


async def test_secrets_of_a_refused_form_stay_on_the_server_and_count_when_it_is_mended(visitor, app, add_instance):
    path = f"/instances/{add_instance().id}/edit/credentials"
    page = await visitor.send(await visitor.get(path), {"credentials.api_token": MARKER, "credentials.access": ""})
    assert "A value is kept; leave the field empty to keep it." in page.main
    assert (await visitor.get(page.path)).main == page.main
    document = f'{{"connector": "plane", "credentials": {{"api_token": "{MARKER}"}}'
    page = await visitor.send(await visitor.get("/instances/import"), {"document": document, "file": None})
    assert f"The text of {len(document)} characters was not taken." in page.error_of("document")
    assert MARKER not in f"{visitor.pages} {dict(visitor.http.cookies)}"
    page = await visitor.send(await visitor.get(path), {"credentials.api_token": MARKER, "credentials.access": ""})
    await visitor.send(page, {"credentials.access": "Things"}, go="untested")
    assert app.state.host.store.credentials("Shop", [])["api_token"] == MARKER


async def test_refused_forms_are_bounded_and_forgotten_with_the_session(visitor, app):
    csrf, shelves = await csrf_of(visitor), app.state.shelves
    for number in range(205):
        await visitor.http.post("/environments", data={"name": f"{number}/", "_csrf": csrf}, follow_redirects=False)
    assert len(shelves[Refused]) == 200
    await visitor.post("/sign-out", {"_csrf": csrf})
    assert len(shelves[Refused]) == 0


async def test_an_error_page_of_a_form_has_an_address_of_its_own(visitor, other, clock):
    csrf = await csrf_of(visitor)
    headers = {"Referer": "http://127.0.0.1:8765/runs?page=2"}
    page = await visitor.post("/runs/nothing/stop", {"_csrf": csrf}, headers=headers)
    assert steps(page) == [("POST", 303), ("GET", 404)]
    assert (await visitor.get(page.path)).source == page.source
    assert page.one("a", href="/runs?page=2")
    assert "There is no run" in page.main
    seen = await other.get(page.path)
    assert (seen.status, seen.path) == (200, "/connectors")
    clock.advance(1801)
    assert "is not kept any longer" in (await visitor.get(page.path)).main


@pytest.mark.parametrize(
    "referer", ["http://evil.example/x", "http://127.0.0.1:8765//evil.example", "javascript:x", ""]
)
async def test_an_error_page_leads_nowhere_else(visitor, referer):
    page = await visitor.post("/runs/nothing/stop", {"_csrf": await csrf_of(visitor)}, headers={"Referer": referer})
    links = [each["href"] for each in page.all("a")]
    assert "/x" not in links
    assert not [each for each in links if "evil" in each or "script" in each]


async def test_a_body_that_is_too_large_is_told_at_an_address_of_its_own(visitor):
    page = await visitor.post("/instances/import", {}, files={"file": b"x" * 1_100_000})
    assert steps(page) == [("POST", 303), ("GET", 413)]
    assert "more than 1,048,576 bytes" in (await visitor.get(page.path)).main


async def test_a_fault_while_a_form_is_answered_is_not_met_again_by_a_reload(monkeypatch, make_app, stranger):
    made = []

    async def faulty(request, filled):
        made.append(filled)
        raise RuntimeError(request.url.path)

    routes = app_module._routes
    monkeypatch.setattr(app_module, "_routes", lambda: [action("/faulty", faulty), *routes()])
    stranger.http._transport.app = make_app()
    await stranger.sign_in()
    page = await stranger.post("/faulty", {"_csrf": await csrf_of(stranger)})
    assert steps(page) == [("POST", 303), ("GET", 500)]
    assert (await stranger.get(page.path)).main == page.main
    assert len(made) == 1


async def test_a_sign_in_that_fails_is_told_to_this_browser_alone(stranger):
    page = await stranger.sign_in("WRONG", next="/runs")
    assert steps(page) == [("POST", 303), ("GET", 200)]
    assert "That token is not right." in (await stranger.get(page.path)).main
    assert "WRONG" not in str(stranger.pages)
    assert (await stranger.send(page, {"secret": "ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2"})).path == "/runs"
    stranger.http.cookies.clear()
    seen = await stranger.get(page.path)
    assert "That token is not right." not in seen.main
    assert GONE in seen.main


async def test_a_new_token_is_shown_once(visitor, other):
    csrf = await csrf_of(visitor)
    answer = await visitor.http.post("/settings/tokens", data={"name": "p", "_csrf": csrf}, follow_redirects=False)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert "cht_" not in address
    assert "cht_" not in (await other.get(address)).source
    assert "cht_" in (await visitor.get(address)).source
    again = await visitor.get(address)
    assert "A new token is shown once." in again.main
    assert "cht_" not in again.source


@pytest.mark.usefixtures("unreachable")
async def test_the_test_of_an_instance_that_fails_is_still_told_after_a_reload(visitor, other, add_instance):
    page = await visitor.get(f"/instances/{add_instance().id}")
    page = await send(visitor, page, "/test")
    assert "The vendor does not answer." in page.one(role="alert").text
    assert told(await visitor.get(page.path)) == told(page)
    assert "is not kept any longer" in (await other.get(page.path)).main
    assert told(await visitor.get(f"/instances/{add_instance('Other').id}?{page.path.partition('?')[2]}")) == []


async def test_the_answer_of_a_call_is_kept_for_an_hour_at_most(visitor, add_instance, clock, vendor):
    path = f"/instances/{add_instance().id}/operations/things.CreateThing"
    page = await visitor.send(await visitor.get(path), {"input.name": "Ball"}, go="call")
    page = await visitor.send(page)
    for _ in range(3):
        clock.advance(1190)
        assert (await visitor.get(page.path)).main == page.main
    clock.advance(60)
    assert (await visitor.get(page.path)).status == 410
    assert (
        "The input is not kept any longer." in (await visitor.get(f"{path}?call={page.path.rpartition('/')[2]}")).main
    )
    assert [request[0] for request in vendor.requests] == ["POST"]


async def test_what_was_kept_goes_in_time_even_when_nobody_asks_for_anything(make_app, clock):
    app = make_app()
    async with app.router.lifespan_context(app):
        shelf = app.state.shelves[NewToken]
        shelf.put(NewToken("program", MARKER))
        await clock_sleeps(clock, 60)
        clock.advance(601)
        await clock_sleeps(clock, 60)
        assert not shelf._places


async def clock_sleeps(clock, seconds):
    """Let tasks go on until one of them sleeps for so long."""
    while seconds not in clock.slept:
        await anyio.lowlevel.checkpoint()
    clock.slept.clear()


def test_a_name_is_never_taken_from_its_owner(clock):
    shelf = Shelf(clock, Limits(10, 60.0))
    mine, theirs = object(), object()
    name = shelf.put("mine", owner=mine, name="chosen")
    other = shelf.put("theirs", owner=theirs, name="chosen")
    assert (name, shelf.get(name, owner=mine), shelf.get(other, owner=theirs)) == ("chosen", "mine", "theirs")
    assert (shelf.get(name, owner=theirs), shelf.take(name, owner=theirs), shelf.get(name)) == (None, None, None)
    shelves = Shelves(clock, {str: Limits(1, 60.0)})
    kept = [shelves[str].put(each) for each in ("first", "second")]
    assert [shelves[str].get(each) for each in kept] == [None, "second"]
