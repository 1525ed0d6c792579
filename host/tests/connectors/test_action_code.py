"""Records that a connector's own code pushes: through the one door, located when it fails, and hostile."""

import json
import logging

import pytest
from typer.testing import CliRunner

from connector_host import connect
from connector_host.cli.app import app
from connector_host.connectors import code as code_module
from connector_host.connectors import load_connector
from connector_host.contract.errors import ConnectorBroken, PermissionMissing

from .plugins import HOOKS, SECRET, code_of

DECLARED = '    operation: things.DeleteThing\n    input: {id: "{{record.id}}"}\n'
CODED = "    code: {operations: [things.GetThing, things.CreateThing, things.DeleteThing]}\n"
GIVING = """
@hookimpl
def action_code(action):
    return Code() if action.name == "remove_thing" else None
"""
REPLACING = """
old = (await calls.call("things.GetThing", {"id": record["id"]})).json()
await calls.call("things.DeleteThing", {"id": record["id"]})
new = (await calls.call("things.CreateThing", {"name": old["name"] + "!"})).json()
return {"id": new["id"]}
"""


@pytest.fixture
def remover(site):
    """Install a connector whose action remove_thing is the code."""

    def install(body, *, head="async def push(self, calls, record):", hook=GIVING):
        site.install("remover", manifest={DECLARED: CODED}, plugin=f"{HOOKS}{code_of(head, body)}{hook}")
        return load_connector("remover")

    return install


@pytest.fixture
def pushed(remover, running):
    """Push things to remove with the code, and return the report."""

    def push(body, ids=("t1", "t2", "t3"), *, access="all", results=None, **how):
        connector = remover(body, **how)
        credentials = {**running.credentials, "access": access}
        with connect(connector, credentials=credentials, settings=running.settings) as shop:
            return shop.push("remove_thing", [{"id": each} for each in ids], results=results)

    return push


def outcomes(report):
    assert [each.record for each in report.results] == list(range(1, report.counts.read + 1))
    return [each.outcome.value for each in report.results]


def asked(running):
    return [f"{method} {path}" for method, path, _, _ in running.requests]


def test_records_are_pushed_and_what_the_code_returns_is_told(pushed, running):
    report = pushed(REPLACING, ["t1", "t2"])
    assert outcomes(report) == ["written", "written"]
    assert [each.answer["id"] in running.things for each in report.results] == [True, True]
    assert {"t1", "t2"} & set(running.things) == set()
    assert asked(running)[:3] == ["GET /things/t1", "DELETE /things/t1", "POST /things"]
    assert report.results[0].request_id == running.requests[2][2]["x-request-id"]


def test_a_record_that_the_code_rejects_stops_no_other(pushed, running):
    body = "if record['id'] == 't2':\n    raise RecordRejected('Not this one.')\n" + REPLACING
    report = pushed(body)
    assert outcomes(report) == ["written", "rejected", "written"]
    assert report.results[1].message == "Not this one."
    assert "t2" in running.things


def test_what_the_vendor_refuses_before_anything_is_written_is_rejected(pushed):
    report = pushed(REPLACING, ["t1", "nothing", "t3"])
    assert outcomes(report) == ["written", "rejected", "written"]


def test_what_goes_wrong_after_a_part_was_written_is_unknown(pushed, running):
    running.faults += ["", "", "400"]
    report = pushed(REPLACING, ["t1", "t2"])
    assert outcomes(report) == ["unknown", "written"]
    assert report.results[0].message.startswith("A part of it may have been written before this: ")
    assert "t1" not in running.things


def test_an_answer_that_is_lost_is_unknown_and_not_repeated(pushed, running):
    running.faults += ["", "reset"]
    report = pushed(REPLACING, ["t1", "t2"])
    assert outcomes(report) == ["unknown", "written"]
    assert asked(running)[:3] == ["GET /things/t1", "DELETE /things/t1", "GET /things/t2"]


def test_what_is_about_to_be_written_is_in_the_file_and_what_is_only_read_is_not(pushed, tmp_path):
    file = tmp_path / "results.jsonl"
    pushed("if record['id'] == 't2':\n    raise RecordRejected('No.')\n" + REPLACING, results=file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["record"] for line in lines if "sending" in line] == [1, 3]
    assert [line["record"] for line in lines if "outcome" in line] == [1, 2, 3]


def test_a_missing_permission_is_told_before_anything_is_sent(pushed, running):
    with pytest.raises(PermissionMissing, match=r"things\.GetThing needs"):
        pushed(REPLACING, access="Things.Write")
    assert running.requests == []


