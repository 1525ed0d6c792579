import re

import pytest

from connector_host.instances import TokenStore
from connector_host.runs.retention import RetentionStore


def _form(page, action):
    return next(form for form in page.all("form") if form["action"] == action)


async def _send(visitor, action, **changes):
    page = await visitor.get("/settings")
    return await visitor.post(action, {**dict(_form(page, action).fields()), **changes})


async def test_the_keys_are_rotated(visitor, app, add_instance, home):
    add_instance()
    before = home.key_file.read_text()
    page = await _send(visitor, "/settings/keys")
    assert "2 secrets were written anew" in page.main
    assert home.key_file.read_text() != before
    assert app.state.host.store.credentials("Shop", [])["access"] == "all"
    assert not [key for key in re.findall(r"[A-Za-z0-9+/]{40,}", page.source) if key in home.key_file.read_text()]


async def test_a_key_file_that_is_not_there_is_told_and_one_secret_is_one(visitor, add_instance, home):
    assert f"{home.key_file} is not there" in (await visitor.get("/settings")).main
    add_instance(credentials={"api_token": "only-this-one"})
    assert f"In {home.key_file}" in (await visitor.get("/settings")).main
    assert "1 secret was written anew" in (await _send(visitor, "/settings/keys")).main
    home.key_file.unlink()
    assert f"{home.key_file} is not there" in (await visitor.get("/settings")).main


async def test_keys_of_the_environment_are_not_offered_for_rotation(visitor, monkeypatch):
    monkeypatch.setenv("CONNECTOR_HOST_KEY", "a:" + "A" * 43 + "=")
    page = await visitor.get("/settings")
    assert "These keys belong to whoever starts the host" in page.main


async def test_a_token_is_shown_once_and_revoked(visitor, app):
    page = await _send(visitor, "/settings/tokens", name="billing")
    secret = next(each.text for each in page.all("code") if each.text.startswith("cht_"))
    store = TokenStore(app.state.host.store.database)
    assert store.find(secret).name == "billing"
    assert secret not in (await visitor.get("/settings")).source
    page = await _send(visitor, "/settings/tokens", name="Billing")
    assert "already" in page.error_of("name")
    token = store.list()[0]
    page = await visitor.get(page.one("a", class_="button small danger")["href"])
    assert "It was last used" in page.main
    assert store.list() == (token,)
    page = await visitor.send(page)
    assert "is revoked" in page.main
    assert store.find(secret) is None


async def test_the_token_opens_the_api_and_nothing_else(visitor, stranger, add_instance):
    add_instance()
    page = await _send(visitor, "/settings/tokens", name="billing")
    secret = next(each.text for each in page.all("code") if each.text.startswith("cht_"))
    headers = {"Authorization": f"Bearer {secret}"}
    stranger.http.cookies.clear()
    answer = await stranger.http.get("/api/v1/instances", headers=headers)
    assert "Shop" in answer.text
    assert (await stranger.http.get("/api/v1/instances")).status_code == 401
    assert (await stranger.get("/instances", headers=headers)).answer.url.path == "/sign-in"


async def test_retention_is_set(visitor, app):
    page = await _send(visitor, "/settings/retention", log_days="7")
    assert "Saved." in page.main
    assert RetentionStore(app.state.host.store.database, app.state.host.home).get().log_days == 7


@pytest.mark.parametrize(("days", "words"), [("0", "This is at least 1."), ("x", "a text, not a whole number")])
async def test_a_retention_that_cannot_be_is_told_beside_its_field(visitor, app, days, words):
    page = await _send(visitor, "/settings/retention", log_days=days)
    assert words in page.error_of("log_days")
    assert page.one("input", id="log_days")["value"] == days
    assert RetentionStore(app.state.host.store.database, app.state.host.home).get().log_days == 30
