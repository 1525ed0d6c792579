import pytest

from connector_host.instances import EnvironmentStore


@pytest.fixture
def environments(app):
    return EnvironmentStore(app.state.host.store)


@pytest.fixture
def shops(add_instance):
    return add_instance("Live"), add_instance("Sandbox")


def form_of(page, end):
    return next(each for each in page.all("form") if (each["action"] or page.path).endswith(end))


async def send(visitor, page, end, **changes):
    form = form_of(page, end)
    return await visitor.post(form["action"] or page.path, {**dict(form.fields()), **changes})


async def test_no_environment_says_what_one_is_for(visitor):
    page = await visitor.get("/environments")
    assert "There is no environment yet" in page.main
    assert page.one("input", name="name")["placeholder"] == "staging"


async def test_an_environment_is_added_filled_and_removed(visitor, shops, environments):
    page = await send(visitor, await visitor.get("/environments"), "/environments", name="staging")
    assert "It changes nothing yet" in page.main
    page = await send(visitor, page, "/replacements", instance="live", replacement="Sandbox")
    assert environments.get("staging").replacements == {"Live": "Sandbox"}
    assert "--environment staging" in page.main
    assert [each["href"] for each in page.one("tbody").all("a", class_=None)] == [
        f"/instances/{each.id}" for each in shops
    ]
    assert "Sandbox for Live" in (await visitor.get("/environments")).main
    place = page.path
    question = await visitor.get(page.one("tbody").one("a", class_="button small danger")["href"])
    assert "is done on “Live” itself" in question.main
    assert environments.get("staging").replacements == {"Live": "Sandbox"}
    page = await visitor.send(question)
    assert environments.get("staging").replacements == {}
    assert "stands for itself again" in page.source
    page = await visitor.send(question)
    assert page.path == (await visitor.get(question.path)).path == place
    assert "stands for itself again" not in page.source
    page = await visitor.get(f"{page.path}/remove")
    assert len(environments.list()) == 1
    page = await send(visitor, page, "/remove")
    assert page.path == "/environments"
    assert environments.list() == ()


@pytest.mark.parametrize(("name", "words"), [("", "The name is empty."), ("STAGING", 'environment "STAGING" already')])
async def test_a_name_that_cannot_be_used_is_told_beside_its_field(visitor, environments, name, words):
    environments.add("staging")
    page = await send(visitor, await visitor.get("/environments"), "/environments", name=name)
    assert page.status == 200
    assert words in page.error_of("name")
    assert page.one("input", name="name")["value"] == name


@pytest.mark.parametrize(
    ("instance", "replacement", "wrong"),
    [
        ("Live", "", ("replacement", "Write the name of an instance.")),
        ("Lvie", "Sandbox", ("instance", 'Did you mean "Live"?')),
        ("Live", "LIVE", ("replacement", "stands for itself anyway")),
        ("Live", "Elsewhere", ("replacement", "Choose an instance of the same connector.")),
    ],
)
@pytest.mark.usefixtures("shops")
async def test_a_replacement_that_makes_no_sense_is_told(visitor, add_instance, instance, replacement, wrong):
    add_instance("Elsewhere", connector="other")
    page = await send(visitor, await visitor.get("/environments"), "/environments", name="staging")
    page = await send(visitor, page, "/replacements", instance=instance, replacement=replacement)
    field, words = wrong
    assert page.status == 200
    assert words in page.error_of(field)
    assert [page.one("input", id=each)["value"] for each in ("instance", "replacement")] == [instance, replacement]
    assert "none yet" in (await visitor.get("/environments")).main


async def test_what_is_typed_is_looked_for_on_the_server(visitor, add_instance):
    for number in range(60):
        add_instance(f"Shop {number:02}")
    part = await visitor.http.get("/environments/instances?replacement=shop+57")
    assert part.text.split() == ["<option", 'value="Shop', '57">Plain', "things</option>"]


@pytest.mark.parametrize("rest", ["", "/streams", "/streams/things", "/operations/things.GetThing", "/runs"])
async def test_a_page_of_an_instance_leads_to_the_one_in_its_place(visitor, shops, environments, rest):
    live, sandbox = shops
    environments.add("staging", {"Live": "Sandbox"})
    page = await visitor.get(f"/instances/{live.id}{rest}")
    choice = page.one("nav", aria_label="Environments")
    assert "Environment none staging on Sandbox" in choice.text
    page = await visitor.get(choice.one("a")["href"])
    assert page.path == f"/instances/{sandbox.id}{rest}"
    choice = page.one("nav", aria_label="Environments")
    assert "What is done here is done on Sandbox, in place of Live." in choice.text
    assert choice.one("a")["href"] == f"/instances/{live.id}{rest}"


async def test_an_instance_that_no_environment_names_says_nothing_of_them(visitor, shops, environments, add_instance):
    del shops
    environments.add("staging", {"Live": "Sandbox"})
    page = await visitor.get(f"/instances/{add_instance('Other').id}")
    assert not list(page.all("nav", aria_label="Environments"))


async def test_an_environment_that_is_gone_is_told(visitor):
    page = await visitor.get("/environments/nothing")
    assert page.status == 404
    assert "It may have been removed." in page.main


async def test_nothing_is_changed_without_the_token_of_the_session(visitor, environments):
    made = environments.add("staging")
    for path in ("/environments", f"/environments/{made.id}/replacements", f"/environments/{made.id}/remove"):
        assert (await visitor.post(path, {"name": "other"})).status == 403
    assert [each.name for each in environments.list()] == ["staging"]
