import importlib.util
import re
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import expect

from connector_host import open_instance
from connector_host.connectors import load_connector
from connector_host.instances import EnvironmentStore, InstanceState, TokenStore
from connector_host.runs import RunKind, ScheduleStore
from connector_host.set_up import export_instance

_SPEC = importlib.util.spec_from_file_location("browser_of_host", Path(__file__).with_name("browser.py"))
browser = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(browser)

add_instance, PLAIN = browser.add_instance, browser.PLAIN
MARKER = "tok-5ec2e7-marker"


def begin_wizard(tab, sandbox, name="Shop"):
    page = tab.open("/connectors/plain/add")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/details")
    page.get_by_text("Advanced").click()
    page.get_by_label("API address").fill(sandbox.address)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/method")
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/credentials")
    return page


def test_the_wizard_with_the_keyboard_alone(tab, sandbox, site):
    page = tab.open("/connectors")

    def tab_to(role, name):
        for _ in range(80):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "[document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || '',"
                " document.activeElement.tagName]"
            )
            if focused[1] == role and name in focused[0]:
                return
        pytest.fail(f"{name} cannot be reached")

    tab_to("A", "of Plain things")
    page.keyboard.press("Enter")
    page.wait_for_url("**/name")
    tab_to("INPUT", "Name")
    page.keyboard.type("Shop")
    page.keyboard.press("Enter")
    page.wait_for_url("**/details")
    tab_to("SUMMARY", "Advanced")
    page.keyboard.press("Space")
    tab_to("INPUT", "API address")
    page.keyboard.press("Control+A")
    page.keyboard.type(sandbox.address)
    page.keyboard.press("Enter")
    page.wait_for_url("**/method")
    tab_to("BUTTON", "Next")
    page.keyboard.press("Enter")
    page.wait_for_url("**/credentials")
    tab_to("INPUT", "API token")
    page.keyboard.type(sandbox.credentials["api_token"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/saved")
    assert site.store.get("Shop").state is InstanceState.OK


def test_what_was_typed_is_there_after_the_browsers_back_button(tab, sandbox):
    page = begin_wizard(tab, sandbox)
    with page.expect_response(lambda answer: answer.status == 204):
        page.get_by_label("API token").fill(MARKER)
        page.get_by_label("Access").fill("Things")
        page.get_by_label("Access").blur()
    page.go_back()
    page.wait_for_url("**/method")
    page.go_forward()
    page.wait_for_url("**/credentials")
    assert page.get_by_label("Access").input_value() == "Things"
    assert page.get_by_label("API token", exact=True).input_value() == ""
    assert page.get_by_text("A value is kept").is_visible()
    page.reload()
    assert page.get_by_text("A value is kept").is_visible()
    assert MARKER not in page.content()


def test_an_error_summary_takes_the_focus_and_leads_to_the_field(tab, sandbox):
    page = begin_wizard(tab, sandbox)
    page.get_by_label("API token").fill("wrong")
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_selector(".summary:focus")
    page.locator(".summary a").click()
    page.wait_for_selector("[name='credentials.api_token']:focus")
    assert page.get_by_label("API token").get_attribute("aria-invalid") == "true"


def test_a_double_click_saves_once(tab, sandbox, site):
    page = begin_wizard(tab, sandbox)
    page.get_by_label("API token").fill(sandbox.credentials["api_token"])
    page.get_by_role("button", name="Test and save").dblclick()
    page.wait_for_url("**/saved")
    assert site.store.count() == 1


def test_the_wizard_without_javascript(open_tab, sandbox, site):
    page = begin_wizard(open_tab(java_script_enabled=False), sandbox)
    page.get_by_label("API token").fill("wrong")
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_selector(".summary:focus")
    page.get_by_label("API token").fill(sandbox.credentials["api_token"])
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_url("**/saved")
    assert site.store.count() == 1


def test_searching_keeps_the_address_and_back_works(tab, site, sandbox):
    for number in range(30):
        add_instance(site, sandbox, f"Shop {number:02}")
    page = tab.open("/instances")
    page.get_by_label("Search").fill("Shop 07")
    page.wait_for_url(re.compile(r"/instances\?search=Shop(%20|\+)07"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.go_back()
    page.wait_for_url(re.compile("/instances$"))
    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Next").first.click()
    page.wait_for_url("**page=2")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(5)


def test_runs_are_found_as_one_types(tab, site, sandbox):
    for name in ("North", "South"):
        site.app.state.runner.store.add(add_instance(site, sandbox, name), RunKind.STREAM, "things", {})
    page = tab.open("/runs")
    page.get_by_label("Search").press_sequentially("things north")
    page.wait_for_url(re.compile(r"/runs\?search=things(%20|\+)north"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("things north")
    page.get_by_label("State").select_option("failure")
    page.get_by_role("link", name="Show all runs").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_form_and_json_stay_in_step_as_one_types(tab, site, sandbox):
    instance = add_instance(site, sandbox)
    page = tab.open(f"/instances/{instance.id}/operations/things.CreateThing")
    page.locator("[name='input.name']").fill("Ball")
    page.keyboard.press("Tab")
    expect(page.locator("#json")).to_have_value(re.compile("Ball"))
    page.locator("#json").fill('{"name": "Cube", "colour": "green", "size": {"height": 3}}')
    page.locator("#json").blur()
    expect(page.locator("[name='input.name']")).to_have_value("Cube")
    assert page.locator("[name='input.colour']").input_value() == "green"
    assert page.locator("[name='input.size.height']").input_value() == "3"
    page.locator("[name='input.colour']").select_option("blue")
    expect(page.locator("#json")).to_have_value(re.compile("blue"))
    page.get_by_role("button", name="Call it").click()
    assert '"height": 3' in page.locator("pre").inner_text()
    page.get_by_role("button", name="Yes, call it").click()
    page.wait_for_selector("pre.answer")
    assert '"name": "Cube"' in page.locator("pre.answer").inner_text()


def test_a_run_is_watched_as_it_goes_on(tab, site, sandbox):
    instance = add_instance(site, sandbox)
    page = tab.open(f"/instances/{instance.id}/streams/things")
    sandbox.options = {**sandbox.options, "slow": True}
    try:
        page.get_by_role("button", name="Begin").click()
        page.wait_for_url("**/runs/*")
        assert page.get_by_role("button", name="Stop it").is_visible()
        page.wait_for_selector("#run-log >> text=things.ListThings")
        page.wait_for_selector("#run-status >> text=success")
    finally:
        sandbox.options = {**sandbox.options, "slow": False}
    assert page.get_by_role("link", name="things.jsonl").is_visible()
    assert page.get_by_role("button", name="Run it again").is_visible()


def test_an_instance_is_imported_from_its_file_without_javascript(open_tab, site, sandbox, tmp_path):
    tab = open_tab(java_script_enabled=False)
    document = export_instance(site.store, load_connector("plain", [PLAIN]), add_instance(site, sandbox).name)
    file = tmp_path / "instance.json"
    file.write_bytes(msgspec.json.encode({**document, "name": "Moved"}))
    page = tab.open("/instances/import")
    page.get_by_label("The exported file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="Add “Moved”?")).to_be_visible()
    page.get_by_role("link", name="Enter the secrets").click()
    page.get_by_label("API token").fill(sandbox.credentials["api_token"])
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_url("**/saved")
    assert site.store.get("Moved").state is InstanceState.OK


def test_an_environment_is_filled_with_the_keyboard_and_followed(tab, site, sandbox):
    live, stand_in = add_instance(site, sandbox, "Live"), add_instance(site, sandbox, "Sandbox")
    page = tab.open("/environments")
    page.get_by_label("Name of a new environment").press_sequentially("staging")
    page.keyboard.press("Enter")
    page.wait_for_url("**/environments/*")
    page.get_by_label("Instance", exact=True).focus()
    with page.expect_response("**/environments/instances?instance=Live"):
        page.keyboard.type("Live")
    expect(page.locator("#instance-names option")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.type("Sandbox")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Live", exact=True).click()
    page.get_by_role("link", name="Streams").click()
    page.get_by_role("link", name="staging").click()
    page.wait_for_url(f"**/instances/{stand_in.id}/streams")
    page.get_by_role("link", name="none on Live").click()
    page.wait_for_url(f"**/instances/{live.id}/streams")


def call_elsewhere(site, operation="things.ListColours"):
    with open_instance("Shop", home=site.home, folders=[PLAIN]) as shop:
        shop.call(operation)


def test_the_quota_in_use_refreshes_while_the_page_is_in_sight_and_nobody_has_stopped_it(tab, site, sandbox):
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/quota") else None)
    tab.page.clock.install()
    page = tab.open(f"/instances/{add_instance(site, sandbox).id}")
    part, settings = page.locator("#quota"), page.get_by_role("heading", name="Settings")
    expect(part).to_contain_text("No call counts against a quota now.")
    place = settings.bounding_box()
    call_elsewhere(site)
    with page.expect_response("**/quota"):
        page.clock.run_for(5_000)
    expect(part.get_by_role("row", name="things.ListColours")).to_contain_text("1, no limit of its own")
    assert settings.bounding_box() == place
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})")
    page.evaluate("window.away = true")
    before = len(asked)
    page.clock.run_for(60_000)
    call_elsewhere(site, "things.ListThings")
    assert len(asked) == before
    with page.expect_response("**/quota"):
        page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(part.get_by_role("row", name="things.ListThings")).to_contain_text("1 of 300")
    page.get_by_role("button", name="Stop refreshing").click()
    before = len(asked)
    page.clock.run_for(60_000)
    assert len(asked) == before
    with page.expect_response("**/quota"):
        page.get_by_role("button", name="Refresh again").click()


def test_the_quota_in_use_is_told_without_javascript(open_tab, site, sandbox):
    tab = open_tab(java_script_enabled=False)
    instance = add_instance(site, sandbox)
    call_elsewhere(site)
    page = tab.open(f"/instances/{instance.id}")
    expect(page.get_by_role("row", name="things.ListColours")).to_be_visible()
    expect(page.get_by_role("button", name="Stop refreshing")).to_be_hidden()


def test_a_host_that_does_not_answer_is_told_once_and_until_it_does(open_tab, site, sandbox):
    page = open_tab().page
    page.clock.install()
    page.goto(f"{site.url.rstrip('/')}/instances/{add_instance(site, sandbox).id}")
    page.evaluate(
        "window.told = 0; new MutationObserver(() => window.told++)"
        ".observe(document.getElementById('working'), {childList: true})"
    )
    page.route("**/quota", lambda route: route.abort())
    for _ in range(3):
        with page.expect_event("requestfailed"):
            page.clock.run_for(5_000)
    expect(page.get_by_text("The host does not answer.")).to_be_visible()
    assert page.evaluate("window.told") == 1
    page.unroute("**/quota")
    page.clock.run_for(5_000)
    expect(page.get_by_text("The host does not answer.")).to_be_hidden()


def test_every_tab_of_an_instance_is_in_sight_on_a_phone(open_tab, site, sandbox):
    tab = open_tab(viewport=browser.PHONE)
    page = tab.open(f"/instances/{add_instance(site, sandbox).id}")
    boxes = [each.bounding_box() for each in page.locator(".tabs a").all()]
    assert len({box["y"] for box in boxes}) == 1
    assert all(box["x"] + box["width"] <= browser.PHONE["width"] for box in boxes)


def pages_to_look_at(site, sandbox):
    instance = add_instance(site, sandbox)
    add_instance(site, sandbox, "Sandbox")
    environment = EnvironmentStore(site.store).add("staging", {"Shop": "Sandbox"})
    schedule = ScheduleStore(site.store.database).add(
        instance, RunKind.STREAM, "things", {"mode": "full"}, every_minutes=60
    )
    EnvironmentStore(site.store).add("empty")
    token, _ = TokenStore(site.store.database).add("program")
    add_instance(site, sandbox, "Rejected", state=InstanceState.REJECTED, state_message="The token was revoked.")
    base = f"/instances/{instance.id}"
    edits = [f"{base}/edit/{section}" for section in ("name", "settings", "credentials")]
    operations = [f"{base}/operations/things.{name}" for name in ("CreateThing", "ListThings", "ListColours")]
    return [
        "/connectors",
        "/connectors/plain",
        "/connectors/plain/documentation",
        "/connectors/plain/operations",
        "/connectors/plain/streams",
        "/connectors/plain/streams?search=nothing",
        "/connectors/plain/operations/things.CreateThing",
        "/connectors/plain/add",
        "/instances",
        "/instances?search=nothing",
        base,
        f"{base}/streams",
        f"{base}/streams/things",
        f"{base}/streams/things/schedules/{schedule.id}/remove",
        f"{base}/streams/things/reset",
        f"{base}/operations",
        *operations,
        f"{base}/runs",
        f"{base}/edit",
        *edits,
        f"{base}/remove",
        "/instances/import",
        "/environments",
        f"/environments/{environment.id}",
        f"/environments/{environment.id}/remove",
        f"/environments/{environment.id}/replacements/{instance.id}/remove",
        "/runs",
        "/settings",
        f"/settings/tokens/{token.id}/revoke",
        "/nowhere",
    ]


def forms_to_fill_wrongly(shop):
    return [
        ("/environments", "Name of a new environment", "Add it"),
        ("/settings", "Logs and files, in days", "Save"),
        ("/settings", "Name of a new token", "Make a token"),
        ("/instances/import", "Or its text", "Look at it"),
        (f"{shop}/remove", "Type confirm", "Remove"),
        (f"{shop}/edit", "Name of the copy", "Copy it"),
        (f"{shop}/streams/things", "At most", "Begin"),
    ]


@pytest.mark.parametrize(("scheme", "size"), [("light", browser.WIDE), ("dark", browser.PHONE)])
def test_no_page_has_an_accessibility_violation(open_tab, site, sandbox, scheme, size):
    tab = open_tab(viewport=size, color_scheme=scheme)
    found = {}
    for path in pages_to_look_at(site, sandbox):
        tab.open(path)
        if violations := tab.violations():
            found[path] = violations
    page = begin_wizard(tab, sandbox, "Another")
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_selector(".summary")
    found["credentials with errors"] = tab.violations()
    shop = f"/instances/{site.store.get('Shop').id}"
    for path, field, button in forms_to_fill_wrongly(shop):
        page = tab.open(path)
        page.get_by_label(field).fill("?/")
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_selector(".error")
        found[f"{path} refused"] = tab.violations()
    page = tab.open("/instances/import")
    document = export_instance(site.store, load_connector("plain", [PLAIN]), "Shop")
    page.get_by_label("Or its text").fill(msgspec.json.encode(document).decode())
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_selector(".summary:focus")
    found["an import that does not fit"] = tab.violations()
    base = f"/instances/{site.store.get('Shop').id}"
    for operation, what in (("things.ListColours", "an answer"), ("things.DeleteThing", "a question")):
        page = tab.open(f"{base}/operations/{operation}")
        if operation == "things.DeleteThing":
            page.get_by_role("button", name="Fill in an example").click()
            page.wait_for_url("**#call")
        page.get_by_role("button", name="Call it").click()
        page.wait_for_url("**/calls/*")
        found[what] = tab.violations()
    page = tab.open(base)
    expect(page.get_by_role("row", name="things.ListColours")).to_be_visible()
    found["quota in use"] = tab.violations()
    page = tab.open(f"{base}/streams/colours")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#run-status >> text=success")
    found["a run"] = tab.violations()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#secret:focus")
    found["sign-in"] = tab.violations()
    assert {path: violations for path, violations in found.items() if violations} == {}
    assert tab.complaints == []
