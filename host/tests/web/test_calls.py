import msgspec
import pytest

from connector_host.contract.catalogue import Catalogue
from connector_host.instances import InstanceState
from connector_host.web.sheets import Sheet, draw


@pytest.fixture
def path(add_instance):
    return f"/instances/{add_instance().id}/operations"


async def test_operations_are_searched_by_name_and_permission(visitor, path):
    assert "5 operations" in (await visitor.get(path)).main
    page = await visitor.get(f"{path}?search=write")
    assert [row.one("a").text for row in page.one("tbody").all("tr")] == ["CreateThing", "DeleteThing"]
    assert "No operation fits" in (await visitor.get(f"{path}?area=nothing")).main


async def test_a_read_is_called_with_the_form_and_its_answer_survives_a_reload(visitor, path, vendor):
    page = await visitor.get(f"{path}/things.ListThings")
    page = await visitor.send(page, {"input.page": "2", "input.per_page": "3", "input.archived": "true"}, go="call")
    assert "/calls/" in page.path
    answer = msgspec.json.decode("".join(page.one("pre", aria_label="Answer").children))
    assert [thing["id"] for thing in answer["data"]] == ["t4", "t5", "t6"]
    calls = len(vendor.requests)
    again = await visitor.get(page.path)
    assert again.main == page.main
    assert len(vendor.requests) == calls
    data = await visitor.http.get(f"{page.path}/answer")
    assert msgspec.json.decode(data.content) == answer


async def test_an_instance_without_its_secrets_offers_to_enter_them_in_place_of_a_call(visitor, app, path, vendor):
    asking = await visitor.send(await visitor.get(f"{path}/things.CreateThing"), {"input.name": "Ball"}, go="call")
    app.state.host.store.set_state("Shop", InstanceState.INCOMPLETE, "Its secrets are not entered: API token.")
    page = await visitor.get(f"{path}/things.CreateThing")
    for shown in (page, await visitor.get(asking.path)):
        assert not [each for each in shown.one("main").all("button") if each["value"] == "call" or "Yes" in each.text]
        link = next(each for each in shown.all("a") if each.text == "Enter it first")
        assert link["href"].endswith("/edit/credentials")
    assert "Fill in an example" in page.main
    assert "cannot be used yet" in (await visitor.send(asking)).one(role="alert").text
    assert vendor.requests == []


async def test_wrong_values_are_told_beside_their_fields_and_nothing_is_sent(visitor, path, vendor):
    page = await visitor.get(f"{path}/things.ListThings")
    wrong = {"input.page": "first", "input.since": "yesterday"}
    page = await visitor.send(page, wrong, go="call")
    assert "This is a text, not a whole number." in page.error_of("input.page")
    assert "This is not a date and time." in page.error_of("input.since")
    assert dict(page.form.fields())["input.page"] == "first"
    assert vendor.requests == []


async def test_a_field_that_is_not_there_is_told_by_its_own_name(visitor, path):
    page = await visitor.get(f"{path}/things.CreateThing")
    page = await visitor.send(page, {"json": '{"name": "Ball", "nme": 1}'}, go="call")
    assert "nme: There is no such field." in page.one(role="alert").text
    assert "input.nme" not in page.main


async def test_json_and_form_are_kept_in_step(visitor, path):
    page = await visitor.get(f"{path}/things.CreateThing")
    page = await visitor.send(page, {"json": '{"name": "Ball", "size": {"height": 3}, "tags": ["a", "b"]}'}, go="sync")
    fields = dict(page.form.fields())
    assert (fields["input.name"], fields["input.size.height"], fields["input.tags"]) == ("Ball", "3", "a\nb")
    page = await visitor.send(page, {"input.name": "Cube", "input.tags": "c"}, go="sync")
    assert msgspec.json.decode(dict(page.form.fields())["json"]) == {
        "name": "Cube",
        "size": {"height": 3},
        "tags": ["c"],
    }


async def test_two_changed_views_are_asked_about_and_neither_is_lost(visitor, path):
    page = await visitor.get(f"{path}/things.CreateThing")
    page = await visitor.send(page, {"json": '{"name": "J"}', "input.name": "F"}, go="call")
    assert "The form and the JSON were both changed" in page.main
    fields = dict(page.form.fields())
    assert (fields["input.name"], fields["json"]) == ("F", '{"name": "J"}')


async def test_json_that_is_none_is_told_and_kept(visitor, path):
    page = await visitor.get(f"{path}/things.CreateThing")
    page = await visitor.send(page, {"json": '{"name": '}, go="call")
    assert page.error_of("json").startswith("This is not a JSON object.")
    assert dict(page.form.fields())["json"] == '{"name":'


async def test_json_with_more_than_the_form_shows_is_sent_as_it_is(visitor, path):
    page = await visitor.get(f"{path}/things.CreateThing")
    page = await visitor.send(page, {"json": '{"name": "Ball", "colour": null}'}, go="sync")
    assert "The form cannot show all of this." in page.main
    page = await visitor.send(page, go="call")
    assert '"colour": null' in "".join(page.one("pre", aria_label="Input").children)


async def test_a_write_is_asked_about_and_made_once(visitor, path, vendor):
    page = await visitor.get(f"{path}/things.CreateThing")
    page = await visitor.send(page, {"input.name": "Ball"}, go="call")
    assert "It changes data at Plain things." in page.main
    assert vendor.requests == []
    first = await visitor.send(page)
    again = await visitor.send(page)
    assert first.main == again.main
    assert '"name": "Ball"' in first.source.replace("&#34;", '"')
    assert [request[0] for request in vendor.requests] == ["POST"]


