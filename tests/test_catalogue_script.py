"""The script that derives the catalogue, run as a command on a small invented vendor folder."""

import copy
import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

LIMIT = (
    "Long story.\n<b>Permissions Required: </b> GlobalPermissions.Shelf.{node}\n"
    "<b>Rate limit: </b><b>{calls}</b> / minute"
)

SHELVES = {
    "swagger": "2.0",
    "info": {"title": "Shelves API", "version": "shelves"},
    "host": "example.org",
    "paths": {
        "/api/Shelves/FindShelves": {
            "post": {
                "tags": ["Shelves"],
                "summary": "FindShelves",
                "operationId": "FindShelves",
                "description": LIMIT.format(node="ReadNode", calls=150),
                "parameters": [
                    {"name": "q", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Find"}},
                ],
                "responses": {"200": {"description": "fine", "schema": {"$ref": "#/definitions/Shelf"}}},
            }
        },
        "/api/Shelves/DropShelf": {
            "get": {
                "tags": ["Shelves"],
                "operationId": "DropShelf",
                "description": LIMIT.format(node="WriteNode", calls=10),
                "parameters": [
                    {
                        "name": "ids",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "integer"},
                        "collectionFormat": "multi",
                    },
                ],
                "responses": {"204": {"description": "gone"}},
            }
        },
    },
    "definitions": {
        "Find": {"type": "object", "properties": {"request": {"$ref": "#/definitions/Criteria"}}},
        "Criteria": {
            "type": "object",
            "properties": {
                "Text": {"type": "string", "description": "what to look for, null for all", "example": "oak"},
                "Rows": {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            },
        },
        "Shelf": {
            "type": "object",
            "properties": {"Id": {"type": "integer", "format": "int32"}},
            "discriminator": "Id",
        },
        "Unused": {"type": "object"},
    },
}

BOARDS = {
    "openapi": "3.0.1",
    "info": {"title": "Boards", "version": "v2"},
    "servers": [{"url": "https://eu.example.org/v2/"}, {"url": "https://us.example.org/v2/"}],
    "paths": {
        "/boards/{id}/sub-parts": {
            "put": {
                "tags": ["Boards"],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "requestBody": {
                    "content": {"application/json": {"schema": {"allOf": [{"$ref": "#/components/schemas/B"}]}}}
                },
                "responses": {
                    "200": {
                        "description": "Success",
                        "content": {"application/json": {"schema": {"oneOf": [{"$ref": "#/components/schemas/A"}]}}},
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "A": {
                "type": "object",
                "properties": {"x": {"type": "string", "nullable": True}},
                "additionalProperties": False,
            },
            "B": {
                "type": "object",
                "properties": {
                    "size": {"enum": ["S", "L"], "type": "string", "nullable": True},
                    "part": {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
                },
                "additionalProperties": False,
            },
        }
    },
}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Place:
    """A vendor folder and a catalogue made from it."""

    def __init__(self, folder):
        self.vendor, self.schemas = folder / "vendor", folder / "schemas"
        self.operations = self.schemas / "operations"
        self.operations.mkdir(parents=True)
        self.write("1.0/shelves.json", SHELVES)
        self.write("2.0/boards.json", BOARDS)

    def write(self, name, document):
        path = self.vendor / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))

    def run(self, *options):
        command = [
            sys.executable,
            "-m",
            "scripts.catalogue",
            str(self.vendor),
            "--schemas",
            str(self.schemas),
            *options,
        ]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    def rows(self):
        with (self.operations / "decisions.csv").open(newline="") as stream:
            return {row["id"]: row for row in csv.DictReader(stream)}

    def decide(self, **changes):
        """Decide every row as a read, with the changes given by operation name."""
        rows = self.rows()
        for id_, row in rows.items():
            name = id_.partition(".")[2]
            row.update({"kind": "read", "title": f"Title of {name}", **changes.get(name, {})})
        with (self.operations / "decisions.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(next(iter(rows.values()))))
            writer.writeheader()
            writer.writerows(rows.values())

    def document(self, area):
        return json.loads((self.operations / f"{area}.json").read_text())

    def state(self):
        return {path: path.read_text() for path in sorted(self.schemas.rglob("*")) if path.is_file()}

    def made(self):
        self.run()
        self.decide(DropShelf={"kind": "write", "destructive": "yes"})
        assert self.run().returncode == 0
        return self


def test_new_operations_are_refused_until_they_are_decided(place):
    first = place.run()
    assert first.returncode == 2
    assert "Operations without a decision (3)" in first.stdout
    assert {id_: row["kind"] for id_, row in place.rows().items()} == dict.fromkeys(
        ["boards.PutSubParts", "shelves.DropShelf", "shelves.FindShelves"], "undecided"
    )
    assert not list(place.operations.glob("*.json"))
    again = place.run()
    assert again.returncode == 2
    assert len(place.rows()) == 3


def test_decided_operations_become_documents(place):
    place.made()
    shelves = place.document("shelves")
    find = shelves["paths"]["/api/Shelves/FindShelves"]["post"]
    assert find["operationId"] == "shelves.FindShelves"
    assert find["summary"] == "Title of FindShelves"
    assert find["x-rate-limit"] == {"calls": 150, "seconds": 60}
    assert find["x-permissions"] == ["GlobalPermissions.Shelf.ReadNode"]
    assert find["x-wrapper"] == "request"
    assert find["requestBody"]["required"] is True
    drop = shelves["paths"]["/api/Shelves/DropShelf"]["get"]
    assert (drop["x-kind"], drop["x-destructive"]) == ("write", True)
    assert drop["parameters"] == [
        {
            "name": "ids",
            "in": "query",
            "style": "form",
            "explode": True,
            "schema": {"type": "array", "items": {"type": "integer"}},
        }
    ]
    assert json.loads((place.schemas / "permissions.json").read_text()) == [
        {"node": "GlobalPermissions.Shelf.ReadNode", "operations": 1},
        {"node": "GlobalPermissions.Shelf.WriteNode", "operations": 1},
    ]
    assert "story" not in "".join(place.state().values())


def test_schemas_are_translated_to_2020_12(place):
    place.made()
    assert place.document("shelves")["components"]["schemas"] == {
        "Criteria": {
            "type": "object",
            "properties": {
                "Text": {"type": "string", "x-nullable": True},
                "Rows": {"type": "integer", "exclusiveMinimum": 1},
            },
        },
        "Find": {"type": "object", "properties": {"request": {"$ref": "#/components/schemas/Criteria"}}},
        "Shelf": {
            "type": "object",
            "properties": {"Id": {"type": "integer", "format": "int32"}},
            "discriminator": {"propertyName": "Id"},
        },
    }
    boards = place.document("boards")
    put = boards["paths"]["/boards/{id}/sub-parts"]["put"]
    assert put["requestBody"] == {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}}}
    assert put["responses"]["200"]["content"]["application/json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/A"}]
    }
    assert boards["components"]["schemas"]["B"]["properties"] == {
        "size": {"enum": ["S", "L", None], "type": ["string", "null"]},
        "part": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
    }
    assert boards["x-base"] == "v2"


