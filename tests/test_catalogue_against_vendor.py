"""The catalogue beside the vendor's own files, read here a second time and without the script's code.

Runs where the vendor's files are: in the folder named by LINNWORKS_OPENAPI, or beside the repository.
"""

import html
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
CATALOGUE = REPOSITORY / "schemas" / "operations"
VENDOR = Path(os.environ.get("LINNWORKS_OPENAPI") or REPOSITORY.parent / "shared" / "linnworks-openapi")

pytestmark = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's OpenAPI files are not here; name their folder in LINNWORKS_OPENAPI"
)

SENTENCE_LENGTH = 45


def vendor_documents():
    return {path.stem: json.loads(path.read_text(encoding="utf-8-sig")) for path in sorted(VENDOR.rglob("*.json"))}


def facts_of_vendor():
    """(base, METHOD, path) -> what the vendor states, from the text of the files."""
    found = {}
    for document in vendor_documents().values():
        servers = document.get("servers")
        base = servers[0]["url"].strip("/").split("/")[-1] if servers else "session"
        for path, item in document["paths"].items():
            for method, operation in item.items():
                text = operation.get("description", "")
                limit = re.search(r"<b>(\d+)</b></span> / minute", text)
                found[base, method.upper(), path] = {
                    "limit": int(limit[1]) if limit else None,
                    "permissions": sorted(set(re.findall(r"GlobalPermissions[.\w]+", text))),
                    "deprecated": "eprecated" in json.dumps([text, operation.get("summary")])
                    or operation.get("deprecated", False),
                    "parameters": sorted(
                        (each["in"], each["name"], each.get("required", False))
                        for each in operation.get("parameters", [])
                        if each["in"] != "body"
                    ),
                    "has_body": "requestBody" in operation
                    or any(each["in"] == "body" for each in operation.get("parameters", [])),
                    "answers": sorted(operation["responses"]),
                }
    return found


def facts_of_catalogue():
    found = {}
    for path in CATALOGUE.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        for url, item in document["paths"].items():
            for method, operation in item.items():
                limit = operation.get("x-rate-limit")
                found[document["x-base"], method.upper(), url] = {
                    "limit": limit["calls"] if limit else None,
                    "permissions": sorted(operation["x-permissions"]),
                    "deprecated": operation.get("deprecated", False),
                    "parameters": sorted(
                        (each["in"], each["name"], each.get("required", False))
                        for each in operation.get("parameters", [])
                    ),
                    "has_body": "requestBody" in operation,
                    "answers": sorted(operation["responses"]),
                }
    return found


def test_facts_agree_for_every_operation():
    vendor, catalogue = facts_of_vendor(), facts_of_catalogue()
    assert vendor.keys() == catalogue.keys()
    assert {key: value for key, value in catalogue.items() if value != vendor[key]} == {}


def test_fields_of_named_schemas_agree():
    areas = {"warehousetransfer-new": "warehousetransfer-v1"}
    for stem, document in vendor_documents().items():
        stated = document.get("definitions") or document["components"]["schemas"]
        path = CATALOGUE / f"{areas.get(stem, stem)}.json"
        for name, schema in json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"].items():
            assert schema.get("properties", {}).keys() == stated[name].get("properties", {}).keys(), (stem, name)
            assert schema.get("required", []) == stated[name].get("required", []), (stem, name)
            for field, child in schema.get("properties", {}).items():
                told = stated[name]["properties"][field]
                assert child.get("format") == told.get("format"), (stem, name, field)
                assert [value for value in child.get("enum", ()) if value is not None] == told.get("enum", [])


def test_the_catalogue_is_what_the_script_makes():
    command = [sys.executable, "-m", "scripts.catalogue", str(VENDOR), "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No operation changed.\n"


def sentences(text):
    plain = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n", plain):
        if len(sentence.strip(" .")) >= SENTENCE_LENGTH:
            yield sentence.strip(" .").lower()


def texts(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("description", "summary") and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(node, list):
        for child in node:
            yield from texts(child)


def test_no_sentence_of_the_vendor_is_in_the_catalogue():
    written = " ".join(path.read_text(encoding="utf-8") for path in CATALOGUE.iterdir()).lower()
    written = re.sub(r"\s+", " ", written)
    found = {
        sentence for document in vendor_documents().values() for text in texts(document) for sentence in sentences(text)
    }
    assert len(found) > 1000  # the files were read
    assert {sentence for sentence in found if sentence in written} == set()


def test_deprecated_are_the_nine_that_the_vendor_flags():
    flagged = {
        (document.get("servers", [{"url": "session"}])[0]["url"].strip("/").split("/")[-1], method.upper(), path)
        for document in vendor_documents().values()
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if operation.get("deprecated", False)
    }
    ours = {key for key, facts in facts_of_catalogue().items() if facts["deprecated"]}
    assert ours == flagged
    assert Counter(base for base, _, _ in ours) == {"session": 7, "v1": 2}
