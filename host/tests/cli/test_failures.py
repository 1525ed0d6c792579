import inspect
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connector_host.cli.exits import EXIT_OF_ERROR, MEANINGS, ExitCode, exit_code_of
from connector_host.contract import errors

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ManifestInvalid, 2),
        (errors.ConnectorBroken, 2),
        (errors.UnknownName, 2),
        (errors.InputInvalid, 2),
        (errors.NameTaken, 2),
        (errors.AddressNotAllowed, 2),
        (errors.PermissionMissing, 3),
        (errors.Unwritable, 2),
        (errors.SecretsUnreadable, 3),
        (errors.CredentialsRejected, 3),
        (errors.SessionLost, 3),
        (errors.QuotaExhausted, 4),
        (errors.VendorUnreachable, 4),
        (errors.VendorFault, 5),
        (errors.RecordRejected, 5),
        (errors.VendorRefused, 5),
        (errors.AnswerUnreadable, 5),
        (errors.OutcomeUnknown, 6),
    ],
)
def test_each_error_has_its_code(error, code):
    assert exit_code_of(error("x")) == code


def test_every_error_of_the_tree_has_a_code_and_every_code_a_meaning():
    tree = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, errors.ConnectorHostError)
    ]
    assert all(exit_code_of(each("x")) in MEANINGS for each in tree)
    assert set(EXIT_OF_ERROR) <= set(tree)
    assert set(MEANINGS) == set(ExitCode)


def test_the_help_tells_every_exit_code(host):
    text = " ".join(host.run("--help").stdout.split())
    for code, meaning in MEANINGS.items():
        assert f"{code:d} {meaning}" in text


def test_a_fault_of_the_program_is_told_without_a_traceback_and_logged_without_secrets(host, shop, monkeypatch):
    shop()

    def fail(*_):
        raise ZeroDivisionError(f"with {SECRET}")

    monkeypatch.setattr("connector_host.cli.calls.input_of", fail)
    result = host.run("call", "shop", "things.ListColours")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    log = host.home / "connector-host.log"
    assert str(log) in result.stderr
    assert "ZeroDivisionError" in log.read_text()
    assert SECRET not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_fault_is_told_even_where_no_log_can_be_written(host, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    host.home = tmp_path / "file" / "home"

    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("connector_host.cli.state.HostState.find", fail)
    result = host.run("connectors")
    assert result.exit_code == 1
    assert "could not be written" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that takes nothing is needed")
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["for a person", "for a program"])
def test_output_that_finds_no_room_is_no_fault_of_the_program(host, more):
    command = [sys.executable, "-c", "from connector_host.cli import main; main()", "--home", host.home, "connectors"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*command, *more], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (host.home / "connector-host.log").exists()


def test_hook_calls_are_traced_when_wanted(host):
    quiet = host.run("connector", "plain")
    assert "hook manifest" not in quiet.stderr
    traced = host.run("--log-level", "debug", "--trace-hooks", "connector", "plain")
    assert "The hook manifest of plain took" in traced.stderr


def test_an_unknown_log_level_is_refused(host):
    assert host.run("--log-level", "loud", "connectors").exit_code == 2


def test_the_version_is_shown(host):
    assert host.run("--version").stdout.startswith("connector-host 0.")


def test_the_home_may_come_from_the_environment(host, shop):
    shop()
    process = host.process("instance", "list", "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b'"name": "shop"' in out


def test_help_is_quick_because_nothing_heavy_is_imported():
    script = (
        "import sys\nfrom connector_host.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pydantic', 'httpx', 'sqlalchemy', 'jsonschema', 'anyio', 'pluggy', 'ruamel'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr


def test_a_reader_that_stops_early_is_no_error(host):
    process = host.process("operations", "plain", "--json")
    process.stdout.close()
    said = process.stderr.read()
    process.wait(30)
    process.stderr.close()
    assert b"Traceback" not in said
