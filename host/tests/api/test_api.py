import json

import httpx
import pytest

from connector_host.instances import InstanceState
from connector_host.web.api.endpoint import LARGEST_BODY

from ..conftest import SECRET  # noqa: TID252 -- test helpers are in no package
from .conftest import form_of


def problem_of(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


def wait_for(client, run_id):
    """Follow a run to its end, as server-sent events."""
    with client.stream("GET", f"runs/{run_id}/stream") as stream:
        events = "".join(stream.iter_text())
    return client.get(f"runs/{run_id}").json(), events


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic {token}", "bearer {token}x"])
def test_without_a_token_there_is_nothing_to_see(api, header):
    for path in ("instances", "runs", "connectors", "instances/import"):
        answer = httpx.get(
            f"{api.address}/api/v1/{path}", headers={"Authorization": header.format(token=api.token)}, trust_env=False
        )
        if answer.status_code != 405:
            assert "token add" in problem_of(answer, 401)["next_step"]
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_token_ends_at_once(api):
    token, secret = api.host.tokens.add("other")
    headers = {"Authorization": f"Bearer {secret}"}
    assert api.client.get("runs", headers=headers).status_code == 200
    assert api.host.tokens.list()[0].last_used_at is not None
    api.host.tokens.revoke("OTHER")
    problem_of(api.client.get("runs", headers=headers), 401)
    assert [each.name for each in api.host.tokens.list()] == ["tests"]
    assert token.name == "other"


def test_connectors_their_forms_and_operations(client):
    assert "plain" in {each["name"] for each in client.get("connectors").json()["items"]}
    assert client.get("connectors/plain").json()["authentication"] == ["Token", "Header key"]
    form = client.get("connectors/plain/form", params={"authentication": "Header key"}).json()
    assert form["formData"]["authentication"] == "Header key"
    found = client.get("connectors/plain/operations", params={"search": "colours"}).json()
    assert [each["id"] for each in found["items"]] == ["things.ListColours"]
    assert client.get("connectors/plain/operations/things.getthing").json()["id"] == "things.GetThing"
    assert "Did you mean" in problem_of(client.get("connectors/plain/operations/things.GetThings"), 404)["next_step"]


@pytest.mark.usefixtures("shop")
def test_an_instance_from_its_making_to_its_end(client):
    made = client.get("instances/SHOP").json()
    assert (made["name"], made["state"], made["settings"]["include_archived"]) == ("shop", "ok", False)
    assert client.get("instances", params={"search": "sho", "limit": 1}).json()["total"] == 1
    tested = client.post("instances/shop/test").json()
    assert {each["area"]: each["outcome"] for each in tested["checks"]} == {"Things": "passed", "Colours": "passed"}
    changed = client.patch("instances/shop", json={"name": "Shop 2", "settings": {"include_archived": True}}).json()
    assert changed["instance"]["settings"]["include_archived"] is True
    copy = client.post("instances/shop 2/duplicate", json={"name": "copy"}).json()
    assert (copy["state"], "API token" in copy["state_message"]) == ("incomplete", True)
    assert client.post("instances/copy/disable").json()["state"] == "disabled"
    assert client.post("instances/shop 2/enable", json={"untested": True}).status_code == 200
    assert client.delete("instances/copy").status_code == 204
    problem_of(client.get("instances/copy"), 404)


def test_wrong_credentials_are_a_problem_with_one_thing_to_do_and_nothing_is_saved(client, vendor):
    running = vendor()
    form = form_of(running, credentials={"access": "all", "api_token": "tok-something-else"})
    told = problem_of(client.post("instances", json=form), 422)
    assert (told["error"], bool(told["next_step"])) == ("CredentialsRejected", True)
    assert told["vendor_request_id"] == running.requests[-1][2]["x-request-id"]
    assert client.get("instances").json()["total"] == 0


def test_every_wrong_value_is_told_at_once_with_its_place(client, vendor):
    form = form_of(vendor(), settings={"time_zone": "Mars/Base"}, credentials={"api_token": "x"})
    told = problem_of(client.post("instances", json=form), 422)
    assert {each["where"] for each in told["problems"]} >= {"settings.time_zone", "credentials.api_token"}
    assert all(each["sentence"] and each["rule"] for each in told["problems"])
    problem_of(client.post("instances", json={**form_of(vendor()), "colour": 1}), 422)
    problem_of(client.get("instances", params={"limit": 0}), 422)
    problem_of(client.get("instances", params={"page": 1}), 422)


def test_bodies_are_bounded_and_must_be_json(client):
    problem_of(client.post("instances", content=b" " * (LARGEST_BODY + 1)), 413)
    problem_of(client.post("instances", content=b"{", headers={"Content-Type": "application/json"}), 400)
    problem_of(client.post("instances", content=b"a=b"), 415)
    problem_of(client.post("instances", content=b"[" * 100_000, headers={"Content-Type": "application/json"}), 400)
    assert client.put("instances").headers["allow"] == "GET, POST"
    problem_of(client.get("nothing/here"), 404)


@pytest.mark.usefixtures("shop")
def test_an_instance_is_carried_elsewhere_without_its_secrets(client):
    document = client.get("instances/shop/export").json()
    assert SECRET not in json.dumps(document)
    given = {"document": document, "name": "again", "secrets": {"api_token": SECRET}}
    assert client.post("instances/import", json=given).json()["instance"]["state"] == "ok"
    later = client.post("instances/import", json={"document": document, "name": "later"}).json()
    assert later["instance"]["state"] == "incomplete"
    problem_of(client.post("instances/import", json={**given, "document": {**document, "version": 9}}), 422)


@pytest.mark.usefixtures("shop")
def test_an_instance_that_cannot_be_used_begins_nothing(client):
    client.post("instances/shop/duplicate", json={"name": "copy"})
    client.post("instances/shop/disable")
    steps = {"copy": ("cannot be used yet", "enter them"), "shop": ("is disabled", "Enable it")}
    for name, (words, step) in steps.items():
        for path, body in (
            ("runs", {"instance": name, "what": "things"}),
            (f"instances/{name}/calls", {"operation": "things.ListColours"}),
        ):
            told = problem_of(client.post(path, json=body), 409)
            assert (told["error"], words in told["detail"], step in told["next_step"]) == (
                "ConfigurationError",
                True,
                True,
            )
    assert client.get("runs").json()["total"] == 0


@pytest.mark.usefixtures("shop")
def test_an_operation_is_called(client):
    answer = client.post("instances/shop/calls", json={"operation": "things.GetThing", "input": {"id": "t3"}}).json()
    assert (answer["status"], answer["data"]["name"]) == (200, "Thing 3")
    told = problem_of(client.post("instances/shop/calls", json={"operation": "things.GetThing"}), 422)
    assert told["problems"][0]["where"].endswith("id")


@pytest.mark.usefixtures("shop")
def test_the_quota_in_use_is_told_by_operation(client):
    for _ in range(60):
        client.post("instances/shop/calls", json={"operation": "things.CreateThing", "input": {"name": "Ball"}})
    told = client.get("instances/shop/quota").json()
    tested = {"things.ListThings": (1, 300), "things.ListColours": (1, None)}
    assert {name: (each["used"], each["limit"]) for name, each in told["operations"].items()} == {
        "things.CreateThing": (60, 60),
        **tested,
    }
    full = told["operations"]["things.CreateThing"]
    assert 0 < full["room_in"] <= full["free_in"] <= 60.501
    assert (told["instance"]["used"], told["instance"]["room_in"]) == (62, 0)
    copy = client.post("instances/shop/duplicate", json={"name": "copy"}).json()
    told = client.get(f"instances/{copy['name']}/quota").json()
    assert (told["instance"], told["operations"]) == (None, {})
    problem_of(client.get("instances/nowhere/quota"), 404)


@pytest.mark.usefixtures("shop")
def test_a_run_is_begun_followed_and_downloaded(client):
    begun = client.post("runs", json={"instance": "shop", "what": "things", "parameters": {"limit": 12}})
    assert (begun.status_code, begun.json()["started_by"]) == (201, "program")
    run, events = wait_for(client, begun.json()["id"])
    assert (run["state"], run["counts"]["written"]) == ("success", 12)
    assert "event: progress" in events
    assert "event: log" in events
    listed = client.get(f"runs/{run['id']}/events", params={"kind": "log", "limit": 1}).json()["items"]
    assert listed[0]["data"]["operation"] == "things.ListThings"
    lines = client.get(f"runs/{run['id']}/files/things.jsonl").text.splitlines()
    assert len(lines) == 12
    for name in ("lock", "..%2f..%2finstances.db", "things.jsonl.part"):
        problem_of(client.get(f"runs/{run['id']}/files/{name}"), 404)
    assert client.get("runs", params={"instance": "shop", "state": "success"}).json()["total"] == 1
    for search, total in (("THINGS shop", 1), ("colours", 0)):
        found = client.get("runs", params={"search": search}).json()
        assert (found["total"], len(found["items"])) == (total, total)
    again = client.post(f"runs/{run['id']}/again").json()
    assert again["parameters"] == {"limit": 12}
    wait_for(client, again["id"])
    problem_of(client.post(f"runs/{run['id']}/resume"), 409)


@pytest.mark.usefixtures("shop")
def test_runs_go_on_from_each_other_until_the_stream_is_started_over(client):
    def pulled(**parameters):
        begun = client.post("runs", json={"instance": "shop", "what": "things", "parameters": parameters})
        return wait_for(client, begun.json()["id"])[0]

    first, second = pulled(), pulled()
    assert (first["counts"]["written"], second["counts"]["written"]) == (23, 0)
    assert (second["reach"]["mode"], second["reach"]["after"]) == ("incremental", first["id"])
    red = pulled(mode="full", filters={"colour": "red"}, columns=["colour"], normalise=True)
    lines = client.get(f"runs/{red['id']}/files/things.jsonl").text.splitlines()
    assert {tuple(json.loads(line)) for line in lines} == {("id", "colour")}
    [state] = client.get("instances/SHOP/states").json()["items"]
    assert (state["stream"], state["run_id"], state["unfinished"]) == ("things", second["id"], False)
    assert client.get("instances/shop/states", params={"stream": "colours"}).json()["total"] == 0
    assert client.delete("instances/shop/states/things").status_code == 204
    assert pulled()["counts"]["written"] == 23
    problem_of(client.delete("instances/shop/states/nothing"), 404)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"mode": "sometimes"}, "body.parameters.mode"),
        ({"filters": {"state": "lost"}}, "parameters.filters.state"),
        ({"columns": ["nothing"]}, "parameters.columns"),
    ],
)
def test_parameters_that_a_stream_does_not_take_are_told_for_runs_and_for_schedules(client, parameters, where):
    work = {"instance": "shop", "what": "things", "parameters": parameters}
    for path, body in (("runs", work), ("schedules", {**work, "every_minutes": 5})):
        told = problem_of(client.post(path, json=body), 422)
        assert where in {each["where"] for each in told["problems"]}