def test_a_second_run_changes_nothing(place):
    before = place.made().state()
    done = place.run()
    assert (done.returncode, place.state()) == (0, before)
    assert "No operation changed." in done.stdout
    assert place.run("--check").returncode == 0


def test_what_changed_is_reported_by_operation_and_by_schema(place):
    before = place.made().state()
    changed = copy.deepcopy(SHELVES)
    find = changed["paths"]["/api/Shelves/FindShelves"]["post"]
    find["description"] = LIMIT.format(node="OtherNode", calls=250)
    find["parameters"].append({"name": "deep", "in": "query", "type": "boolean"})
    find["deprecated"] = True
    changed["definitions"]["Criteria"]["properties"]["Colour"] = {"type": "string"}
    del changed["definitions"]["Criteria"]["properties"]["Text"]
    place.write("1.0/shelves.json", changed)

    check = place.run("--check")
    assert check.returncode == 1
    assert place.state() == before
    for line in (
        "Changed (1)",
        "  shelves.FindShelves",
        "    rate limit: 150 per 60 s -> 250 per 60 s",
        "    deprecated: none -> True",
        "    permission added: GlobalPermissions.Shelf.OtherNode",
        "    permission removed: GlobalPermissions.Shelf.ReadNode",
        "    parameter added: query deep",
        "Changed schemas (1)",
        "  Criteria of shelves.FindShelves",
        "    field added: Colour",
        "    field removed: Text",
    ):
        assert line in check.stdout.splitlines()

    assert place.run().returncode == 0
    assert place.run("--check").returncode == 0


def test_an_added_operation_keeps_the_ids_of_the_others(place):
    place.made()
    changed = copy.deepcopy(SHELVES)
    changed["paths"]["/api/Shelves/AddShelf"] = {
        "post": {**changed["paths"]["/api/Shelves/DropShelf"]["get"], "operationId": "AddShelf", "parameters": []}
    }
    # The vendor renames an operation: its id stays.
    changed["paths"]["/api/Shelves/FindShelves"]["post"]["operationId"] = "SearchShelves"
    place.write("1.0/shelves.json", changed)

    check = place.run("--check")
    assert check.returncode == 1
    assert "shelves.AddShelf" not in place.rows()
    refused = place.run()
    assert refused.returncode == 2
    assert "shelves.AddShelf  POST /api/Shelves/AddShelf" in refused.stdout
    place.decide(AddShelf={"kind": "write"}, DropShelf={"kind": "write", "destructive": "yes"})
    done = place.run()
    assert done.returncode == 0
    assert "Added (1)\n  shelves.AddShelf  POST /api/Shelves/AddShelf  10 per 60 s" in done.stdout
    assert (
        place.document("shelves")["paths"]["/api/Shelves/FindShelves"]["post"]["operationId"] == "shelves.FindShelves"
    )