WRONG = {
    "raises": ("raise ValueError('bad ' + SECRET)", "raised ValueError"),
    "raises what is no Exception": ("raise KeyboardInterrupt(SECRET)", "raised KeyboardInterrupt"),
    "ends the process": ("sys.exit(SECRET)", "raised SystemExit"),
    "cancels itself": ("asyncio.current_task().cancel()\nawait asyncio.sleep(0)", "raised CancelledError"),
    "returns what is no JSON": ("return object()", "returned what cannot be written as JSON (TypeError)"),
    "returns what has no end": ("a = []\na.append(a)\nreturn a", "cannot be written as JSON (RecursionError)"),
    "calls what it may not": ("await calls.call('things.ListThings')", "called things.ListThings"),
    "calls what there is not": ("await calls.call('things.Nothing')", "called things.Nothing"),
}


@pytest.mark.parametrize("how", WRONG)
def test_code_that_goes_wrong_stops_the_push_and_is_told_with_action_and_hook(pushed, running, how, caplog):
    body, words = WRONG[how]
    with caplog.at_level(logging.DEBUG):
        report = pushed(body)
    assert outcomes(report) == ["skipped"] * 3
    assert isinstance(report.error, ConnectorBroken)
    assert words in report.error.message
    assert "the action remove_thing" in report.error.message
    assert SECRET not in f"{report!r}{report.error}{report.error.detail}{caplog.text}"
    assert running.requests == []


def test_code_that_goes_wrong_after_it_has_written_leaves_one_unknown(pushed, running):
    report = pushed("await calls.call('things.DeleteThing', {'id': record['id']})\nreturn object()")
    assert outcomes(report) == ["unknown", "skipped", "skipped"]
    assert isinstance(report.error, ConnectorBroken)
    assert asked(running) == ["DELETE /things/t1"]


@pytest.mark.parametrize(
    ("kind", "outcome"), [("RecordRejected", "rejected"), ("OutcomeUnknown", "unknown"), ("VendorFault", "skipped")]
)
def test_an_error_that_the_code_makes_itself_has_no_secret(pushed, kind, outcome):
    report = pushed(f"raise {kind}('no ' + SECRET, detail=SECRET, next_step=SECRET)", ["t1"])
    assert outcomes(report) == [outcome]
    assert "no " in report.results[0].message
    error = report.error
    assert (error is not None) is (outcome == "skipped")
    assert SECRET not in f"{report!r}{error}{error and error.detail}"


def test_what_the_code_returns_has_no_secret(pushed):
    assert SECRET not in repr(pushed("return {'t': SECRET}", ["t1"]))


@pytest.mark.parametrize("body", ["return None", "return 5"])
def test_push_that_is_not_async_is_told(pushed, body):
    report = pushed(body, head="def push(self, calls, record):")
    assert "nothing that can be awaited" in report.error.message


@pytest.mark.parametrize("body", ["time.sleep(1.5)", "await asyncio.Event().wait()"])
def test_code_that_hangs_is_told(pushed, body, monkeypatch):
    monkeypatch.setattr(code_module, "CODE_SECONDS", 0.1)
    report = pushed(body)
    assert outcomes(report) == ["skipped"] * 3
    assert "the action remove_thing (hook action_code of remover) did not return within" in report.error.message


def test_a_dry_run_runs_no_code(remover, running):
    connector = remover("raise ValueError")
    with connect(connector, credentials=running.credentials, settings=running.settings) as shop:
        report = shop.push("remove_thing", [{"id": "t1"}, {}], dry_run=True)
    assert outcomes(report) == ["checked", "rejected"]


def test_a_connector_without_the_hook_is_broken(remover):
    with pytest.raises(ConnectorBroken, match="gives the action remove_thing to code, and no hook action_code is"):
        remover("return 1", hook="")


@pytest.mark.parametrize("gives", ["None", "5", "Code() if action.name == 'add_thing' else None"])
def test_a_hook_that_gives_no_code_is_told_by_the_check_and_before_a_record_is_read(remover, running, gives):
    connector = remover("return 1", hook=f"@hookimpl\ndef action_code(action):\n    return {gives}\n")
    checked = CliRunner().invoke(app, ["check", "remover"])
    assert checked.exit_code == 2
    words = "The hook action_code of remover did not return code with push() for the action remove_thing"
    assert words in checked.output
    with (
        pytest.raises(ConnectorBroken, match="did not return code with push"),
        connect(connector, credentials=running.credentials, settings=running.settings) as shop,
    ):
        shop.push("remove_thing", [{"id": "t1"}])
    assert running.requests == []
