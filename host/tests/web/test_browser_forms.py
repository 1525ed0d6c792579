"""What a browser makes of a form that was not taken, and of an answer: back, reload, and two tabs side by side."""

import importlib.util
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

_SPEC = importlib.util.spec_from_file_location("browser_of_host", Path(__file__).with_name("browser.py"))
browser = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(browser)

MARKER = "tok-5ec2e7-marker"
REFUSED = re.compile(r"\?refused=[-\w]{22}$")


def count_posts(page):
    """A list that grows with every form that the browser sends."""
    posts = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    return posts


def fill_environments(page, instance):
    del instance
    page.get_by_label("Name of a new environment").fill("a / b")
    return "Add it", page.get_by_label("Name of a new environment"), "a / b"


def fill_retention(page, instance):
    del instance
    page.get_by_label("Logs and files, in days").fill("many")
    return "Save", page.get_by_label("Logs and files, in days"), "many"


def fill_removal(page, instance):
    del instance
    page.get_by_label("Type confirm").fill("confrim")
    return "Remove", page.get_by_label("Type confirm"), "confrim"


FORMS = {
    "/environments": fill_environments,
    "/settings": fill_retention,
    "/instances/{id}/remove": fill_removal,
}


@pytest.mark.parametrize("scripts", [True, False])
def test_a_refused_form_is_reloaded_left_and_come_back_to_without_being_sent_again(open_tab, site, sandbox, scripts):
    tab = open_tab(java_script_enabled=scripts)
    instance = browser.add_instance(site, sandbox)
    posts = count_posts(tab.page)
    for number, (path, fill) in enumerate(FORMS.items(), start=1):
        page = tab.open("/instances")
        page = tab.open(path.format(id=instance.id))
        address = page.url
        button, field, typed = fill(page, instance)
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_url(REFUSED)
        for _ in range(2):
            expect(field).to_have_value(typed)
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_be_focused()
            page.reload()
        page.go_back()
        page.wait_for_url(address)
        assert field.get_attribute("aria-invalid") is None
        page.go_back()
        page.wait_for_url("**/instances")
        page.go_forward()
        page.go_forward()
        page.wait_for_url(REFUSED)
        expect(field).to_have_value(typed)
        assert len(posts) == number
    assert site.store.count() == 1


def test_two_tabs_show_each_its_own_refused_form(open_tab, site):
    first = open_tab()
    second = browser.Tab(first.page.context, site)
    for tab, name in ((first, "one / two"), (second, "three / four")):
        page = tab.open("/environments")
        page.get_by_label("Name of a new environment").fill(name)
        page.get_by_role("button", name="Add it").click()
        page.wait_for_url(REFUSED)
    first.page.reload()
    expect(first.page.get_by_label("Name of a new environment")).to_have_value("one / two")
    second.page.get_by_label("Name of a new environment").fill("staging")
    second.page.get_by_role("button", name="Add it").click()
    second.page.wait_for_url(re.compile(r"/environments/[-0-9a-f]+$"))
    first.page.reload()
    expect(first.page.get_by_label("Name of a new environment")).to_have_value("one / two")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_that_is_refused_is_named_and_no_secret_comes_back(open_tab, site, sandbox, scripts):
    tab = open_tab(java_script_enabled=scripts)
    instance = browser.add_instance(site, sandbox)
    page, content = tab.page, f'{{"credentials": {{"api_token": "{MARKER}"'
    posts = count_posts(page)
    tab.open("/instances/import")
    file = {"name": "shop of mine.json", "mimeType": "application/json", "buffer": content.encode()}
    page.get_by_label("The exported file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_url(REFUSED)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("This is not a JSON object.")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#file-error")).to_contain_text("“shop of mine.json” was not taken.")
    seen = page.content() + page.url
    tab.open(f"/instances/{instance.id}/edit/credentials")
    page.get_by_label("API token", exact=True).fill(MARKER)
    page.get_by_role("button", name="Test and save").click()
    page.wait_for_url(REFUSED)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    expect(page.get_by_text("A value is kept")).to_be_visible()
    seen += page.content() + page.url + str(page.context.cookies())
    assert MARKER not in seen
    assert len(posts) == 2


def test_a_file_that_is_too_large_is_told_at_an_address_of_its_own(open_tab, tmp_path):
    tab = open_tab()
    page, file = tab.page, tmp_path / "huge.json"
    posts = count_posts(page)
    file.write_bytes(b"x" * 3_000_000)
    tab.open("/instances/import")
    page.get_by_label("The exported file").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_url("**/problems/*")
    page.reload()
    expect(page.get_by_text("The request has more than 1,048,576 bytes.")).to_be_visible()
    page.get_by_role("link", name="Go back to where it was sent from").click()
    page.wait_for_url("**/instances/import")
    assert len(posts) == 1


def test_a_write_is_made_once_whatever_is_reloaded_or_gone_back_to(tab, site, sandbox):
    instance = browser.add_instance(site, sandbox)
    before = len(sandbox.requests)
    page = tab.open(f"/instances/{instance.id}/operations/things.CreateThing")
    posts = count_posts(page)
    page.locator("#json").fill('{"name": "Ball"}')
    page.get_by_role("button", name="Call it").click()
    page.wait_for_url("**/calls/*")
    page.reload()
    page.get_by_role("button", name="Yes, call it").click()
    page.wait_for_selector("pre.answer")
    sent = len(posts)
    page.reload()
    expect(page.locator("pre.answer")).to_contain_text("Ball")
    page.go_back()
    page.wait_for_load_state()
    page.go_forward()
    expect(page.locator("pre.answer")).to_contain_text("Ball")
    page.get_by_role("link", name="Change the input").click()
    expect(page.locator("#json")).to_have_value(re.compile("Ball"))
    assert len(posts) == sent
    assert len(sandbox.requests) - before == 1


def test_a_wrong_token_is_told_again_by_a_reload_that_tries_nothing(chromium, site):
    context = chromium.new_context()
    page = browser.Tab(context, site).open("/sign-in")
    posts = count_posts(page)
    page.fill("#secret", "wrong")
    page.click("main button")
    page.wait_for_url(re.compile(r"/sign-in\?refused="))
    page.reload()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_text("That token is not right.")).to_be_visible()
    assert len(posts) == 1
    context.close()