def test_a_run_is_stopped_and_a_second_one_refused_meanwhile(client, vendor):
    running = vendor(slow=True, things=400)
    assert client.post("instances", json=form_of(running, untested=True)).status_code == 201
    run = client.post("runs", json={"instance": "shop", "what": "things"}).json()
    told = problem_of(client.post("runs", json={"instance": "shop", "what": "things"}), 409)
    assert (told["error"], "under way" in told["detail"]) == ("InUse", True)
    problem_of(client.delete("instances/shop"), 409)
    assert client.post(f"runs/{run['id']}/stop").json()["state"] == "stopped"
    assert client.delete("instances/shop").status_code == 204


@pytest.mark.usefixtures("shop")
def test_schedules(client):
    made = client.post("schedules", json={"instance": "shop", "what": "things", "cron": "30 6 * * *"})
    assert made.status_code == 201
    schedule = made.json()
    assert schedule["due_at"]
    assert client.get("schedules", params={"instance": "shop"}).json()["items"] == [schedule]
    rests = client.patch(f"schedules/{schedule['id']}", json={"enabled": False}).json()
    assert (rests["enabled"], rests["due_at"]) == (False, None)
    problem_of(client.delete("instances/shop"), 409)
    assert client.delete(f"schedules/{schedule['id']}").status_code == 204
    problem_of(client.get(f"schedules/{schedule['id']}"), 404)
    problem_of(client.post("schedules", json={"instance": "shop", "what": "things", "cron": "at teatime"}), 422)
    problem_of(client.post("schedules", json={"instance": "shop", "what": "nothing", "every_minutes": 5}), 404)


