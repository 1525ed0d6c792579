import json
import signal

import pytest

from connector_host.cli.sandboxes import options_from
from connector_host.contract.errors import InputInvalid

SCHEMA = {
    "properties": {
        "items": {"type": "integer", "default": 5},
        "live": {"type": "boolean", "default": False},
        "live_rate": {"type": "number"},
        "faults": {"type": "array", "items": {"type": "string"}},
        "ttl": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "permissions": {"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]},
        "seed": {"$ref": "#/$defs/seed"},
    },
    "$defs": {"seed": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("", {}),
        ("--items 20", {"items": 20}),
        ("--items=20 --live", {"items": 20, "live": True}),
        ("--live --items 2", {"live": True, "items": 2}),
        ("--live false", {"live": False}),
        ("--no-live", {"live": False}),
        ("--live-rate 2", {"live_rate": 2}),
        ("--live_rate 2.5", {"live_rate": 2.5}),
        ("--faults a:503 --faults b:429,c:500", {"faults": ["a:503", "b:429", "c:500"]}),
        ("--ttl 60", {"ttl": 60}),
        ("--ttl null", {"ttl": None}),
        ("--permissions all", {"permissions": ["all"]}),
        ("--seed 7", {"seed": 7}),
        ("--items many", {"items": "many"}),
    ],
)
def test_options_are_read_by_their_schema(arguments, options):
    assert options_from(arguments.split(), SCHEMA) == options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--itmes 2", '--itmes: The sandbox has no such option. Did you mean "--items"'),
        ("2", "2: This belongs to no option."),
        ("--items", "--items: A value is missing."),
        ("--no-items 2", "--no-items: The sandbox has no such option."),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments, words):
    with pytest.raises(InputInvalid, match="not understood") as caught:
        options_from(arguments.split(), SCHEMA)
    assert words in str(caught.value)


def test_the_help_shows_the_options_of_the_connector(host):
    for arguments in (["sandbox"], ["sandbox", "--help"]):
        assert "Usage: " in host.run(*arguments).stdout
    shown = host.run("sandbox", "plain", "--help").stdout
    assert "--things" in shown
    assert "How many things there are" in shown


def test_wrong_values_of_options_are_told(host):
    result = host.run("sandbox", "plain", "--things", "many")
    assert result.exit_code == 2
    assert "options.things: This is a text, not a whole number." in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_stopped_and_takes_instances_meanwhile(host, request, number):
    process = host.process("sandbox", "plain", "--things", 4, "--json")
    request.addfinalizer(process.kill)
    values = _first_json(process.stdout)["values"]
    values["name"] = "shop"
    assert host.run("instance", "add", "plain", "--values", "-", given=values).exit_code == 0
    assert len(host.json("call", "shop", "things.ListThings")["data"]) == 4
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"The sandbox has stopped." in said


def test_what_it_prints_can_be_pasted(host, request):
    process = host.process("sandbox", "plain")
    request.addfinalizer(process.kill)
    lines = []
    for line in process.stdout:
        lines.append(line.decode().strip())
        if lines[-1] == "END":
            break
    command, values = lines[-3], json.loads(lines[-2])
    assert command == "connector-host instance add plain --values - <<'END'"
    assert host.run("instance", "add", "plain", "--values", "-", given=values).exit_code == 0
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def _first_json(stream):
    text = ""
    for line in stream:
        text += line.decode()
        if line.rstrip() == b"}":
            return json.loads(text)
    raise AssertionError(text)
