import pytest
from starlette.routing import Route

from connector_host.contract.errors import ConfigurationError
from connector_host.web import PasswordAccess, TokenAccess
from connector_host.web.access import access_from

TOKEN = "ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2"

PAGES = ["/", "/connectors", "/connectors/plain", "/instances", "/connectors/plain/add", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_the_sign_in_page_and_back(stranger, path):
    page = await stranger.get(path)
    assert page.answer.url.path == "/sign-in"
    expected = path if path != "/" else "/"
    assert page.one(name="next")["value"] == expected


async def test_the_token_lets_in_however_it_is_typed(stranger):
    page = await stranger.sign_in("abcdefghjk lmnpq-rstuv-wxyz2")
    assert page.answer.url.path == "/connectors"
    assert "HttpOnly" in stranger.http.cookies.jar._cookies["127.0.0.1"]["/"]["connector_host_session"]._rest


async def test_a_wrong_token_says_so_and_stays_outside(stranger):
    page = await stranger.sign_in("WRONG-TOKEN")
    assert "That token is not right." in page.main
    assert (await stranger.get("/instances")).answer.url.path == "/sign-in"


async def test_sign_in_needs_the_form_of_the_same_browser(stranger):
    page = await stranger.get("/sign-in")
    answer = await stranger.post("/sign-in", {"secret": "ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2", "_csrf": "made-up"})
    assert "This form was out of date" in answer.main
    assert (await stranger.get("/instances")).answer.url.path == "/sign-in"
    assert page.one(name="_csrf")["value"] != "made-up"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
async def test_signing_in_never_leads_elsewhere(stranger, target):
    page = await stranger.sign_in(next=target)
    assert page.answer.url.host == "127.0.0.1"
    assert page.answer.url.path == "/connectors"


async def test_tries_are_limited_and_free_again_after_a_minute(stranger, clock):
    for _ in range(10):
        assert "That token is not right." in (await stranger.sign_in("WRONG")).main
    page = await stranger.sign_in()
    assert "There were too many tries. Wait 1 min 1 s, then try again." in page.main
    clock.advance(61)
    assert "You can try again now." in (await stranger.get(page.path)).main
    assert (await stranger.sign_in()).answer.url.path == "/connectors"


async def test_every_sign_in_that_fails_is_logged_with_its_address_and_nothing_typed(make_app, stranger, caplog):
    stranger.http._transport.app = make_app(access=PasswordAccess.with_password("ada", "a long enough one"))
    await stranger.send(await stranger.get("/sign-in"), {"user": "ada", "secret": "a long enough one"})
    assert caplog.messages == []
    await stranger.http.post("/sign-out")
    stranger.http.cookies.clear()
    for _ in range(10):
        await stranger.send(await stranger.get("/sign-in"), {"user": "a typed secret", "secret": "another"})
    assert {(each.name, each.levelname) for each in caplog.records} == {("connector_host.web", "WARNING")}
    wrong, many = "wrong user or password.", "too many tries."
    assert caplog.messages == [f"A sign-in from 127.0.0.1 was refused: {why}" for why in (*[wrong] * 9, many)]


async def test_what_is_sent_after_the_session_ended_leads_back_to_its_form_and_is_told(visitor, clock, add_instance):
    form = f"/instances/{add_instance().id}/edit/name"
    page = await visitor.get(form)
    clock.advance(13 * 3600)
    typed = {**dict(page.form.fields()), "name": "Typed"}
    origin = {"Referer": f"http://127.0.0.1:8765{form}"}
    asked = await visitor.post(page.form["action"] or form, typed, headers=origin)
    assert asked.answer.url.path == "/sign-in"
    assert "Your session had ended, so what you sent was not taken." in asked.text
    assert "Typed" not in asked.source
    assert (await visitor.send(asked, {"secret": TOKEN})).path == form


async def test_a_part_of_a_page_leads_back_to_the_whole_page(stranger):
    for origin, target in (
        ("http://127.0.0.1:8765/instances?page=2", "/sign-in?next=%2Finstances%3Fpage%3D2"),
        ("http://evil.example/instances", "/sign-in"),
        ("http://127.0.0.1:8765//evil.example", "/sign-in"),
    ):
        headers = {"HX-Request": "true", "Referer": origin}
        answer = await stranger.http.get("/instances/1/quota", headers=headers)
        assert answer.headers["hx-redirect"] == target


async def test_signing_out_ends_the_session(visitor):
    page = await visitor.get("/connectors")
    out = page.one("form", action="/sign-out")
    cookie = visitor.http.cookies["connector_host_session"]
    page = await visitor.post("/sign-out", dict(out.fields()))
    assert page.answer.history[0].headers["clear-site-data"] == '"cache"'
    visitor.http.cookies.set("connector_host_session", cookie, domain="127.0.0.1")
    assert (await visitor.get("/connectors")).answer.url.path == "/sign-in"


async def test_a_session_ends_when_nobody_uses_it(visitor, clock):
    clock.advance(11 * 3600)
    assert (await visitor.get("/connectors")).answer.url.path == "/connectors"
    clock.advance(13 * 3600)
    assert (await visitor.get("/connectors")).answer.url.path == "/sign-in"


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(stranger):
    answer = await stranger.http.get("/instances", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in")


async def test_a_password_lets_its_user_in(make_app, stranger, home):
    PasswordAccess.with_password("ada", "a long enough one").save(home.path / "web-user")
    assert (home.path / "web-user").stat().st_mode & 0o777 == 0o600
    assert "a long enough one" not in (home.path / "web-user").read_text()
    access = access_from({}, home.path / "web-user")
    assert not access.admits("ada", "another one")
    assert not access.admits("eve", "a long enough one")
    stranger.http._transport.app = make_app(access=access)
    page = await stranger.get("/sign-in")
    assert page.one(name="user")["autocomplete"] == "username"
    page = await stranger.send(page, {"user": "ada", "secret": "a long enough one"})
    assert page.answer.url.path == "/connectors"


def test_access_comes_from_the_environment_the_file_or_is_a_fresh_token(tmp_path):
    nothing = tmp_path / "none"
    first, second = access_from({}, nothing), access_from({}, nothing)
    assert isinstance(first, TokenAccess)
    assert first.token != second.token
    assert first.token not in repr(first)
    named = {"CONNECTOR_HOST_WEB_USER": "ada", "CONNECTOR_HOST_WEB_PASSWORD": "a long enough one"}
    assert access_from(named, nothing).admits("ada", "a long enough one")
    with pytest.raises(ConfigurationError, match="belong together"):
        access_from({"CONNECTOR_HOST_WEB_USER": "ada"}, nothing)
    with pytest.raises(ConfigurationError, match="12 characters"):
        access_from({**named, "CONNECTOR_HOST_WEB_PASSWORD": "short"}, nothing)
    (tmp_path / "broken").write_text("ada:plain text")
    with pytest.raises(ConfigurationError, match="no Argon2 hash"):
        access_from({}, tmp_path / "broken")


def _actions(routes):
    found = [each.path for each in routes if isinstance(each, Route) and "POST" in each.methods]
    return [path for path in found if path != "/sign-in"]


async def test_no_form_does_anything_without_the_token_of_the_session(app, visitor, other):
    foreign = (await other.get("/connectors")).one(name="_csrf")["value"]
    for path in _actions(app.routes):
        for given in ({}, {"_csrf": foreign}):
            answer = await visitor.http.post(path.replace("{", "").replace("}", ""), data=given)
            assert answer.status_code == 403, path
