import base64
import stat
import sys
import threading
import types

import pytest

from connector_host.contract.errors import ConfigurationError, SecretsUnreadable
from connector_host.instances import EnvironmentKeys, FileKeys, Home, KeyRing, KeyringKeys, key_source

FIRST = "first:" + base64.b64encode(b"1" * 32).decode()
SECOND = "second:" + base64.b64encode(b"2" * 32).decode()


@pytest.fixture
def system_keyring(monkeypatch):
    """A keyring that remembers in this process; `locked` makes it refuse."""
    module = types.ModuleType("keyring")
    module.kept = {}
    module.locked = False

    def check():
        if module.locked:
            raise RuntimeError("MARKER: locked")

    def get_password(service, entry):
        check()
        return module.kept.get((service, entry))

    def set_password(service, entry, text):
        check()
        module.kept[service, entry] = text

    module.get_password, module.set_password = get_password, set_password
    monkeypatch.setitem(sys.modules, "keyring", module)
    return module


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, FileKeys),
        ({"CONNECTOR_HOST_KEY": "  "}, FileKeys),
        ({"CONNECTOR_HOST_KEYRING": "0"}, FileKeys),
        ({"CONNECTOR_HOST_KEYRING": "1"}, KeyringKeys),
        ({"CONNECTOR_HOST_KEY": FIRST, "CONNECTOR_HOST_KEYRING": "1"}, EnvironmentKeys),
    ],
)
def test_the_environment_comes_first_then_the_keyring_then_a_file(home, environ, kind):
    assert isinstance(key_source(home, environ), kind)


def test_without_anything_set_the_first_secret_makes_a_private_key_file(home, open_store, add_shop):
    store = open_store(home)
    assert not home.key_file.exists()
    add_shop(store)
    assert stat.S_IMODE(home.key_file.stat().st_mode) == 0o600
    assert [path.name for path in home.path.iterdir() if "key" in path.name] == ["encryption.key"]
    assert open_store(home).credentials("Shop", {"token"})["token"] == "marker-a-token"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o666])
def test_a_key_file_that_others_may_open_is_not_used(home, open_store, add_shop, mode):
    store = open_store(home)
    add_shop(store)
    home.key_file.chmod(mode)
    for refused in (lambda: store.credentials("Shop", {"token"}), lambda: add_shop(store, "Other")):
        with pytest.raises(SecretsUnreadable, match=rf"(?s)mode {mode:04o}.*chmod 600"):
            refused()
    home.key_file.chmod(0o600)
    assert store.credentials("Shop", {"token"})["token"] == "marker-a-token"
    assert store.count() == 1


def test_a_damaged_key_file_says_so_and_is_left_as_it_is(home, open_store, add_shop):
    store = open_store(home)
    add_shop(store)
    for damage in (b"", b"main:AAAA", b"\xff\xfe"):
        home.key_file.write_bytes(damage)
        with pytest.raises(SecretsUnreadable, match=r"(?s)damaged|cannot be read") as caught:
            add_shop(store, "Other")
        assert "backup" in caught.value.next_step
        assert home.key_file.read_bytes() == damage


def test_a_lost_key_is_not_replaced_behind_its_owners_back(store, any_home, add_shop):
    add_shop(store)
    kept = any_home.key_file.read_text("ascii")
    any_home.key_file.unlink()
    for refused in (lambda: store.credentials("Shop", {"token"}), lambda: add_shop(store, "Other"), store.rotate_keys):
        with pytest.raises(SecretsUnreadable, match=r"(?s)is not there.*Nothing was changed.*from a backup"):
            refused()
    assert not any_home.key_file.exists()
    assert store.get("Shop").name == "Shop"
    FileKeys(any_home.key_file).save(KeyRing.parse(kept))
    assert store.credentials("Shop", {"token"})["token"] == "marker-a-token"