async def test_what_destroys_says_so(visitor, path):
    page = await visitor.get(f"{path}/things.DeleteThing")
    page = await visitor.send(page, {"input.id": "t1"}, go="call")
    assert "cannot be undone" in page.main
    page = await visitor.send(page)
    assert "The answer is empty" in page.main


async def test_an_error_of_the_vendor_is_shown_with_what_to_do(visitor, path):
    page = await visitor.get(f"{path}/things.GetThing")
    page = await visitor.send(page, {"input.id": "nothing"}, go="call")
    assert "There is no such thing." in page.one(role="alert").text
    assert "Request id" in page.main
    page = await visitor.get(page.one("a", class_="button main")["href"])
    assert dict(page.form.fields())["input.id"] == "nothing"


async def test_a_missing_permission_is_named_and_nothing_is_sent(visitor, add_instance, vendor):
    credentials = {**vendor.credentials, "access": "Other"}
    instance = add_instance("Little", credentials=credentials)
    page = await visitor.get(f"/instances/{instance.id}/operations/things.ListColours")
    page = await visitor.send(page, go="call")
    assert "Plain.Things.ReadNode" in page.one(role="alert").text
    assert vendor.requests == []


async def test_nobody_else_sees_an_answer(visitor, other, path):
    page = await visitor.send(await visitor.get(f"{path}/things.ListColours"), go="call")
    assert (await other.get(page.path)).status == 410


async def test_parts_keep_the_views_in_step_for_htmx(visitor, path):
    page = await visitor.get(f"{path}/things.CreateThing")
    fields = {**dict(page.form.fields()), "input.name": "Ball"}
    headers = {"HX-Request": "true", "HX-Target": "json-pane"}
    part = await visitor.http.post(page.path, data=fields, headers=headers)
    assert "<html" not in part.text
    assert "&#34;name&#34;: &#34;Ball&#34;" in part.text
    assert 'id="seen-form"' in part.text
    headers["HX-Target"] = "form-pane"
    part = await visitor.http.post(
        page.path, data={**dict(page.form.fields()), "json": '{"name": "J"}'}, headers=headers
    )
    assert 'value="J"' in part.text


LIST_OF_OBJECTS = {
    "openapi": "3.1.1",
    "info": {"title": "t", "version": "1"},
    "x-area": "a",
    "x-base": "b",
    "paths": {
        "/x": {
            "post": {
                "operationId": "a.Op",
                "x-kind": "write",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "responses": {"200": {"description": "OK"}},
            }
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["lines"],
                "properties": {"lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}},
            },
            "Line": {
                "type": "object",
                "properties": {"sku": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Line"}},
            },
        }
    },
}


@pytest.fixture
def operation(tmp_path):
    document = tmp_path / "a.json"
    document.write_bytes(msgspec.json.encode(LIST_OF_OBJECTS))
    return Catalogue([document]).get("a.Op")


def test_a_list_of_objects_has_rows_and_a_schema_inside_itself_is_written_as_json(operation):
    drawn = draw(operation, Sheet({"lines": [{"sku": "1", "parent": {"sku": "2"}}, {}]}))
    rows = drawn.widget.children[0]
    assert (rows.kind, len(rows.children)) == ("list", 2)
    assert [child.kind for child in rows.children[0].children] == ["text", "json"]
    assert drawn.lossless


async def test_a_large_answer_is_shown_in_part_and_a_huge_one_not_kept_whole(monkeypatch, visitor, path, vendor):
    vendor.things = {"t1": {**vendor.things["t1"], "name": "x" * 150_000}}
    page = await visitor.send(await visitor.get(f"{path}/things.ListThings"), go="call")
    assert "This is its beginning" in page.main
    assert len((await visitor.http.get(f"{page.path}/answer")).content) > 150_000
    monkeypatch.setattr("connector_host.web.answers.LARGEST_KEPT", 1000)
    page = await visitor.send(await visitor.get(f"{path}/things.ListThings"), go="call")
    assert "It is too large to be kept here" in page.main
    assert len((await visitor.http.get(f"{page.path}/answer")).content) == 1000


async def test_an_operation_without_input_says_so_in_place_of_form_and_json(visitor, add_instance, vendor):
    base = f"/instances/{add_instance().id}/operations"
    page = await visitor.get(f"{base}/things.ListColours")
    assert page.main.count("This operation takes no input.") == 1
    assert [each.text for each in page.form.all("button") if each["class"] != "hidden"] == ["Call it"]
    assert not list(page.all("textarea"))
    page = await visitor.send(page, go="call")
    assert page.one("pre", aria_label="Answer")
    assert len(vendor.requests) == 1
    assert "takes no input" not in (await visitor.get(f"{base}/things.CreateThing")).main


async def test_an_input_that_an_operation_does_not_take_is_shown_with_what_is_wrong(visitor, add_instance, vendor):
    page = await visitor.get(f"/instances/{add_instance().id}/operations/things.ListColours")
    for text, words in (('{ "colour": "red" }', "There is no such field."), ("{", "This is not a JSON object.")):
        wrong = await visitor.send(page, {"json": text}, go="call")
        assert words in wrong.main
        assert wrong.one("textarea").text.split() == text.split()
    assert vendor.requests == []
