import anyio
import pytest

from connector_host.contract.errors import InputInvalid
from connector_host.forms import check_form
from connector_host.web.drafts import Draft

MARKER = "tok-5ec2e7-marker"


async def walk(visitor, vendor, *, name="Shop", until="credentials", method="Token"):
    """Go through the wizard up to a step."""
    page = await visitor.get("/connectors/plain/add")
    steps = [
        ("name", {"name": name}),
        ("details", {"settings.api_address": vendor.address}),
        ("method", {"authentication": method}),
    ]
    for step, changes in steps:
        assert page.path.endswith(f"/{step}")
        if step == until:
            return page
        page = await visitor.send(page, changes, go="next")
    return page


async def test_the_whole_wizard_saves_an_instance(visitor, vendor, app):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": vendor.credentials["api_token"]}, go="next")
    assert page.path.endswith("/saved")
    instance = app.state.host.store.get("Shop")
    assert instance.settings["api_address"] == vendor.address
    stored = app.state.host.store.credentials("Shop", ["api_token"])
    assert stored["api_token"] == vendor.credentials["api_token"]
    assert "Open the instance" in (await visitor.get(page.path)).main


async def test_steps_are_told_and_prefilled(visitor, vendor):
    page = await walk(visitor, vendor, until="details")
    assert page.one("li", aria_current="step").text == "2 Details"
    fields = dict(page.form.fields())
    assert fields["settings.time_zone"] == "UTC"
    assert fields["settings.date_format"] == "%Y-%m-%dT%H:%M:%SZ"
    assert (fields["settings.rate_limit_amount"], fields["settings.rate_limit_unit"]) == ("600", "minute")
    assert fields["settings.include_archived"] == "false"
    assert page.one(name="settings.api_address").parent.parent.parent.tag == "details"


async def test_wrong_values_are_told_beside_their_fields_as_everywhere(visitor, vendor, plain):
    page = await walk(visitor, vendor, until="details")
    wrong = {
        "settings.time_zone": "Mars/Base",
        "settings.date_format": "%H:%M",
        "settings.rate_limit_amount": "many",
        "settings.api_address": "ftp://x",
    }
    page = await visitor.send(page, wrong, go="next")
    assert page.path.endswith("/details")
    assert page.one(role="alert").one("h2").text == "4 things are not right yet"
    given = {key.removeprefix("settings."): value for key, value in wrong.items()}
    with pytest.raises(InputInvalid) as caught:
        check_form(plain, {"name": "Shop", "settings": given, "credentials": {"api_token": MARKER}})
    for problem in caught.value.problems:
        assert page.error_of(problem.where) == f"{problem.sentence} {problem.fix}".strip()
        assert dict(page.form.fields())[problem.where] == wrong[problem.where]
    assert {problem.where for problem in caught.value.problems} == set(wrong)


async def test_an_empty_name_and_a_taken_one_stay_at_the_first_step(visitor, vendor, add_instance):
    add_instance("Shop")
    page = await walk(visitor, vendor, until="name")
    page = await visitor.send(page, {"name": "  "}, go="next")
    assert page.error_of("name").startswith("This is required.")
    page = await visitor.send(page, {"name": "SHOP"}, go="next")
    assert "There is an instance of this name already." in page.error_of("name")


async def test_going_back_loses_nothing(visitor, vendor):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": MARKER, "credentials.access": "Things"}, go="back")
    assert page.path.endswith("/method")
    page = await visitor.send(page, go="back")
    assert dict(page.form.fields())["settings.api_address"] == vendor.address
    page = await visitor.send(page, go="back")
    assert dict(page.form.fields())["name"] == "Shop"
    for _ in range(3):
        page = await visitor.send(page, go="next")
    assert dict(page.form.fields())["credentials.access"] == "Things"
    assert "A value is kept" in page.main
    assert MARKER not in str(visitor.pages)