def test_environments_replace_instances(client, vendor):
    live, sandbox = vendor(), vendor()
    client.post("instances", json=form_of(live, "live"))
    client.post("instances", json=form_of(sandbox, "sandbox"))
    made = client.post("environments", json={"name": "staging", "replacements": {"live": "sandbox"}})
    assert made.status_code == 201
    assert client.get("instances/live", params={"environment": "staging"}).json()["name"] == "sandbox"
    begun = client.post("runs", json={"instance": "live", "what": "colours", "environment": "staging"}).json()
    assert begun["instance"] == "sandbox"
    wait_for(client, begun["id"])
    problem_of(client.delete("instances/sandbox"), 409)
    changed = client.put("environments/staging", json={"replacements": {}}).json()
    assert changed["replacements"] == {}
    assert client.get("environments").json()["total"] == 1
    assert client.delete("environments/staging").status_code == 204


def test_retention_is_shown_and_changed_in_part(client):
    assert client.get("retention").json() == {"log_days": 30, "sample_hours": 72}
    assert client.patch("retention", json={"log_days": 7}).json() == {"log_days": 7, "sample_hours": 72}
    refused = client.patch("retention", json={"log_days": 0})
    assert (refused.status_code, refused.json()["problems"][0]["where"]) == (422, "body.log_days")
    assert refused.json()["next_step"] == "What it takes stands in /api/v1/openapi.json."
    assert client.get("retention").json() == {"log_days": 7, "sample_hours": 72}


