"""A command with --json tells its error as one JSON object on stderr; stdout stays empty."""

import json

import pytest
from typer.main import get_command

from connector_host.cli.app import app

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package
from .conftest import values_of

KEYS = {
    "error",
    "message",
    "next_step",
    "remedy",
    "exit_code",
    "problems",
    "instance",
    "operation",
    "request_id",
    "status",
    "attempts",
    "retry_after",
    "missing_permissions",
}

# For each command with --json: arguments that cannot work, and the name of the error.
FAILING = {
    "connectors": (["--nothing"], "UsageError"),
    "connector": (["plan"], "UnknownName"),
    "form": (["plan"], "UnknownName"),
    "check": (["plan"], "UnknownName"),
    "operations": (["plan"], "UnknownName"),
    "operation": (["plain", "things.ListThing"], "UnknownName"),
    "scope": (["plain", "--for", "thing"], "UnknownName"),
    "instance add": (["plain", "--values", "nothing.json"], "InputInvalid"),
    "instance list": (["--limit", "few"], "UsageError"),
    "instance show": (["nobody"], "UnknownName"),
    "instance test": (["nobody"], "UnknownName"),
    "instance edit": (["nobody", "--values", "nothing.json"], "InputInvalid"),
    "instance duplicate": (["nobody", "other"], "UnknownName"),
    "instance import": (["nothing.json"], "InputInvalid"),
    "call": (["nobody", "things.ListColours"], "UnknownName"),
    "pull": (["nobody", "things", "--to", "data"], "UnknownName"),
    "push": (["nobody", "rename_thing", "--from", "nothing.jsonl"], "InputInvalid"),
    "runs list": (["--state", "lost"], "UsageError"),
    "runs show": (["nothing"], "UnknownName"),
    "runs state": (["nobody"], "UnknownName"),
    "schedule add": (["nobody", "things", "--every", "30"], "UnknownName"),
    "schedule list": (["more"], "UsageError"),
    "environment list": (["more"], "UsageError"),
    "keys list": (["more"], "UsageError"),
    "token list": (["more"], "UsageError"),
    "sandbox": (["plan"], "UnknownName"),
}


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        elif any("--json" in parameter.opts for parameter in command.params):
            yield " ".join((*path, name))


def told(result):
    """Return the one object that a failed command wrote."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    error = json.loads(line)
    assert set(error) == KEYS
    assert error["exit_code"] == result.exit_code
    return error


def test_every_command_with_json_is_tried_here():
    assert set(commands(get_command(app))) == set(FAILING)


@pytest.mark.parametrize("command", FAILING)
def test_an_error_is_one_object(host, command):
    arguments, name = FAILING[command]
    error = told(host.run(*command.split(), *arguments, "--json"))
    assert (error["error"], error["exit_code"]) == (name, 2)
    assert error["message"]
    assert error["next_step"] or error["problems"]


def test_every_problem_has_its_path(host, vendor):
    given = values_of(vendor(), concurrency=99)
    given["credentials"]["access"] = 5
    error = told(host.run("instance", "add", "plain", "--values", "-", "--json", given=given))
    assert [problem["where"] for problem in error["problems"]] == ["settings.concurrency", "credentials.access"]
    assert all(problem["sentence"] and problem["rule"] for problem in error["problems"])


def test_a_call_says_where_it_happened(host, shop):
    shop(faults=["400"])
    error = told(host.run("call", "shop", "things.GetThing", "id=t1", "--json"))
    assert (error["error"], error["instance"], error["operation"]) == ("VendorRefused", "shop", "things.GetThing")
    assert error["request_id"]
    assert (error["status"], error["attempts"]) == (400, 1)


def test_a_missing_permission_is_named(host, shop):
    shop(access="Things.Read")
    error = told(host.run("call", "shop", "things.DeleteThing", "id=t1", "--json"))
    assert (error["error"], error["exit_code"]) == ("PermissionMissing", 3)
    assert error["missing_permissions"] == ["Plain.Things.WriteNode"]


def test_no_secret_is_told(host, vendor):
    given = values_of(vendor())
    given["credentials"]["access"] = SECRET
    given["name"] = f"a/{SECRET}"
    result = host.run("instance", "add", "plain", "--values", "-", "--json", given=given)
    assert told(result)
    assert SECRET not in result.output


def test_a_fault_of_the_program_is_one_object_too(host, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("connector_host.cli.state.HostState.find", fail)
    error = told(host.run("connectors", "--json"))
    assert (error["error"], error["exit_code"]) == ("Fault", 1)
    assert "connector-host.log" in error["next_step"]


def test_an_interruption_is_one_object_too(host, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("connector_host.cli.state.HostState.find", fail)
    assert told(host.run("connectors", "--json"))["exit_code"] == 6


def test_without_json_and_after_two_hyphens_people_are_told(host):
    for arguments in (["connector", "plan"], ["call", "nobody", "things.ListColours", "--", "--json"]):
        assert host.run(*arguments).stderr.startswith("Error: There is no")
