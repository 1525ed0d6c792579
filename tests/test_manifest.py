"""The manifest of the connector: the platform's six credentials, and what the gate says of it."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connector_host.contract.errors import InputInvalid
from connector_host.contract.manifest_checks import problems_of_connector
from connector_host.contract.manifest_file import read_manifest
from scripts.record_schemas import main as record_schemas

ROOT = Path(__file__).resolve().parent.parent
UUID = "7d9f2c04-51be-4c3a-9e77-0a6b8d1f2e35"
GOOD = {
    "scope": "OrderBook.OpenOrders",
    "token": UUID,
    "application_id": UUID,
    "application_secret": UUID,
    "grant_type": "client_credentials",
    "response_authentication_token_key": "token",
}


def test_manifest_has_no_problem():
    assert problems_of_connector(read_manifest(ROOT / "connector.yaml")) == []


def test_six_credentials_in_the_platforms_order_and_words(linnworks):
    method = linnworks.method()
    assert method.name == "AuthorizeByApplication"
    assert [(each.key, each.label, each.required, each.secret) for each in method.credentials] == [
        ("scope", "Scope", True, False),
        ("token", "Token", True, True),
        ("application_id", "Application id", True, False),
        ("application_secret", "Application secret", True, True),
        ("grant_type", "Grant type", True, False),
        ("response_authentication_token_key", "Response authentication token key", True, False),
    ]
    by_key = {each.key: each for each in method.credentials}
    assert (by_key["grant_type"].default, by_key["grant_type"].locked) == ("client_credentials", True)
    assert by_key["response_authentication_token_key"].default == "token"


def test_credentials_schema_passes_the_meta_schema():
    schema = json.loads((ROOT / "schemas/credentials/authorize-by-application.json").read_text())
    broken = [error.message for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)]
    assert broken == []


def test_blanks_are_forgiven_and_defaults_filled_in(linnworks):
    given = {
        "scope": "  all ",
        "token": f" {UUID}\n",
        "application_id": f"\t{UUID.upper()} ",
        "application_secret": UUID,
        "grant_type": "",
    }
    credentials = linnworks.check_credentials(linnworks.method(), given).credentials
    assert credentials["token"] == UUID
    assert credentials["application_id"] == UUID.upper()
    assert credentials["grant_type"] == "client_credentials"
    assert credentials["response_authentication_token_key"] == "token"


WRONG = {
    "no scope": ({"scope": " "}, "credentials.scope", "List permission nodes"),
    "scope of signs": ({"scope": "a b!"}, "credentials.scope", "List permission nodes"),
    "short token": ({"token": UUID[:-1]}, "credentials.token", "The token is a UUID"),
    "token of words": ({"token": "my token"}, "credentials.token", "copy it whole from Linnworks"),
    "blank inside the id": ({"application_id": f"{UUID[:8]} {UUID[9:]}"}, "credentials.application_id", "is a UUID"),
    "no secret": ({"application_secret": None}, "credentials.application_secret", "This is required"),
    "other grant type": ({"grant_type": "password"}, "credentials.grant_type", "always client_credentials"),
    "key of signs": (
        {"response_authentication_token_key": "to ken"},
        "credentials.response_authentication_token_key",
        "usually token",
    ),
    "unknown field": ({"tokn": UUID}, "credentials.tokn", 'Did you mean "token"'),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_credential_is_told_beside_its_field_without_its_value(linnworks, case):
    change, where, words = WRONG[case]
    with pytest.raises(InputInvalid) as caught:
        linnworks.check_credentials(linnworks.method(), {**GOOD, **change})
    (problem,) = caught.value.problems
    assert problem.where == where
    assert words in str(problem)
    given = next(iter(change.values()))
    assert not given or not given.strip() or given not in str(caught.value)


def test_all_missing_credentials_are_told_at_once(linnworks):
    with pytest.raises(InputInvalid) as caught:
        linnworks.check_credentials(linnworks.method(), {})
    assert [problem.where for problem in caught.value.problems] == [
        "credentials.scope",
        "credentials.token",
        "credentials.application_id",
        "credentials.application_secret",
    ]


@pytest.mark.parametrize("key", ["token", "token.", "Token", "session.token", "access_token"])
def test_token_key_may_be_dotted_and_end_in_a_full_stop(linnworks, key):
    assert linnworks.check_credentials(linnworks.method(), {**GOOD, "response_authentication_token_key": key})


SCOPES = {
    "OrderBook.OpenOrders": (["OrderBook.OpenOrders"], ["OrderBook.ProcessedOrders"]),
    "GlobalPermissions.OrderBook.OpenOrdersNode": (["OrderBook.OpenOrders"], ["Inventory.Stock"]),
    "orderbook.openorders": (["OrderBook.OpenOrders"], []),
    "OrderBook": (["OrderBook.OpenOrders", "OrderBook.ProcessedOrders"], ["Inventory"]),
    "all": (["OrderBook.OpenOrders", "Inventory.Stock", "Anything.AtAll"], []),
    "OrderBook.OpenOrders, Inventory.Stock": (["Inventory.Stock.StockWrite.ChangeStockItemDetails"], ["OrderBook"]),
    "OrderBook.Open": ([], ["OrderBook.OpenOrders"]),
}


@pytest.mark.parametrize("text", SCOPES)
def test_scope_covers_nodes_and_those_below(linnworks, text):
    covered, missing = SCOPES[text]
    scope = linnworks.scope({"scope": text})
    full = linnworks.permission_names.full
    assert scope.missing(map(full, [*covered, *missing])) == list(map(full, missing))


def test_unknown_permission_is_accepted_with_the_nearest_known_one(linnworks):
    checked = linnworks.check_credentials(linnworks.method(), {**GOOD, "scope": "OrderBook.OpenOrder Brand.New"})
    assert "OrderBook.OpenOrder is not a known permission; it is kept as it is." in checked.warnings[0]
    assert "The nearest known one is OrderBook.OpenOrders." in checked.warnings[0]
    assert checked.warnings[1].startswith("Brand.New is not a known permission")
    assert linnworks.check_credentials(linnworks.method(), {**GOOD, "scope": "OrderBook, all"}).warnings == []


def test_record_schemas_are_those_of_the_catalogue():
    assert record_schemas(check=True) == 0


def test_wheel_holds_the_manifest_and_the_schemas(tmp_path, run_python):
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "connector.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("linnworks_connector", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    run_python("-m", "hatchling", "build", "-t", "wheel", cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "linnworks_connector/connector.yaml" in names
    assert "linnworks_connector/schemas/operations/orders.json" in names
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    told = run_python(
        "-c",
        "from connector_host.connectors import load_connector; c = load_connector('linnworks');"
        "print(len(c.catalogue), c.folder.folder)",
        cwd=tmp_path / "site",
        env={"PYTHONPATH": str(tmp_path / "site")},
    )
    assert told.split() == ["743", str(tmp_path / "site" / "linnworks_connector")]


def test_nothing_that_the_vendor_deprecates_is_used(linnworks):
    manifest = linnworks.manifest
    used = {operation for stream in manifest.streams for operation in stream.operations()}
    used |= {check.operation for check in manifest.checks}
    used |= {action.operation for action in manifest.actions if action.operation}
    assert [each.id for each in linnworks.catalogue if each.deprecated and each.id in used] == []
