import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connector_host import instances
from connector_host.contract.errors import ConfigurationError
from connector_host.instances import Home, InstanceStore


def test_the_environment_names_the_home_and_the_database(tmp_path):
    home = Home.locate({"CONNECTOR_HOST_HOME": str(tmp_path / "state"), "CONNECTOR_HOST_DATABASE": "postgresql://x/y"})
    assert home.path == tmp_path / "state"
    assert home.database_url == "postgresql://x/y"
    assert not home.path.exists()


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_the_variable_the_home_is_the_platforms_data_folder(value, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    home = Home.locate({} if value is None else {"CONNECTOR_HOST_HOME": value})
    assert home.path.name == "connector-host"
    assert home.database_url == f"sqlite:///{home.path / 'instances.db'}"


def test_a_tilde_and_a_relative_path_are_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.locate({"CONNECTOR_HOST_HOME": "~/state"}).path == tmp_path / "state"
    assert Home.locate({"CONNECTOR_HOST_HOME": "state"}).path.is_absolute()


def test_everything_stands_in_the_home(tmp_path):
    home = Home(tmp_path)
    assert {path.parent for path in (home.database, home.key_file, home.quota_database, home.runs)} == {tmp_path}


def test_the_home_is_made_for_its_owner_only(tmp_path):
    home = Home(tmp_path / "a" / "home").create()
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert home.create() == home


def test_a_home_that_cannot_be_made_is_a_mistake_in_the_configuration(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"(?s)cannot be created.*CONNECTOR_HOST_HOME"):
        Home(tmp_path / "file" / "home").create()
    with pytest.raises(ConfigurationError, match="cannot be created"):
        Home(tmp_path / "file").create()


def test_the_password_of_a_database_never_shows(home):
    override = "postgresql://user:MARKER@127.0.0.1:1/none"
    shown = Home(home.path, override)
    assert "MARKER" not in f"{shown!r}{shown}"
    with pytest.raises(ConfigurationError) as caught:
        InstanceStore.open(shown)
    assert "MARKER" not in f"{caught.value}{caught.value.detail}{caught.value!r}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not an address", "not understood"),
        ("nosuchdatabase://user:MARKER@host/x", "not understood"),
        ("sqlite://", "forgets"),
        ("sqlite:///:memory:", "forgets"),
        ("sqlite:////proc/none/x.db", "cannot be opened"),
        ("postgresql+pg8000://user:MARKER@host/x", "driver pg8000 is not installed"),
    ],
)
def test_an_address_that_leads_to_no_database_is_refused_with_a_next_step(home, url, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        InstanceStore.open(Home(home.path, url))
    assert caught.value.next_step
    assert "MARKER" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(home):
    home.database.write_bytes(b"something else entirely" * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        InstanceStore.open(home)
    assert home.database.read_bytes() == b"something else entirely" * 100


def test_everything_that_is_offered_is_there():
    assert [name for name in instances.__all__ if not hasattr(instances, name)] == []


def test_asking_where_the_home_is_does_not_bring_the_database_along():
    code = "import sys; from connector_host.instances import Home; Home.locate(); print('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
