from pathlib import Path

import pytest

from connector_host.connectors import load_connector
from connector_host.forms import check_form, form_for

BUNDLE = Path(__file__).parents[2] / "checks" / "rjsf" / "build" / "form.js"
SECRETS = {
    "token": "5a4db0c5-0000-4000-8000-000000707e90",
    "application_id": "5a4db0c5-0000-4000-8000-00000000a001",
    "application_secret": "5a4db0c5-0000-4000-8000-0000005ec2e7",
}


@pytest.fixture(scope="module")
def connector():
    return load_connector("linnworks")


@pytest.fixture
def page(chromium, browser, connector):
    browser.need(BUNDLE, "The bundle of react-jsonschema-form")
    context = chromium.new_context()
    page = context.new_page()
    page.set_content('<!DOCTYPE html><html lang="en"><body><div id="root"></div></body></html>')
    page.add_script_tag(path=BUNDLE)
    page.evaluate("form => show(form)", form_for(connector.folder, connector.method()).as_json())
    page.wait_for_selector("#root_name")
    yield page
    context.close()


def fill(page):
    page.fill("#root_name", "UK shop")
    page.fill("#root_credentials_scope", "OrderBook.OpenOrders")
    for key, value in SECRETS.items():
        page.fill(f"#root_credentials_{key}", value)


def test_react_jsonschema_form_returns_what_was_typed(page, connector):
    fill(page)
    page.click("button[type=submit]")
    page.wait_for_function("window.submitted || window.refused")
    assert page.evaluate("window.refused") is None
    submitted = page.evaluate("window.submitted")
    start = form_for(connector.folder, connector.method()).form_data
    assert submitted == {
        **start,
        "name": "UK shop",
        "credentials": {**start["credentials"], "scope": "OrderBook.OpenOrders", **SECRETS},
    }
    form = check_form(connector, submitted)
    assert (form.name, dict(form.credentials), form.method.name) == (
        "UK shop",
        submitted["credentials"],
        "AuthorizeByApplication",
    )


def test_the_hints_are_understood(page):
    types = {key: page.get_attribute(f"#root_credentials_{key}", "type") for key in ("token", "application_secret")}
    assert set(types.values()) == {"password"}
    assert page.get_attribute("#root_credentials_grant_type", "readonly") is not None
    labels = page.locator("label").all_inner_texts()
    assert [each.rstrip("*") for each in labels if each.startswith(("Scope", "Token", "Application"))] == [
        "Scope",
        "Token",
        "Application id",
        "Application secret",
    ]


def test_it_refuses_what_the_host_refuses(page):
    fill(page)
    page.fill("#root_credentials_token", "not a token")
    page.fill("#root_name", "")
    page.click("button[type=submit]")
    page.wait_for_function("window.submitted || window.refused")
    assert page.evaluate("window.submitted") is None
    assert {each.lstrip(".") for each in page.evaluate("window.refused")} >= {"credentials.token", "name"}
