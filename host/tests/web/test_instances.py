import re

import msgspec
import pytest

from connector_host.instances import EnvironmentStore, InstanceState

MARKER = "tok-5ec2e7-marker"


async def test_no_instance_says_what_to_do(visitor):
    page = await visitor.get("/instances")
    assert "There is no instance yet" in page.main
    assert page.one("a", class_="button main")["href"] == "/connectors"


async def test_the_start_page_is_the_instances_once_there_are_some(visitor, add_instance):
    assert (await visitor.get("/")).path == "/connectors"
    add_instance()
    assert (await visitor.get("/")).path == "/instances"


async def test_instances_are_paged_and_searched_on_the_server(visitor, add_instance):
    for number in range(60):
        add_instance(f"Shop {number:02}", account=f"account {number}")
    page = await visitor.get("/instances")
    assert "60 instances, page 1 of 3" in page.main
    assert len(list(page.one("tbody").all("tr"))) == 25
    page = await visitor.get(page.one("a", rel="next")["href"])
    assert "page 2 of 3" in page.main
    page = await visitor.get("/instances?search=account+17")
    assert [row.one("a").text for row in page.one("tbody").all("tr")] == ["Shop 17"]
    assert "No instance fits" in (await visitor.get("/instances?search=nothing")).main
    assert "page 3 of 3" in (await visitor.get("/instances?page=99")).main
    assert "page 1 of 3" in (await visitor.get("/instances?page=-1")).main


async def test_an_account_is_broken_between_its_parts_and_nowhere_else(visitor, add_instance):
    add_instance(account="shop.keeper@example.com <b>")
    page = await visitor.get("/instances")
    assert "shop.<wbr>keeper@<wbr>example.<wbr>com &lt;b&gt;" in page.source


async def test_only_the_list_is_sent_where_only_it_is_asked_for(visitor, add_instance):
    add_instance()
    part = await visitor.http.get("/instances?search=shop", headers={"HX-Request": "true", "HX-Target": "instances"})
    assert "<html" not in part.text
    assert "Shop" in part.text


async def test_an_instance_shows_its_state_without_secrets(visitor, add_instance, vendor):
    instance = add_instance(state=InstanceState.UNTESTED)
    page = await visitor.get(f"/instances/{instance.id}")
    assert "It is untested." in page.main
    assert "••••••" in page.main
    assert vendor.credentials["api_token"] not in page.source


async def test_a_test_tells_each_area_and_is_remembered(visitor, add_instance, app):
    instance = add_instance()
    page = await visitor.get(f"/instances/{instance.id}")
    form = next(each for each in page.all("form") if (each["action"] or "").endswith("/test"))
    page = await visitor.post(form["action"], dict(form.fields()))
    assert "Things can be listed and pulled." in page.main
    assert app.state.host.store.get("Shop").state is InstanceState.OK
    times = [each["title"] for each in page.all("time")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in times)
    assert "Things can be listed" in (await visitor.get(page.path)).main


@pytest.mark.parametrize(
    ("state", "end"),
    [(InstanceState.DISABLED, ""), (InstanceState.INCOMPLETE, "/edit/credentials"), (InstanceState.REJECTED, "/edit")],
)
async def test_every_page_of_an_instance_that_cannot_be_used_leads_to_what_mends_it(visitor, add_instance, state, end):
    base = f"/instances/{add_instance(state=state).id}"
    for rest in ("/streams", "/streams/things", "/operations", "/operations/things.GetThing", "/runs"):
        page = await visitor.get(f"{base}{rest}")
        assert next(page.all(class_="note warning")).one("a")["href"].startswith(f"{base}{end}")


async def test_rejected_credentials_lead_to_the_one_thing_to_do(visitor, add_instance, app, vendor):
    instance = add_instance(credentials={"access": "all", "api_token": "tok-0000-wrong"})
    page = await visitor.get(f"/instances/{instance.id}")
    form = next(each for each in page.all("form") if (each["action"] or "").endswith("/test"))
    page = await visitor.post(form["action"], dict(form.fields()))
    assert "The vendor rejects its credentials" in page.one(role="alert").text
    assert "The vendor rejects its credentials." in (await visitor.get(f"/instances/{instance.id}")).main
    page = await visitor.get(page.one("a", href=f"/instances/{instance.id}/edit/credentials")["href"])
    page = await visitor.send(page, {"credentials.api_token": vendor.credentials["api_token"]}, go="save")
    assert page.answer.url.path == f"/instances/{instance.id}"
    assert app.state.host.store.get("Shop").state is InstanceState.OK


async def test_old_credentials_stay_when_the_new_ones_are_refused(visitor, add_instance, app, vendor):
    instance = add_instance()
    page = await visitor.get(f"/instances/{instance.id}/edit/credentials")
    assert dict(page.form.fields())["credentials.api_token"] == ""
    page = await visitor.send(page, {"credentials.api_token": MARKER}, go="save")
    assert "Nothing was changed" in page.main
    assert "A value is kept" in page.main
    assert MARKER not in str(visitor.pages)
    kept = app.state.host.store.credentials("Shop", [])
    assert kept["api_token"] == vendor.credentials["api_token"]
    page = await visitor.send(page, go="untested")
    assert app.state.host.store.credentials("Shop", [])["api_token"] == MARKER
    assert app.state.host.store.get("Shop").state is InstanceState.UNTESTED
    assert "untested" in page.main