def test_an_operation_that_vanished_is_reported_until_its_row_is_removed(place):
    place.made()
    changed = copy.deepcopy(SHELVES)
    del changed["paths"]["/api/Shelves/DropShelf"]
    place.write("1.0/shelves.json", changed)

    done = place.run()
    assert done.returncode == 2
    assert "Rows of operations that vanished (1)\n  shelves.DropShelf  GET /api/Shelves/DropShelf" in done.stdout
    assert "Removed (1)\n  shelves.DropShelf" in done.stdout
    assert "/api/Shelves/DropShelf" not in place.document("shelves")["paths"]
    rows = [line for line in (place.operations / "decisions.csv").read_text().splitlines() if "DropShelf" not in line]
    (place.operations / "decisions.csv").write_text("\n".join(rows) + "\n")
    assert place.run().returncode == 0


def test_an_area_that_vanished_takes_its_file_with_it(place):
    place.made()
    (place.vendor / "2.0" / "boards.json").unlink()
    place.run()
    assert sorted(path.stem for path in place.operations.glob("*.json")) == ["shelves"]


def test_paging_and_batches_are_taken_over(place):
    place.made()
    (place.operations / "paging.yaml").write_text(
        "paging:\n  shelves.FindShelves: {kind: offset, offset: request.Rows, source: observed, note: unsure}\n"
        "batch:\n  shelves.DropShelf: {field: ids, max: 5, source: vendor spec}\n"
    )
    done = place.run()
    assert done.returncode == 0
    assert "    batch: none -> {'field': 'ids', 'max': 5, 'source': 'vendor spec'}" in done.stdout
    find = place.document("shelves")["paths"]["/api/Shelves/FindShelves"]["post"]
    assert find["x-paging"] == {"kind": "offset", "offset": "request.Rows", "source": "observed"}


def broken_json(place):
    (place.vendor / "1.0" / "shelves.json").write_text("{")


def no_files(place):
    for path in place.vendor.rglob("*.json"):
        path.unlink()


def not_openapi(place):
    place.write("1.0/other.json", {"hello": 1})


def area_twice(place):
    place.write("3.0/shelves.json", SHELVES)


def unknown_keyword(place):
    place.write("1.0/shelves.json", {**SHELVES, "definitions": {**SHELVES["definitions"], "Find": {"shape": "round"}}})


def unreadable_limit(place):
    changed = copy.deepcopy(SHELVES)
    changed["paths"]["/api/Shelves/DropShelf"]["get"]["description"] = "Rate limit: ten a day"
    place.write("1.0/shelves.json", changed)


def unknown_kind(place):
    place.decide(DropShelf={"kind": "maybe"})


def destructive_read(place):
    place.decide(DropShelf={"kind": "read", "destructive": "yes"})


def same_id_twice(place):
    text = (place.operations / "decisions.csv").read_text()
    (place.operations / "decisions.csv").write_text(text.replace("shelves.DropShelf", "shelves.FindShelves"))


def wrong_columns(place):
    (place.operations / "decisions.csv").write_text("id,kind\n")


def paging_of_nothing(place):
    (place.operations / "paging.yaml").write_text("paging:\n  shelves.Nothing: {kind: offset}\n")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (broken_json, "shelves.json: not JSON"),
        (no_files, "no OpenAPI files found"),
        (not_openapi, "other.json: neither Swagger 2.0 nor OpenAPI 3"),
        (area_twice, "more than one file describes the area shelves"),
        (unknown_keyword, "no rule for the schema keyword 'shape'"),
        (unreadable_limit, "shelves.DropShelf: a rate limit is mentioned"),
        (unknown_kind, "kind is 'maybe'; it must be one of read, write, undecided"),
        (destructive_read, "shelves.DropShelf is destructive, so its kind must be write"),
        (same_id_twice, "this id stands in two rows: shelves.FindShelves"),
        (wrong_columns, "decisions.csv:1: the columns must be id,method,path,area,kind,destructive,encoding,title"),
        (paging_of_nothing, "paging names shelves.Nothing, which is not in decisions.csv"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(place, break_it, said):
    before = place.made().state()
    break_it(place)
    broken = place.state()
    done = place.run()
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert place.state() == broken
    assert {path.name for path in broken} >= {path.name for path in before}