@pytest.mark.usefixtures("shop")
def test_keys_are_rotated_and_the_instance_still_signs_in(client):
    before = client.get("keys").json()["items"]
    rotated = client.post("keys/rotate").json()
    assert rotated["rewritten"] >= 1
    assert rotated["unreadable"] == []
    after = client.get("keys").json()["items"]
    assert [each["writes"] for each in after] == [True, False]
    assert (after[0]["id"], after[1]["id"]) == (rotated["key_id"], before[0]["id"])
    assert client.post("instances/shop/test").status_code == 200


def test_tokens_are_listed_without_secrets_and_revoked_but_not_made(api, client):
    _, secret = api.host.tokens.add("reports")
    listed = client.get("tokens")
    assert [each["name"] for each in listed.json()["items"]] == ["reports", "tests"]
    assert secret not in listed.text
    assert client.post("tokens", json={"name": "another"}).status_code == 405
    assert client.delete("tokens/reports").status_code == 204
    assert client.get("instances", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_no_secret_is_in_any_answer_log_file_or_database(api, client, vendor, caplog):
    caplog.set_level("DEBUG")
    running = vendor(faults=["400"])
    running.things["t1"]["name"] = "plain"
    said = [client.post("instances", json=form_of(running)).text]
    said.append(client.post("instances", json=form_of(running, credentials={"api_token": SECRET, "x": SECRET})).text)
    seen = ("instances", "instances/shop", "instances/shop/export", "connectors/plain/form")
    said += [client.get(path).text for path in seen]
    said.append(client.patch("instances/shop", json={"credentials": {"api_token": SECRET + "x"}}).text)
    said.append(client.post("instances/shop/test").text)
    begun = client.post("runs", json={"instance": "shop", "what": "things"}).json()
    run, events = wait_for(client, begun["id"])
    said += [json.dumps(run), events, client.get(f"runs/{run['id']}/events").text, caplog.text]
    assert api.store.get("shop").state is InstanceState.OK
    assert SECRET not in "\n".join(said)
    files = [path for path in api.host.home.path.rglob("*") if path.is_file()]
    assert any(path.name == "instances.db-wal" for path in files)
    for path in files:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        assert api.token.encode() not in content, path
