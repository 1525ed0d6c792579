import pytest


def test_operations_are_listed_for_programs(host):
    listed = {each["id"]: each for each in host.json("operations", "plain", "--json")}
    assert len(listed) == 5
    assert listed["things.DeleteThing"] == {
        "id": "things.DeleteThing",
        "area": "things",
        "title": "Delete a thing",
        "method": "DELETE",
        "path": "/things/{id}",
        "base": "api",
        "kind": "write",
        "destructive": True,
        "rate_limit": None,
        "permissions": ["Plain.Things.WriteNode"],
        "deprecated": False,
    }
    assert listed["things.ListThings"]["rate_limit"] == {"calls": 300, "seconds": 60}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--search", "delete"], ["things.DeleteThing"]),
        (["--search", "writenode create"], ["things.CreateThing"]),
        (["--area", "THINGS", "--search", "colours"], ["things.ListColours"]),
        (["--search", "nothing of that kind"], []),
    ],
)
def test_operations_are_found_by_area_and_words(host, options, ids):
    assert [each["id"] for each in host.json("operations", "plain", *options, "--json")] == ids


def test_the_list_for_people_tells_kind_and_limit(host):
    result = host.run("operations", "plain")
    lines = result.stdout.splitlines()
    assert any(line.split() == ["things.DeleteThing", "destructive", "Delete", "a", "thing"] for line in lines)
    assert any("300 in 60 s" in line for line in lines)
    assert any("read, deprecated" in line for line in lines)
    assert "5 of 5 operations." in result.stderr


def test_an_unknown_area_suggests_the_nearest(host):
    result = host.run("operations", "plain", "--area", "thing")
    assert result.exit_code == 2
    assert 'Did you mean "things"?' in result.stderr


def test_an_operation_is_shown_in_any_case_with_what_it_takes(host):
    shown = host.run("operation", "plain", "THINGS.creatething").stdout
    for words in (
        "POST /things",
        "60 in 60 s for each session",
        "Plain.Things.WriteNode",
        "at most 3 entries in tags",
        "size.height",
        "one of red, green, blue",
        "list of string",
    ):
        assert words in shown


def test_an_operation_is_described_for_programs(host):
    facts = host.json("operation", "plain", "things.GetThing", "--json")
    assert facts["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert facts["input_schema"]["required"] == ["id"]
    assert facts["example_input"] == {"id": "text"}
    assert facts["response_schema"]["$defs"]["Thing"]["required"] == ["id", "name"]
    assert host.json("operation", "plain", "things.CreateThing", "--json")["batch"] == {"field": "tags", "max": 3}


def test_an_unknown_operation_suggests_the_nearest(host):
    result = host.run("operation", "plain", "things.GetThings")
    assert result.exit_code == 2
    assert '"things.GetThing"' in result.stderr


def test_the_least_scope_is_printed_with_the_block_for_the_portal(host):
    result = host.run("scope", "plain", "--for", "things", "colours", "things.DeleteThing")
    assert "Scope: Things.Read, Things.Write" in result.stdout
    assert '"PlainPermissions": [\n    "Plain.Things.ReadNode",\n    "Plain.Things.WriteNode"\n  ]' in result.stdout
    assert host.json("scope", "plain", "--for", "colours", "--json") == {
        "scope": "Things.Read",
        "nodes": ["Plain.Things.ReadNode"],
        "portal": {"PlainPermissions": ["Plain.Things.ReadNode"]},
        "needs": [{"name": "colours", "operation": "things.ListColours", "permissions": ["Plain.Things.ReadNode"]}],
    }


def test_a_scope_needs_something_to_be_for(host):
    result = host.run("scope", "plain")
    assert result.exit_code == 2
    assert "--for" in result.stderr


def test_a_scope_for_something_unknown_suggests_streams_and_operations(host):
    result = host.run("scope", "plain", "--for", "thing")
    assert result.exit_code == 2
    assert '"things"' in result.stderr
