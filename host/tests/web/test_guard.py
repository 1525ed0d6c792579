import logging

import httpx
import pytest

from connector_host.web import app as app_module
from connector_host.web.pages import page


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "localhost@evil"])
async def test_other_host_names_are_not_served(visitor, host):
    answer = await visitor.http.get("/connectors", headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:1234", "localhost", "LOCALHOST:80", "[::1]:8765"])
async def test_loopback_names_are_served_on_any_port(visitor, host):
    assert (await visitor.http.get("/health", headers={"Host": host})).status_code == 200


async def test_every_page_has_a_strict_policy_and_no_inline_script_or_style(visitor, add_instance):
    instance = add_instance()
    paths = ["/connectors", "/connectors/plain", f"/instances/{instance.id}", "/instances", "/nowhere", "/sign-in"]
    for path in paths:
        seen = await visitor.get(path)
        policy = seen.answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert seen.answer.headers["x-content-type-options"] == "nosniff"
        assert seen.answer.headers["cache-control"] == "no-store"
        assert not [each for each in seen.all() if each["style"] or each.tag == "style"]
        assert all(each["src"] and not each.text for each in seen.all("script"))
        assert not [name for each in seen.all() for name in each.attributes if name.startswith("on")]


async def test_no_page_asks_another_server_for_anything(visitor):
    for path in ("/connectors", "/connectors/plain", "/connectors/plain/documentation"):
        seen = await visitor.get(path)
        loaded = [each["src"] or each["href"] for each in seen.all() if each.tag in ("img", "script", "link")]
        assert loaded
        assert all(address.startswith("/") and not address.startswith("//") for address in loaded)


@pytest.mark.parametrize("declared", [True, False])
async def test_large_bodies_are_refused(visitor, declared):
    body = b"x=" + b"a" * (1024 * 1024)

    async def stream():
        yield body

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await visitor.http.post("/sign-out", content=body if declared else stream(), headers=kind)
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("text/html")
    assert "more than 1,048,576 bytes" in answer.text


async def test_files_are_not_taken(visitor):
    answer = await visitor.http.post("/sign-out", files={"file": b"content"})
    assert answer.status_code in (400, 403)


async def test_a_fault_shows_a_number_and_nothing_else(monkeypatch, make_app, stranger, home, caplog):
    def faulty(request):
        raise RuntimeError(f"the marker of a fault on {request.url.path}")

    routes = app_module._routes
    monkeypatch.setattr(app_module, "_routes", lambda: [page("/faulty", faulty), *routes()])
    stranger.http._transport.app = make_app()
    await stranger.sign_in()
    with caplog.at_level(logging.DEBUG):
        seen = await stranger.get("/faulty")
    assert seen.status == 500
    assert "content-security-policy" in seen.answer.headers
    assert "marker" not in seen.source + caplog.text
    story = (home.path / "connector-host.log").read_text()
    reference = story.split()[1]
    assert reference in seen.main
    assert "the marker of a fault on /faulty" in story


async def test_static_files_are_checked_for_changes(stranger):
    first = await stranger.http.get("/static/htmx.min.js")
    assert first.headers["cache-control"] == "no-cache"
    again = await stranger.http.get("/static/htmx.min.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert (await stranger.http.get("/static/%2e%2e/app.py")).status_code == 404
    assert (await stranger.http.get("/static/htmx.LICENSE")).status_code == 200


async def test_a_wrong_method_and_a_wrong_address_are_told_in_words(visitor):
    assert "There is no such page." in (await visitor.get("/connectors/plain/nothing")).main
    answer = await visitor.http.put("/connectors")
    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == ["GET", "HEAD"]


async def test_the_icon_of_a_connector_may_do_nothing(visitor):
    answer = await visitor.http.get("/connectors/plain/icon")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_cookies_are_for_https_only_where_asked(make_app):
    transport = httpx.ASGITransport(make_app(secure=True))
    async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as http:
        assert "Secure" in (await http.get("/sign-in")).headers["set-cookie"]
