import shutil

import pytest


async def test_a_connector_shows_what_it_is(visitor, add_instance):
    page = await visitor.get("/connectors/plain")
    for words in ("Plain things", "1.2.0 (3)", "600 requests a minute", "There is none yet", "Header key", "Colours"):
        assert words in page.main
    instance = add_instance()
    page = await visitor.get("/connectors/plain")
    assert page.one("a", href=f"/instances/{instance.id}").text == "Shop"


async def test_the_documentation_has_the_platforms_layout(visitor):
    page = await visitor.get("/connectors/plain/documentation")
    assert [each.text for each in page.all("h1")] == ["Plain things (prebuilt connector)"]
    assert [each.text for each in page.all("h2")] == ["Description", "API documentation", "Authentication"]
    assert [each.text for each in page.all("h3")] == ["Token", "Header key"]
    first = next(page.all("table"))
    assert [each.text for each in first.one("thead").all("th")] == ["Credential", "Required?", "Notes"]
    assert [row.one("code").text for row in first.one("tbody").all("tr")] == ["Access", "API token"]


async def test_an_operation_is_told_with_limit_permission_and_schema(visitor):
    page = await visitor.get("/connectors/plain/operations/things.CreateThing")
    for words in ("POST /things", "Changes data", "60 calls in 60 seconds", "Plain.Things.WriteNode", "at most 3"):
        assert words.lower() in page.main.lower()
    page = await visitor.get("/connectors/plain/operations/things.ListColour")
    assert page.status == 404
    assert "things.ListColours" in page.main


@pytest.fixture
def broken_folder(plain_folder, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(plain_folder, folder)
    manifest = folder / "connector.yaml"
    manifest.write_text(manifest.read_text().replace("version: 3", "version: three"))
    return folder


async def test_a_broken_connector_says_why_and_hides_no_other(make_app, stranger, plain_folder, broken_folder):
    renamed = broken_folder / "pyproject.toml"
    renamed.write_text(renamed.read_text().replace('plain = "', 'cracked = "'))
    stranger.http._transport.app = make_app(folders=[plain_folder, broken_folder])
    await stranger.sign_in()
    page = await stranger.get("/connectors")
    assert "cannot be used" in page.main
    assert page.one("a", href="/connectors/plain").text == "Plain things"
    page = await stranger.get("/connectors/cracked")
    assert "connector.yaml:5:10" in page.main
    assert "is no whole number" in page.main


async def test_connectors_are_looked_for_again_after_seconds(make_app, stranger, plain_folder, tmp_path, clock):
    later = tmp_path / "later"
    stranger.http._transport.app = make_app(folders=[later])
    await stranger.sign_in()
    assert "Plain things" not in (await stranger.get("/connectors")).main
    shutil.copytree(plain_folder, later)
    clock.advance(6)
    assert "Plain things" in (await stranger.get("/connectors")).main


async def test_streams_are_searched_and_paged_on_the_server(visitor, add_instance):
    instance = add_instance()
    for base in ("/connectors/plain/streams", f"/instances/{instance.id}/streams"):
        page = await visitor.get(base)
        assert "2 streams" in page.main
        page = await visitor.get(f"{base}?search=colours+may&kind=Custom")
        assert [row.one("th").one("code").text for row in page.one("tbody").all("tr")] == ["colours"]
        assert dict(page.one("form", role="search").fields()) == {"search": "colours may", "kind": "Custom"}
        assert "No stream fits" in (await visitor.get(f"{base}?search=colours&kind=Products")).main
        part = await visitor.http.get(f"{base}?search=things", headers={"HX-Request": "true", "HX-Target": "streams"})
        assert "<html" not in part.text
        assert "Things" in part.text


async def test_streams_have_pages(visitor, monkeypatch):
    monkeypatch.setattr("connector_host.web.streams._PER_PAGE", 1)
    page = await visitor.get("/connectors/plain")
    assert "2 streams, page 1 of 2" in page.main
    page = await visitor.get(next(page.all("a", rel="next"))["href"])
    assert page.path == "/connectors/plain/streams?page=2"
    assert [row.one("th").one("code").text for row in page.one("tbody").all("tr")] == ["colours"]
