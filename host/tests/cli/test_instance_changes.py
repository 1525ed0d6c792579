import json

import pytest

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package

NEW = "tok-marker-e4da3b7f"


@pytest.fixture
def vendor_of_shop(shop):
    return shop()


def test_an_edit_is_tested_before_it_is_saved(host, vendor_of_shop):
    refused = host.run("instance", "edit", "shop", "--values", "-", given={"credentials": {"api_token": NEW}})
    assert refused.exit_code == 3
    assert NEW not in refused.output
    vendor_of_shop.options["token"] = NEW
    given = {"name": "Shop 2", "credentials": {"api_token": NEW}}
    edited = host.json("instance", "edit", "SHOP", "--values", "-", "--json", given=given)
    assert (edited["name"], edited["state"]) == ("Shop 2", "ok")


@pytest.mark.usefixtures("vendor_of_shop")
def test_an_instance_is_renamed_copied_disabled_and_enabled(host):
    assert host.run("instance", "rename", "shop", "New").exit_code == 0
    copy = host.json("instance", "duplicate", "new", "Copy", "--json")
    assert copy["state"] == "incomplete"
    assert host.run("instance", "test", "Copy").exit_code == 2
    assert host.run("instance", "disable", "New").exit_code == 0
    assert "disabled" in host.run("call", "New", "things.ListColours").output
    assert host.run("instance", "enable", "New").exit_code == 0
    assert host.run("call", "New", "things.ListColours").exit_code == 0


@pytest.mark.usefixtures("vendor_of_shop")
def test_an_instance_is_exported_without_secrets_and_imported_with_them(host, tmp_path):
    exported = host.run("instance", "export", "shop")
    assert SECRET not in exported.stdout
    document, secrets = tmp_path / "shop.json", tmp_path / "secrets.json"
    document.write_text(exported.stdout)
    later = host.json("instance", "import", "-", "--name", "later", "--json", given=exported.stdout)
    assert later["state"] == "incomplete"
    secrets.write_text(json.dumps({"api_token": SECRET}))
    added = host.json("instance", "import", document, "--name", "again", "--secrets", secrets, "--json")
    assert added["state"] == "ok"
    broken = host.run("instance", "import", "-", given={**json.loads(exported.stdout), "version": 9})
    assert (broken.exit_code, "document.version" in broken.output) == (2, True)


@pytest.mark.usefixtures("vendor_of_shop")
def test_keys_are_listed_and_rotated(host):
    before = host.json("keys", "list", "--json")
    rotated = host.run("keys", "rotate", "--drop")
    assert rotated.exit_code == 0
    after = host.json("keys", "list", "--json")
    assert [each["writes"] for each in after] == [True]
    assert after[0]["id"] != before[0]["id"]
    assert host.run("instance", "test", "shop").exit_code == 0


def test_a_token_is_shown_once_listed_and_revoked(host):
    made = host.run("token", "add", "CI")
    secret = made.stdout.strip()
    assert secret.startswith("cht_")
    assert [each["name"] for each in host.json("token", "list", "--json")] == ["CI"]
    assert secret not in host.run("token", "list").output
    assert host.run("token", "add", "ci").exit_code == 2
    assert host.run("token", "revoke", "ci").exit_code == 0
    assert host.json("token", "list", "--json") == []
    assert all(secret.encode() not in path.read_bytes() for path in host.home.rglob("*") if path.is_file())
