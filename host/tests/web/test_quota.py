import sys

import anyio
import httpx
import pytest

from connector_host import open_instance_async
from connector_host.contract.errors import QuotaExhausted
from connector_host.instances import InstanceState, TokenStore
from connector_host.runs import RunKind

BALL = {"name": "Ball"}


async def by_a_page(visitor, instance):
    page = await visitor.get(f"/instances/{instance.id}/operations/things.CreateThing")
    page = await visitor.send(page, {"input.name": "Ball"}, go="call")
    await visitor.send(page)


async def by_a_program(visitor, instance):
    _, token = TokenStore(visitor.app.state.host.store.database).add("program")
    call = {"operation": "things.CreateThing", "input": BALL}
    headers = {"Authorization": f"Bearer {token}"}
    answer = await visitor.http.post(f"/api/v1/instances/{instance.name}/calls", json=call, headers=headers)
    assert answer.status_code == 200


async def by_a_run(visitor, instance):
    runner = visitor.app.state.runner
    run = await runner.start(instance.name, RunKind.OPERATION, "things.CreateThing", {"input": BALL})
    await runner.wait(run.id)


async def by_a_command(visitor, instance):
    options = visitor.app.state.host.options
    places = ["--home", str(options.home.path), "--folder", str(options.folders[0])]
    call = ["call", instance.name, "things.CreateThing", "name=Ball"]
    await anyio.run_process([sys.executable, "-m", "connector_host", *places, *call])


def rows_of(page):
    return {row.one("th").text: [each.text for each in row.all("td")] for row in page.one("tbody").all("tr")}


@pytest.mark.parametrize("call", [by_a_page, by_a_program, by_a_run, by_a_command])
async def test_the_quota_in_use_is_told_whoever_has_called(visitor, add_instance, call):
    instance = add_instance()
    assert "No call counts against a quota now." in (await visitor.get(f"/instances/{instance.id}")).main
    await call(visitor, instance)
    rows = rows_of(await visitor.get(f"/instances/{instance.id}"))
    assert list(rows) == ["All operations together", "things.CreateThing"]
    assert [each[:2] for each in rows.values()] == [["1 of 600", "now"], ["1 of 60", "now"]]
    assert all(each[2].startswith("in ") for each in rows.values())


@pytest.fixture
def open_elsewhere(home, plain_folder):
    """Connect to an instance as another program of this machine does."""

    def opened(instance, **options):
        return open_instance_async(instance.name, home=home, folders=[plain_folder], **options)

    return opened


async def test_an_operation_without_a_limit_is_told_by_its_share_in_the_instances(
    visitor, add_instance, open_elsewhere
):
    instance = add_instance()
    async with open_elsewhere(instance) as shop:
        for _ in range(2):
            await shop.call("things.ListColours")
    rows = rows_of(await visitor.get(f"/instances/{instance.id}"))
    assert {name: each[:2] for name, each in rows.items()} == {
        "All operations together": ["2 of 600", "now"],
        "things.ListColours": ["2, no limit of its own", "now"],
    }


async def test_what_is_full_or_closed_tells_when_the_next_call_may_leave(visitor, add_instance, open_elsewhere):
    instance = add_instance()
    async with open_elsewhere(instance) as shop:
        for _ in range(60):
            await shop.call("things.CreateThing", BALL)
    closed = httpx.MockTransport(lambda _: httpx.Response(429, headers={"retry-after": "7200"}))
    async with open_elsewhere(instance, transport=closed) as shop:
        with pytest.raises(QuotaExhausted):
            await shop.call("things.ListColours")
    rows = rows_of(await visitor.get(f"/instances/{instance.id}"))
    used, following, _ = rows["things.CreateThing"]
    assert (used, following[:3], "vendor" in following) == ("60 of 60", "in ", False)
    assert rows["things.ListColours"][1].endswith("as the vendor asks")


async def test_another_instance_with_other_credentials_has_a_quota_of_its_own(visitor, add_instance, open_elsewhere):
    first = add_instance()
    other = add_instance("Other", credentials={"access": "Things", "api_token": "tok-0000-other"})
    async with open_elsewhere(first) as shop:
        await shop.call("things.ListColours")
    assert "No call counts" not in (await visitor.get(f"/instances/{first.id}")).main
    assert "No call counts" in (await visitor.get(f"/instances/{other.id}")).main


async def test_the_figures_say_when_they_were_taken_and_refresh_without_a_word(visitor, add_instance, open_elsewhere):
    instance = add_instance()
    page = await visitor.get(f"/instances/{instance.id}")
    part = page.one(id="quota")
    assert len(list(part.all("time"))) == 1
    assert "Reload the page" in page.one("noscript").text
    async with open_elsewhere(instance) as shop:
        await shop.call("things.ListColours")
    fresh = await visitor.get(part["hx-get"], headers={"HX-Request": "true", "HX-Target": "quota"})
    assert "<html" not in fresh.source
    assert "things.ListColours" in rows_of(fresh)
    for each in (part, *part.all(), *fresh.all()):
        assert not {"aria-live", "role", "data-focus"} & each.attributes.keys()


async def test_the_part_by_itself_leads_to_its_page(visitor, add_instance):
    path = f"/instances/{add_instance().id}"
    page = await visitor.get(f"{path}/quota")
    assert page.answer.url.path == path
    assert page.answer.url.fragment == "quota"


async def test_the_part_needs_the_sign_in_and_does_not_keep_the_session_from_ending(visitor, add_instance, clock):
    path, headers = f"/instances/{add_instance().id}/quota", {"HX-Request": "true"}
    for _ in range(11):
        clock.advance(3600)
        assert (await visitor.http.get(path, headers=headers)).status_code == 200
    clock.advance(3601)
    answer = await visitor.http.get(path, headers=headers)
    assert (answer.status_code, answer.headers["hx-redirect"], answer.text) == (204, "/sign-in", "")


async def test_a_file_of_counts_that_breaks_is_told_in_its_place(visitor, add_instance, home):
    instance = add_instance()
    home.quota_database.write_bytes(b"this is no database, but it is long enough to be looked at as one" * 20)
    page = await visitor.get(f"/instances/{instance.id}")
    assert page.status == 200
    assert "It cannot be told now." in page.one(id="quota").text
    assert "remove the file" in page.one(id="quota").text


@pytest.mark.parametrize("state", [InstanceState.DISABLED, InstanceState.INCOMPLETE])
async def test_an_instance_that_cannot_be_used_has_a_page_all_the_same(visitor, add_instance, state):
    page = await visitor.get(f"/instances/{add_instance(state=state).id}")
    assert "No call counts against a quota now." in page.main
    assert not list(page.all(class_="summary"))
