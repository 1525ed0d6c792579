"""Every command with the Linnworks connector against its sandbox, and no secret in anything that they write."""

import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from connector_host.cli.app import app

TOKEN = "5a4db0c5-aaaa-4aaa-8aaa-70ce70ce70ce"
SECRET = "5a4db0c5-bbbb-4bbb-8bbb-5ec2e75ec2e7"
SIX = [
    ("scope", "Scope"),
    ("token", "Token"),
    ("application_id", "Application id"),
    ("application_secret", "Application secret"),
    ("grant_type", "Grant type"),
    ("response_authentication_token_key", "Response authentication token key"),
]


class Program:
    """The command line with a home of its own; everything that it writes is kept for a look at the end."""

    def __init__(self, home):
        self.home = home
        self.said = []

    def run(self, *arguments, given=None):
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        result = CliRunner().invoke(app, ["--home", str(self.home), *map(str, arguments)], input=text)
        self.said.append(result.output)
        return result

    def json(self, *arguments, given=None):
        result = self.run(*arguments, given=given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def secrets():
    """The secrets of a test: credentials, the rest of a sign-in's answer and, as they are made, tokens of sessions."""
    return {TOKEN, SECRET, "database-password-of-", "database-user-of-", "md5-hash-of-"}


@pytest.fixture
def program(tmp_path, monkeypatch, secrets):
    for name in ("HOME", "DATABASE", "KEY", "KEYRING", "FOLDERS"):
        monkeypatch.delenv(f"CONNECTOR_HOST_{name}", raising=False)
    program = Program(tmp_path / "home")
    yield program
    everything = "\n".join(program.said).lower()
    assert [secret for secret in secrets if secret.lower() in everything] == []
    for file in program.home.rglob("*"):
        content = file.read_bytes().lower() if file.is_file() else b""
        assert [secret for secret in secrets if secret.lower().encode() in content] == [], file


@pytest.fixture
def vendor(sandbox, secrets, monkeypatch):
    """A sandbox that accepts the marker secrets; the token of every session that it opens is a secret as well."""
    from linnworks_connector.sandbox.sessions import Sessions  # noqa: PLC0415 -- only to listen to it

    opened = Sessions.open

    def listen(self):
        session = opened(self)
        secrets.add(session.token)
        return session

    monkeypatch.setattr(Sessions, "open", listen)
    return lambda **options: sandbox(token=TOKEN, application_secret=SECRET, **options)


def values_of(running, name="shop", **credentials):
    return {"name": name, "settings": running.settings, "credentials": {**running.credentials, **credentials}}


@pytest.fixture
def shop(program, vendor):
    """An instance named shop of a sandbox with the options."""

    def add(*, scope="all", **options):
        running = vendor(**options)
        result = program.run("instance", "add", "linnworks", "--values", "-", given=values_of(running, scope=scope))
        assert result.exit_code == 0, result.output
        return running

    return add


def test_the_connector_is_listed_loads_and_passes_its_check(program):
    listed = {each["name"]: each for each in program.json("connectors", "--load", "--json")}
    assert listed["linnworks"]["status"] == "ok"
    assert program.run("check", "linnworks").exit_code == 0
    shown = program.run("connector", "linnworks")
    assert "AuthorizeByApplication" in shown.stdout
    assert "743 in" in shown.stdout


def test_the_form_has_the_six_credentials_in_the_order_of_the_listing(program):
    form = program.json("form", "linnworks", "--json")
    schema = form["schema"]["properties"]["credentials"]
    assert [(key, rule["title"]) for key, rule in schema["properties"].items()] == SIX
    assert schema["required"] == [key for key, _ in SIX]
    ui = form["uiSchema"]["credentials"]
    assert ui["ui:order"] == [key for key, _ in SIX]
    assert [key for key, _ in SIX if ui[key].get("ui:widget") == "password"] == ["token", "application_secret"]
    assert [key for key, _ in SIX if ui[key].get("ui:readonly")] == ["grant_type"]
    assert form["formData"]["credentials"] == {
        "grant_type": "client_credentials",
        "response_authentication_token_key": "token",
    }


def test_all_operations_are_listed_for_programs(program):
    operations = program.json("operations", "linnworks", "--json")
    assert len(operations) == 743
    assert len({each["id"] for each in operations}) == 743
    assert {each["kind"] for each in operations} == {"read", "write"}
    shown = program.run("operation", "linnworks", "orders.getordersbyid").stdout
    assert "250 in 60 s for each session" in shown
    assert "at most 200 entries in pkOrderIds" in shown


def test_the_least_scope_is_enough_for_what_it_is_for(program, shop, tmp_path):
    scope = program.json("scope", "linnworks", "--for", "open_orders", "--json")
    assert scope["portal"]["LinnworksPermissions"] == scope["nodes"]
    shop(scope=scope["scope"], permissions=tuple(scope["nodes"]))
    pulled = program.run("pull", "shop", "open_orders", "--to", tmp_path / "out")
    assert pulled.exit_code == 0, pulled.output


def test_an_instance_is_added_tested_shown_and_removed(program, shop):
    shop()
    [listed] = program.json("instance", "list", "--json")
    assert (listed["state"], listed["account"]) == ("ok", "shop.keeper@example.com")
    assert program.run("instance", "test", "shop").exit_code == 0
    shown = program.json("instance", "show", "shop", "--json")
    assert shown["credentials"]["grant_type"] == "client_credentials"
    assert {shown["credentials"][key] for key in ("token", "application_secret")} == {"••••••"}
    assert "Application secret" not in program.run("instance", "show", "shop").stdout
    assert program.run("instance", "remove", "shop", "--yes").exit_code == 0


def test_blanks_around_credentials_and_a_full_stop_are_forgiven(program, vendor):
    running = vendor()
    given = values_of(running, token=f"  {TOKEN}\n", response_authentication_token_key="Token.")
    assert program.run("instance", "add", "linnworks", "--values", "-", given=given).exit_code == 0


def test_wrong_values_are_told_at_once_without_being_quoted(program, vendor):
    given = values_of(vendor(), token=TOKEN[:-1], application_secret=f"{SECRET}x", grant_type="password", scope="a b!")
    result = program.run("instance", "add", "linnworks", "--values", "-", given=given)
    assert result.exit_code == 2
    for key in ("scope", "token", "application_secret", "grant_type"):
        assert f"credentials.{key}: " in result.stderr
    assert TOKEN[:-1] not in result.output


def test_credentials_that_the_vendor_rejects_are_not_saved(program, vendor, secrets):
    wrong = "5a4db0c5-cccc-4ccc-8ccc-00000000dead"
    secrets.add(wrong)
    given = values_of(vendor(), application_secret=wrong)
    result = program.run("--log-level", "debug", "instance", "add", "linnworks", "--values", "-", given=given)
    assert result.exit_code == 3
    assert program.json("instance", "list", "--json") == []


def test_any_operation_is_called_by_name(program, shop):
    shop()
    pairs = ["pageNumber=1", "entriesPerPage=3", "dataRequirements=StockLevels"]
    items = program.json("--log-level", "debug", "--trace-hooks", "call", "shop", "stock.GetStockItemsFull", *pairs)
    assert len(items) == 3
    found = program.json(
        "call",
        "shop",
        "processedorders.SearchProcessedOrders",
        "FromDate=2020-01-01T00:00:00Z",
        "ToDate=2099-01-01T00:00:00Z",
        "DateField=processed",
        "PageNumber=1",
        "ResultsPerPage=2",
    )
    assert len(found["ProcessedOrders"]["Data"]) == 2


def test_streams_are_pulled_into_files(program, shop, tmp_path):
    running = shop(orders=60, items=30)
    streams = ["orders", "stock_items", "open_orders", "processed_orders", "processed_order_details"]
    result = program.run("pull", "shop", *streams, "--to", tmp_path / "out", "--progress", "json")
    assert result.exit_code == 0, result.output
    counts = {name: len((tmp_path / "out" / f"{name}.jsonl").read_text().splitlines()) for name in streams}
    assert counts["open_orders"] == len(running.shop.orders.open)
    assert counts["processed_orders"] == counts["processed_order_details"] > 0
    assert counts["stock_items"] > 0
    assert running.control.quota_exceeded() == []


def test_commands_share_one_session_and_survive_its_end(program, shop):
    running = shop()
    assert program.run("instance", "test", "shop").exit_code == 0
    before = running.control.sign_ins
    for _ in range(3):
        program.json("call", "shop", "inventory.GetStockLocations")
    assert running.control.sign_ins == before
    running.control.expire_sessions()
    program.json("call", "shop", "inventory.GetStockLocations")
    assert running.control.sign_ins == before + 1


@pytest.mark.parametrize(
    ("fault", "operation", "code"),
    [
        ("inventory.GetStockLocations:400", "inventory.GetStockLocations", 5),
        ("inventory.GetStockLocations:429:retry_after=86400", "inventory.GetStockLocations", 4),
        ("inventory.CreateCategory:400", "inventory.CreateCategory", 5),
        ("inventory.CreateCategory:500", "inventory.CreateCategory", 6),
        ("inventory.CreateCategory:reset:applied=yes", "inventory.CreateCategory", 6),
        ("inventory.GetStockLocations:empty", "inventory.GetStockLocations", 0),
    ],
)
def test_what_the_vendor_does_decides_the_exit_code(program, shop, fault, operation, code):
    running = shop()
    running.control.set_fault(fault)
    given = "{}" if "Get" in operation else '{"categoryName": "Kites"}'
    result = program.run("call", "shop", operation, "--input", "-", given=given)
    assert result.exit_code == code, result.output
    assert code == 0 or "Request id" in result.stderr


def test_an_operation_outside_the_scope_is_not_sent(program, shop):
    running = shop(scope="OrderBook.OpenOrders")
    before = running.control.summary()
    result = program.run("call", "shop", "processedorders.SearchProcessedOrders", "PageNumber=1")
    assert result.exit_code == 3
    assert "GlobalPermissions.OrderBook.ProcessedOrdersNode" in result.stderr
    assert running.control.summary() == before


def test_the_demo_runs_to_its_end(program, tmp_path):
    result = program.run("demo", "linnworks", "--to", tmp_path / "demo-data")
    assert result.exit_code == 0, result.output
    assert "What was done" in result.stdout
    assert (tmp_path / "demo-data" / "stock_items.jsonl").stat().st_size > 0


def test_the_installed_command_runs_and_its_arguments_hold_no_secret(program, vendor):
    running = vendor()
    command = [sys.executable, "-m", "connector_host", "instance", "add", "linnworks", "--values", "-"]
    done = subprocess.run(
        command,
        input=json.dumps(values_of(running)),
        env={**os.environ, "CONNECTOR_HOST_HOME": str(program.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    program.said += [done.stdout, done.stderr]
    assert done.returncode == 0, done.stderr
    assert 'Added "shop".' in done.stderr


def test_an_absurd_retry_after_is_obeyed_and_told_as_people_read_it(program, shop):
    running = shop()
    running.control.set_fault("orders.GetOrdersById:429:retry_after=86400:times=1")
    refused = program.run("call", "shop", "orders.GetOrdersById", "pkOrderIds=00000000-0000-0000-0000-000000000000")
    assert refused.exit_code == 4
    assert "Try again in 24 h. To wait for it, add --timeout 25h." in refused.stderr
    again = program.run(
        "call", "shop", "orders.GetOrdersById", "pkOrderIds=00000000-0000-0000-0000-000000000000", "--timeout", "90s"
    )
    assert re.search(r"The quota of orders.GetOrdersById has room again in 2(4 h|3 h 59 min), later than", again.stderr)
    assert running.control.calls["orders.GetOrdersById"] == 1


def test_a_call_gives_up_when_its_time_is_over(program, shop):
    shop().control.set_fault("inventory.GetStockLocations:429:retry_after=2:times=1")
    impatient = program.run("call", "shop", "inventory.GetStockLocations", "--timeout", "0.5", "--json")
    error = json.loads(impatient.stderr)
    assert (impatient.exit_code, error["error"], error["retry_after"]) == (4, "QuotaExhausted", 2)
    assert error["next_step"] == "Try again in 2 s. To wait for it, add --timeout 2m."
    assert "This is no length of time." in program.run("call", "shop", "auth.Nothing", "--timeout", "soon").stderr