async def test_what_is_typed_is_kept_before_the_step_is_sent(visitor, vendor):
    page = await walk(visitor, vendor)
    fields = {**dict(page.form.fields()), "credentials.api_token": MARKER, "go": "keep"}
    answer = await visitor.http.post(page.path, data=fields, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert "A value is kept" in (await visitor.get(page.path)).main


async def test_another_method_has_credentials_of_its_own(visitor, vendor):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": MARKER}, go="back")
    page = await visitor.send(page, {"authentication": "Header key"}, go="next")
    names = [name for name, _ in page.form.fields()]
    assert "credentials.api_key" in names
    assert "credentials.api_token" not in names
    page = await visitor.send(page, go="back")
    page = await visitor.send(page, {"authentication": "Token"}, go="next")
    assert "A value is kept" in page.main


async def test_a_kept_secret_can_be_forgotten(visitor, vendor):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": MARKER}, go="back")
    page = await visitor.send(page, go="next")
    page = await visitor.send(page, {"credentials.api_token.clear": "yes"}, go="next")
    assert page.error_of("credentials.api_token").startswith("This is required.")


async def test_a_locked_value_cannot_be_changed(visitor, vendor, app):
    page = await walk(visitor, vendor, method="Header key")
    assert "readonly" in page.one(name="credentials.access").attributes
    page = await visitor.send(
        page, {"credentials.access": "hacked", "credentials.api_key": "5a4db0c5-plain-key"}, go="next"
    )
    assert page.path.endswith("/saved")
    assert app.state.host.store.credentials("Shop", [])["access"] == "all"


async def test_a_reload_shows_the_same_step(visitor, vendor):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": "wrong"}, go="next")
    again = await visitor.get(page.path)
    assert again.error_of("credentials.api_token") == page.error_of("credentials.api_token") != ""


async def test_two_tabs_do_not_disturb_each_other(visitor, vendor):
    first = await walk(visitor, vendor, name="First", until="details")
    second = await walk(visitor, vendor, name="Second", until="details")
    assert first.path != second.path
    assert dict((await visitor.send(first, go="back")).form.fields())["name"] == "First"
    assert dict((await visitor.send(second, go="back")).form.fields())["name"] == "Second"


async def test_pressing_twice_saves_once(visitor, vendor, app):
    page = await walk(visitor, vendor)
    values = {"credentials.api_token": vendor.credentials["api_token"]}
    pages = []

    async def press():
        pages.append(await visitor.send(page, values, go="next"))

    async with anyio.create_task_group() as group:
        group.start_soon(press)
        group.start_soon(press)
    assert [each.path.rsplit("/", 1)[-1] for each in pages] == ["saved", "saved"]
    assert app.state.host.store.count() == 1


async def test_nobody_else_sees_a_draft(visitor, other, vendor):
    page = await walk(visitor, vendor)
    await visitor.send(page, {"credentials.api_token": MARKER}, go="back")
    seen = await other.get(page.path)
    assert seen.path.endswith("/name")
    assert dict(seen.form.fields())["name"] == ""
    seen = await other.send(seen, {"name": "Mine"}, go="next")
    assert dict((await visitor.get(page.path.replace("credentials", "name"))).form.fields())["name"] == "Shop"


async def test_a_draft_is_forgotten_after_an_hour_without_use(visitor, vendor, clock, app):
    page = await walk(visitor, vendor)
    await visitor.send(page, {"credentials.api_token": MARKER}, go="back")
    clock.advance(3601)
    seen = await visitor.get(page.path)
    assert seen.path.endswith("/name")
    assert "not kept any longer" in seen.main
    assert len(app.state.shelves[Draft]) == 0


async def test_drafts_are_bounded(visitor, vendor, app):
    for number in range(205):
        page = await walk(visitor, vendor, until="name")
        await visitor.send(page, {"name": f"Shop {number}"}, go="next")
    assert len(app.state.shelves[Draft]) == 200


async def test_no_secret_of_the_wizard_stands_on_any_page(visitor, vendor, app):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": f" {MARKER} ", "credentials.access": ""}, go="next")
    await visitor.get(page.path)
    instance = app.state.host.store.list()
    for each in instance:
        await visitor.get(f"/instances/{each.id}")
    assert MARKER not in str(visitor.pages)
    assert MARKER not in repr(list(app.state.shelves[Draft]))


async def test_an_unknown_connector_is_told_with_the_nearest_name(visitor):
    page = await visitor.get("/connectors/plane/add")
    assert page.status == 404
    assert "plain" in page.main


async def test_a_word_typed_as_a_secret_by_mistake_is_hidden_nowhere_else(visitor, vendor):
    page = await walk(visitor, vendor)
    page = await visitor.send(page, {"credentials.api_token": "Plain things"}, go="next")
    assert page.error_of("credentials.api_token")
    assert "Plain things" in (await visitor.get("/connectors/plain")).main
