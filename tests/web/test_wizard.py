import re

import pytest
from playwright.sync_api import expect

from connector_host.instances import InstanceState

TOKEN = "5a4db0c5-aaaa-4000-8000-00005ec2e7a1"
SECRET = "5a4db0c5-bbbb-4000-8000-00005ec2e7b2"
SIX = [
    "Scope",
    "Token",
    "Application id",
    "Application secret",
    "Grant type",
    "Response authentication token key",
]


@pytest.fixture
def vendor(start_vendor):
    return start_vendor(token=TOKEN, application_secret=SECRET)


def walk(tab, vendor, name="UK shop"):
    """Go through the wizard up to the credentials."""
    page = tab.open("/connectors/linnworks/add")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/details")
    page.locator("summary", has_text="Advanced").click()
    page.get_by_label("API address").fill(vendor.address)
    page.get_by_label("Time zone").fill("Europe/London")
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/credentials")
    return page


def fill(page, vendor, **changes):
    for key, value in {**vendor.credentials, **changes}.items():
        field = page.locator(f"[name='credentials.{key}']")
        if field.get_attribute("readonly") is None:
            field.fill(value)


def submit(page, name="Test and save"):
    page.get_by_role("button", name=name).click()


def add(tab, vendor, **changes):
    page = walk(tab, vendor)
    fill(page, vendor, **changes)
    submit(page)
    page.wait_for_url("**/saved")
    return page


def test_the_six_credentials_in_the_platforms_order(open_tab, vendor, site, browser):
    tab = open_tab()
    page = walk(tab, vendor)
    labels = [re.sub(r"\s*(optional|fixed)$", "", text) for text in page.locator(".field > label").all_inner_texts()]
    assert labels == SIX
    assert page.locator("[name='credentials.grant_type']").input_value() == "client_credentials"
    assert page.locator("[name='credentials.response_authentication_token_key']").input_value() == "token"
    assert tab.violations() == []
    fill(page, vendor)
    submit(page)
    page.wait_for_url("**/saved")
    expect(page.locator("main")).to_contain_text("Signed in to")
    expect(page.locator("main")).to_contain_text("Stock locations can be read.")
    assert tab.violations() == []
    instance = site.store.get("UK shop")
    assert instance.state is InstanceState.OK
    assert dict(site.store.credentials("UK shop", [])) == {**vendor.credentials, "token": TOKEN}
    page.set_viewport_size(browser.PHONE)
    page.get_by_role("link", name="Open the instance").click()
    assert tab.violations() == []


def test_a_wrong_secret_saves_nothing_until_the_user_says_so(open_tab, vendor, site):
    page = walk(open_tab(), vendor)
    fill(page, vendor, application_secret=SECRET.replace("b2", "b3"))
    submit(page)
    expect(page.locator(".summary:focus")).to_contain_text("The test did not succeed, and nothing was saved")
    assert site.store.count() == 0
    assert page.locator("[name='credentials.application_secret']").input_value() == ""
    submit(page, "Save untested")
    page.wait_for_url("**/saved")
    expect(page.locator("main")).to_contain_text("It is untested.")
    assert site.store.get("UK shop").state is InstanceState.UNTESTED
    page.get_by_role("link", name="Open the instance").click()
    expect(page.locator("main")).to_contain_text("It is untested.")
    page.get_by_role("link", name="Instances").first.click()
    expect(page.locator("tbody")).to_contain_text("untested")


def test_a_permission_that_is_not_granted_is_seen_now_by_name(open_tab, start_vendor):
    page = add(open_tab(), start_vendor(permissions=("Inventory",)), scope="all")
    expect(page.locator("tbody")).to_contain_text("refused")
    expect(page.locator("tbody")).to_contain_text("ProcessedOrders")