def test_after_a_lost_key_a_new_one_and_the_credentials_entered_again_work(store, any_home, add_shop):
    add_shop(store)
    any_home.key_file.unlink()
    FileKeys(any_home.key_file).save(KeyRing.parse(FIRST))
    with pytest.raises(SecretsUnreadable, match='The credential account of "Shop" cannot be read'):
        store.credentials("Shop", {"token"})
    store.replace_credentials("Shop", {"token": "marker-entered-again"})
    assert dict(store.credentials("Shop", {"token"})) == {"token": "marker-entered-again"}


def test_threads_that_need_a_first_key_at_once_agree_on_it(home, open_store, add_shop):
    store = open_store(home)
    start = threading.Barrier(6)

    def add(number):
        start.wait()
        add_shop(store, f"Shop {number}")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(home.key_file.read_text("ascii").splitlines()) == 1
    assert {store.credentials(f"Shop {number}", {"token"})["token"] for number in range(6)} == {"marker-a-token"}


def test_a_key_file_made_meanwhile_by_another_is_used(home):
    FileKeys(home.key_file).save(KeyRing.parse(FIRST))
    assert FileKeys(home.key_file).create() == KeyRing.parse(FIRST)
    assert list(home.path.iterdir()) == [home.key_file]


def test_a_key_file_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written"):
        FileKeys(tmp_path / "none" / "encryption.key").create()


def test_a_key_file_that_is_a_folder_says_so(home):
    home.key_file.mkdir()
    with pytest.raises(SecretsUnreadable, match="cannot be read"):
        FileKeys(home.key_file).load()


def test_keys_from_the_environment_leave_no_file(home, open_store, add_shop, monkeypatch):
    monkeypatch.setenv("CONNECTOR_HOST_KEY", FIRST)
    add_shop(open_store(home))
    assert not home.key_file.exists()
    monkeypatch.setenv("CONNECTOR_HOST_KEY", f"{SECOND},{FIRST}")
    assert open_store(home).credentials("shop", ())["token"] == "marker-a-token"
    monkeypatch.setenv("CONNECTOR_HOST_KEY", SECOND)
    with pytest.raises(SecretsUnreadable, match=r'not at hand \("first"\)'):
        open_store(home).credentials("shop", ())


def test_the_keyring_keeps_the_keys_of_each_home(home, open_store, add_shop, monkeypatch, system_keyring):
    monkeypatch.setenv("CONNECTOR_HOST_KEYRING", "1")
    add_shop(open_store(home))
    assert not home.key_file.exists()
    assert list(system_keyring.kept) == [("connector-host", str(home.path))]
    assert open_store(home).credentials("shop", ())["token"] == "marker-a-token"
    assert key_source(Home(home.path / "other")).load() is None


def test_a_keyring_can_be_rotated(home, open_store, add_shop, monkeypatch, system_keyring):
    monkeypatch.setenv("CONNECTOR_HOST_KEYRING", "1")
    store = open_store(home)
    add_shop(store)
    old = key_source(home).load().writing
    assert store.rotate_keys().rewritten == 2
    assert store.drop_unused_keys() == (old.id,)
    assert len(key_source(home).load().keys) == 1
    assert store.credentials("shop", ())["token"] == "marker-a-token"
    system_keyring.kept.clear()
    with pytest.raises(SecretsUnreadable, match="keyring"):
        store.credentials("shop", ())


def test_a_locked_keyring_and_a_missing_package_say_what_to_do(home, open_store, monkeypatch, system_keyring, add_shop):
    monkeypatch.setenv("CONNECTOR_HOST_KEYRING", "1")
    store = open_store(home)
    system_keyring.locked = True
    with pytest.raises(SecretsUnreadable, match=r"(?s)does not open.*Unlock") as caught:
        add_shop(store)
    assert "MARKER" not in f"{caught.value}{caught.value.detail}"
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"(?s)not installed.*pip install keyring"):
        add_shop(store)
