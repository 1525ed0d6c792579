"""Faults in the documents of a catalogue are told by line, all at once, beside those of the manifest."""

import json
import re
import shutil
from pathlib import Path

import pytest

from connector_host.contract.catalogue_checks import DOCUMENT, OPERATION
from connector_host.contract.manifest_checks import problems_of_connector
from connector_host.contract.manifest_file import read_manifest


@pytest.fixture
def folder(tmp_path, plain_folder):
    """A copy of the plain connector, to be broken."""
    shutil.copytree(plain_folder, tmp_path / "plain")
    return tmp_path / "plain"


@pytest.fixture
def document(folder):
    return folder / "schemas" / "operations" / "things.json"


def problems(folder):
    return problems_of_connector(read_manifest(folder / "connector.yaml"))


def without(key):
    return lambda facts: facts.pop(key)


def with_value(**values):
    return lambda facts: facts.update({f"x-{key.replace('_', '-')}": value for key, value in values.items()})


# What is done to the operation that lists things, and words of the message.
FAULTS = {
    "no kind": (without("x-kind"), "GET /things: x-kind: This is required. Write read or write."),
    "a kind that there is not": (with_value(kind="raed"), "GET /things: x-kind: Write read or write."),
    "no id": (without("operationId"), "operationId: This is required."),
    "an id without its area": (lambda facts: facts.update(operationId="List"), "Write the area and a name"),
    "no answers": (without("responses"), "responses: This is required."),
    "half a limit": (with_value(rate_limit={"calls": 5}), "x-rate-limit.seconds: This is required."),
    "a limit of nothing": (with_value(rate_limit={"calls": 0, "seconds": 60}), "calls: This is at least 1."),
    "a permission that is no list": (with_value(permissions="Read"), "x-permissions: This is a text, not a list."),
    "an encoding that there is not": (with_value(encoding="xml"), "x-encoding: This is none of the choices."),
    "a parameter in the body": (
        lambda facts: facts["parameters"].append({"name": "x", "in": "body"}),
        "parameters.5.in: This is none of the choices.",
    ),
    "a reference that leads nowhere": (
        lambda facts: facts["responses"].update({"201": {"$ref": "#/components/schemas/Thng"}}),
        'The reference "#/components/schemas/Thng" leads nowhere. Did you mean "Thing" or "NewThing"?',
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_in_an_operation_is_told_with_its_line(case, folder, document):
    change, words = FAULTS[case]
    content = json.loads(document.read_text())
    change(content["paths"]["/things"]["get"])
    document.write_text(json.dumps(content, indent=1))
    (problem,) = [each for each in problems(folder) if each.rule == "catalogue"]
    assert words in str(problem)
    file, line, _ = problem.where.split(":")
    assert file == "schemas/operations/things.json"
    assert int(line) > 5


WHOLE = {
    "no JSON": ('{\n "x-area": }', "things.json:2:12: This is not JSON"),
    "not UTF-8": (b"\xff\xfe", "things.json:1:1: The file is not UTF-8 text."),
    "a list": ("[]", "things.json:1:1: The document: This is a list, not an object."),
    "no area": ('{"x-base": "api", "paths": {}}', "things.json:1:1: x-area: This is required."),
    "very deep": ("[" * 100_000, "things.json:1:1: It is nested too deeply."),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_document_that_cannot_be_read_is_told_by_line(case, folder, document):
    content, words = WHOLE[case]
    document.write_bytes(content if isinstance(content, bytes) else content.encode())
    (problem,) = [each for each in problems(folder) if document.name in each.where]
    assert words in str(problem)


def test_faults_of_documents_hide_none_of_the_manifest(folder, document):
    manifest = folder / "connector.yaml"
    manifest.write_text(manifest.read_text().replace("icon: icon.svg", "icon: none.svg"))
    document.write_text("{")
    assert [problem.rule for problem in problems(folder)] == ["icon", "not-json"]


def test_the_page_for_authors_has_the_keys_that_are_checked():
    page = (
        (Path(__file__).parents[3] / "docs" / "hooks.md").read_text().partition("## The manifest and the catalogue")[2]
    )
    checked = {key for key in {**DOCUMENT["properties"], **OPERATION["properties"]} if key.startswith("x-")}
    assert set(re.findall(r"^\| `(x-[a-z-]+)` \|", page, re.MULTILINE)) == checked
    assert all(f"`{key}`" in page for key in OPERATION["required"])
