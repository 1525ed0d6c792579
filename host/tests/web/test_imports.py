import msgspec
import pytest

from connector_host.instances import InstanceState
from connector_host.set_up import export_instance

MARKER = "tok-5ec2e7-marker"


@pytest.fixture
def document(app, plain, add_instance):
    """What another host has exported; here is no such instance any more."""
    add_instance("Moved")
    found = export_instance(app.state.host.store, plain, "Moved")
    app.state.host.store.remove("Moved")
    return found


async def given(visitor, document, **form):
    """Upload a document, as a browser does."""
    page = await visitor.get("/instances/import")
    assert page.form["enctype"] == "multipart/form-data"
    fields = {name: value for name, value in page.form.fields() if name != "file"}
    content = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return await visitor.post(page.path, {**fields, **form}, files={"file": ("instance.json", content)})


async def pasted(visitor, text):
    page = await visitor.get("/instances/import")
    return await visitor.send(page, {"document": text, "file": None})


async def test_an_exported_file_shows_what_it_adds_and_then_asks_for_the_secrets(visitor, document, vendor, app):
    page = await given(visitor, document)
    for words in ("Add “Moved”?", "Plain things, version 1.2.0", "Europe/London", "600", "To be entered: API token"):
        assert words in page.main
    assert app.state.host.store.count() == 0
    page = await visitor.get(next(page.all("a", class_="button main"))["href"])
    assert "Credentials" in page.main
    page = await visitor.send(page, {"credentials.api_token": vendor.credentials["api_token"]}, go="next")
    assert page.path.endswith("/saved")
    instance = app.state.host.store.get("Moved")
    assert instance.state is InstanceState.OK
    assert instance.settings.items() >= document["settings"].items()


async def test_the_text_may_be_pasted(visitor, document):
    assert "Add “Moved”?" in (await pasted(visitor, msgspec.json.encode(document).decode())).main


async def test_it_may_be_added_without_its_secrets_once(visitor, document, app):
    page = await given(visitor, document)
    added = await visitor.send(page)
    instance = app.state.host.store.get("Moved")
    assert added.path == f"/instances/{instance.id}"
    assert instance.state is InstanceState.INCOMPLETE
    assert "Its secrets are not entered: API token." in added.main
    assert (await visitor.send(page)).path == added.path
    assert app.state.host.store.count() == 1


async def test_what_does_not_fit_here_leads_to_the_step_that_mends_it(visitor, document, add_instance, vendor, app):
    add_instance("moved")
    page = await given(visitor, {**document, "settings": {**document["settings"], "time_zone": "Mars/Base"}})
    assert "2 things do not fit here" in page.main
    assert not [each for each in page.all("form") if "import" in (each["action"] or "")]
    page = await visitor.get(next(page.all("a", class_="button main"))["href"])
    assert page.error_of("name")
    page = await visitor.send(page, {"name": "Moved here"}, go="next")
    assert "There is no such time zone." in page.error_of("settings.time_zone")
    page = await visitor.send(page, {"settings.time_zone": "UTC"}, go="next")
    page = await visitor.send(page, go="next")
    await visitor.send(page, {"credentials.api_token": vendor.credentials["api_token"]}, go="next")
    assert app.state.host.store.get("Moved here").state is InstanceState.OK


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"connector": "plane"}, 'Did you mean "plain"?'),
        ({"version": 2}, "document.version"),
        ({"authentication": "Cookie"}, "no authentication method Cookie"),
        ({"extra": 1}, "There is no such field."),
    ],
)
async def test_a_document_that_does_not_fit_is_told(visitor, document, app, change, words):
    page = await given(visitor, {**document, **change})
    assert words in page.one(role="alert").text
    assert page.error_of("file") == "“instance.json” was not taken. Choose it again when it is mended."
    assert app.state.host.store.count() == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file, or paste its text."),
        (b"{", "This is not a JSON object."),
        (b"[1]", "This is not a JSON object."),
        (b"\xff\xfe\x00", "This is not a JSON object."),
        (b" " * 300_000, "It has at most 256 kB."),
    ],
)
async def test_what_is_no_document_is_told(visitor, content, words):
    page = await given(visitor, content)
    assert words in page.one(role="alert").text
    assert page.error_of("file")


async def test_a_secret_in_a_document_is_never_shown(visitor, document):
    document["credentials"]["api_token"] = MARKER
    page = await given(visitor, document)
    assert "To be entered" not in page.main
    await visitor.get(next(page.all("a", class_="button main"))["href"])
    assert MARKER not in str(visitor.pages)


async def test_nobody_else_sees_what_is_being_imported(visitor, other, document):
    page = await given(visitor, document)
    seen = await other.get(page.path)
    assert seen.path == "/instances/import"
    assert "not kept any longer" in seen.main


async def test_nothing_is_taken_without_the_token_of_the_session(visitor, document):
    answer = await visitor.post("/instances/import", {}, files={"file": ("x.json", msgspec.json.encode(document))})
    assert answer.status == 403