async def test_an_unchanged_secret_stays_and_a_cleared_one_is_asked_for(visitor, add_instance, app):
    instance = add_instance()
    path = f"/instances/{instance.id}/edit/credentials"
    page = await visitor.send(await visitor.get(path), {"credentials.access": "Things"}, go="save")
    assert page.answer.url.path == f"/instances/{instance.id}"
    assert app.state.host.store.credentials("Shop", [])["access"] == "Things"
    page = await visitor.send(await visitor.get(path), {"credentials.api_token.clear": "yes"}, go="save")
    assert page.error_of("credentials.api_token").startswith("This is required.")


async def test_details_are_edited_with_the_same_checks(visitor, add_instance, app):
    instance = add_instance()
    path = f"/instances/{instance.id}/edit/settings"
    page = await visitor.send(await visitor.get(path), {"settings.time_zone": "Mars"}, go="save")
    assert "There is no such time zone." in page.error_of("settings.time_zone")
    assert dict(page.form.fields())["settings.time_zone"] == "Mars"
    page = await visitor.send(page, {"settings.time_zone": "Europe/Berlin"}, go="save")
    assert app.state.host.store.get("Shop").settings["time_zone"] == "Europe/Berlin"


async def test_an_instance_is_renamed_and_keeps_its_address(visitor, add_instance):
    add_instance("Other")
    instance = add_instance()
    path = f"/instances/{instance.id}/edit/name"
    page = await visitor.send(await visitor.get(path), {"name": "other"}, go="save")
    assert "There is an instance" in page.error_of("name")
    page = await visitor.send(page, {"name": "Shop & Söhne"}, go="save")
    assert page.answer.url.path == f"/instances/{instance.id}"
    assert "Shop & Söhne" in page.main


async def test_a_copy_has_no_secrets(visitor, add_instance, app):
    instance = add_instance()
    page = await visitor.get(f"/instances/{instance.id}/edit")
    form = next(each for each in page.all("form") if (each["action"] or "").endswith("/duplicate"))
    page = await visitor.post(form["action"], dict(form.fields()))
    assert page.path.endswith("/edit/credentials")
    copy = app.state.host.store.get("Shop copy")
    assert copy.state is InstanceState.INCOMPLETE
    assert "api_token" not in app.state.host.store.credentials("Shop copy", [])


async def test_a_copy_with_a_name_that_is_taken_is_told_where_it_was_asked_for(visitor, add_instance, app):
    page = await visitor.get(f"/instances/{add_instance().id}/edit")
    form = next(each for each in page.all("form") if (each["action"] or "").endswith("/duplicate"))
    page = await visitor.post(form["action"], {**dict(form.fields()), "name": "SHOP"})
    assert 'There is an instance "Shop" already.' in page.error_of("name")
    assert page.one(id="copy-name")["value"] == "SHOP"
    assert app.state.host.store.count() == 1


async def test_disabling_and_enabling(visitor, add_instance, app):
    instance = add_instance()
    for word, state in (("disable", InstanceState.DISABLED), ("enable", InstanceState.OK)):
        page = await visitor.get(f"/instances/{instance.id}/edit")
        form = next(each for each in page.all("form") if (each["action"] or "").endswith(word))
        page = await visitor.post(form["action"], dict(form.fields()))
        assert app.state.host.store.get("Shop").state is state
        assert page.status == 200


async def test_an_export_has_no_secret(visitor, add_instance, vendor):
    instance = add_instance()
    assert "connector-host instance import" in (await visitor.get(f"/instances/{instance.id}/edit")).main
    answer = await visitor.http.get(f"/instances/{instance.id}/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert msgspec.json.decode(answer.content)["secrets"] == ["api_token"]
    assert vendor.credentials["api_token"] not in answer.text


@pytest.mark.parametrize(("word", "left"), [("", 1), ("yes", 1), ("Confirm ", 0)])
async def test_removing_needs_the_word(visitor, add_instance, app, word, left):
    instance = add_instance()
    page = await visitor.send(await visitor.get(f"/instances/{instance.id}/remove"), {"word": word})
    assert app.state.host.store.count() == left
    if left:
        assert page.error_of("word") == "Type the word confirm to remove it."
    else:
        assert page.path == "/instances"


async def test_what_is_in_use_is_not_removed_and_says_by_what(visitor, add_instance, app):
    add_instance("Sandbox")
    EnvironmentStore(app.state.host.store).add("staging", {"Sandbox": add_instance().name})
    page = await visitor.get(f"/instances/{app.state.host.store.get('Shop').id}/remove")
    page = await visitor.send(page, {"word": "confirm"})
    assert 'the environment "staging"' in page.one(role="alert").text
    assert app.state.host.store.count() == 2


async def test_an_instance_of_a_connector_that_is_gone_is_shown_with_the_reason(visitor, add_instance):
    instance = add_instance(connector="gone")
    page = await visitor.get(f"/instances/{instance.id}")
    assert page.status == 200
    assert 'There is no connector "gone".' in page.main


async def test_an_instance_that_is_gone_is_told(visitor):
    page = await visitor.get("/instances/nothing")
    assert page.status == 404
    assert "It may have been removed." in page.main