def test_a_node_that_the_scope_leaves_out_is_named_before_anything_is_sent(open_tab, vendor, site):
    tab = open_tab()
    add(tab, vendor, scope="Inventory")
    page = tab.open(f"/instances/{site.store.get('UK shop').id}/streams/processed_orders")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/runs/*")
    expect(page.locator("#run-status")).to_contain_text("failure")
    expect(page.locator("#run-status")).to_contain_text("ProcessedOrders")


def test_a_vendor_that_is_down_is_told_as_such_and_nothing_is_lost(open_tab, vendor, site):
    page = walk(open_tab(), vendor)
    fill(page, vendor)
    vendor.close()
    page.set_default_timeout(30_000)
    submit(page)
    expect(page.locator(".summary")).to_contain_text("nothing was saved", timeout=30_000)
    assert "What to do" in page.locator(".summary").inner_text()
    assert page.get_by_text("A value is kept").count() == 2
    assert site.store.count() == 0


def test_an_expired_session_is_opened_again_unseen(open_tab, vendor, site):
    tab = open_tab()
    add(tab, vendor)
    assert vendor.control.expire_sessions() >= 1
    before = vendor.control.sign_ins
    page = tab.open(f"/instances/{site.store.get('UK shop').id}/operations/inventory.GetStockLocations")
    page.get_by_role("button", name="Call it").click()
    expect(page.locator("pre.answer")).to_contain_text("StockLocationId")
    assert vendor.control.sign_ins == before + 1


def test_pressing_twice_in_two_tabs_saves_one_instance_each(open_tab, vendor, site):
    context = open_tab()
    first = walk(context, vendor, "First")
    other = open_tab()
    second = walk(other, vendor, "Second")
    for page in (first, second):
        fill(page, vendor)
        page.get_by_role("button", name="Test and save").dblclick()
    for page in (first, second):
        page.wait_for_url("**/saved")
    assert {instance.name for instance in site.store.list()} == {"First", "Second"}


def test_back_and_reload_keep_what_was_typed(open_tab, vendor):
    page = walk(open_tab(), vendor)
    with page.expect_response(lambda answer: answer.status == 204):
        fill(page, vendor)
        page.locator("[name='credentials.scope']").blur()
    submit(page, "Back")
    page.wait_for_url("**/details")
    assert page.get_by_label("Time zone").input_value() == "Europe/London"
    page.go_back()
    page.wait_for_url("**/credentials")
    page.reload()
    assert page.get_by_text("A value is kept").count() == 2
    assert page.get_by_label("Application id").input_value() == vendor.credentials["application_id"]
    submit(page)
    page.wait_for_url("**/saved")


def test_the_same_wizard_without_javascript(open_tab, vendor, site):
    tab = open_tab(java_script_enabled=False)
    page = walk(tab, vendor)
    fill(page, vendor, token="no token")
    submit(page)
    expect(page.locator(".summary")).to_contain_text("Token")
    page.locator("[name='credentials.token']").fill(TOKEN)
    submit(page)
    page.wait_for_url("**/saved")
    assert site.store.get("UK shop").state is InstanceState.OK


def test_no_secret_is_on_a_page_or_in_a_file(open_tab, vendor, site):
    tab = open_tab()
    heads, texts = [], []

    def note(answer):
        heads.append(f"{answer.url} {answer.headers}")

    tab.page.on("response", note)
    page = walk(tab, vendor)
    with page.expect_response(lambda answer: answer.status == 204):
        fill(page, vendor)
        page.locator("[name='credentials.scope']").blur()
    page.reload()
    texts.append(page.content())
    submit(page)
    page.wait_for_url("**/saved")
    texts.append(page.content())
    instance = site.store.get("UK shop")
    paths = ("", "/edit", "/edit/credentials", "/streams", "/operations/inventory.GetStockLocations")
    texts += [tab.open(f"/instances/{instance.id}{path}").content() for path in paths]
    submit(page, "Call it")
    page.wait_for_selector("pre.answer")
    texts += [page.content(), *heads]
    kept = [path.read_bytes() for path in site.home.path.rglob("*") if path.is_file()]
    for marker in (TOKEN, SECRET):
        assert not any(marker in text for text in texts)
        assert not any(marker.encode() in content for content in kept)
