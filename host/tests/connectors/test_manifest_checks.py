import shutil
import struct

import pytest

from connector_host.contract.manifest_checks import CHECKS, problems_of_connector
from connector_host.contract.manifest_file import read_manifest

from ..conftest import edit  # noqa: TID252 -- test helpers are in no package


@pytest.fixture
def folder(tmp_path, plain_folder):
    """A copy of the plain connector, to be broken."""
    shutil.copytree(plain_folder, tmp_path / "plain")
    return tmp_path / "plain"


def change(folder, old, new, file="connector.yaml"):
    edit(folder / file, {old: new})


def problems(folder):
    return problems_of_connector(read_manifest(folder / "connector.yaml"))


@pytest.mark.parametrize("kind", ["stream", "action"])
def test_a_setting_that_only_code_reads_is_used(kind, folder):
    change(folder, '        input: {archived: "{{include_archived}}"}\n', "")
    old, operation = (_COLOURS, "ListColours") if kind == "stream" else (_REMOVES, "DeleteThing")
    change(folder, old, f"    code: {{operations: [things.{operation}], settings: [include_archived]}}\n")
    assert problems(folder) == []


def test_plain_connector_has_no_problem(folder):
    assert problems(folder) == []


def _before_key(line):
    return f"    {line}\n    primary_key: [name]"


_COLOURS = "    lists:\n      - operation: things.ListColours\n"
_REMOVES = '    operation: things.DeleteThing\n    input: {id: "{{record.id}}"}\n'

# What is changed in the manifest, the rule that tells it, and words of the message.
CASES = {
    "undeclared variable in a header": (
        "Bearer {{api_token}}",
        "Bearer {{api_tokn}}",
        "variable-declared",
        "api_token",
    ),
    "undeclared variable in an address": ('"{{api_address}}"', '"{{adress}}"', "variable-declared", "adress"),
    "undeclared variable in a stream": ("{{include_archived}}", "{{archived}}", "variable-declared", "archived"),
    "session without sign-in": (
        "Bearer {{api_token}}",
        "Bearer {{session.token}}",
        "variable-declared",
        "session.token",
    ),
    "code that may write": (
        _COLOURS,
        "    code: {operations: [things.ListColours, things.DeleteThing]}\n",
        "code-reads",
        "things.DeleteThing writes, and pulling colours must change nothing",
    ),
    "code that may call what is not there": (
        _COLOURS,
        "    code: {operations: [things.ListColors]}\n",
        "operation-exists",
        'Did you mean "things.ListColours"',
    ),
    "code that reads a setting that is not there": (
        _COLOURS,
        "    code: {operations: [things.ListColours], settings: [archived]}\n",
        "code-setting",
        "There is no setting archived",
    ),
    "code of an action that reads a setting that is not there": (
        _REMOVES,
        "    code: {operations: [things.DeleteThing], settings: [include_archivd]}\n",
        "code-setting",
        'Did you mean "include_archived"',
    ),
    "unused credential": ("Bearer {{api_token}}", "Bearer fixed", "variable-used", "api_token"),
    "unused setting": ('{archived: "{{include_archived}}"}', "{}", "variable-used", "include_archived"),
    "setting that every instance has": (
        "  - key: include_archived\n",
        "  - key: date_format\n",
        "setting-reserved",
        "date_format",
    ),
    "handler reads nothing of that name": (
        "    type: token\n    description: One token",
        "    type: token\n    handler_reads: [acess]\n    description: One token",
        "variable-declared",
        'Did you mean "access"',
    ),
    "secret that is not marked": (
        "        secret: true\n        schema:\n          type: string\n          pattern",
        "        schema:\n          type: string\n          pattern",
        "secret-marked",
        "api_token",
    ),
    "credential without a schema": (
        "        default: all\n        schema: {type: string, minLength: 1}",
        "        default: all",
        "credential-schema",
        "access",
    ),
    "schema that is none": ("schema: {type: boolean}", "schema: {type: bool}", "json-schema", "bool"),
    "missing icon": ("icon: icon.svg", "icon: logo.svg", "icon", "no file logo.svg"),
    "missing record schema": ("schemas/records/things.json", "schemas/records/thing.json", "file-exists", "thing.json"),
    "missing catalogue": ("catalogue: schemas/operations", "catalogue: schemas/ops", "file-exists", "schemas/ops"),
    "unknown operation": (
        "things.ListThings",
        "things.ListThing",
        "operation-exists",
        'Did you mean "things.ListThings"',
    ),
    "parent that there is not": (
        "      - operation: things.ListColours",
        "      - operation: things.ListColours\n        for_each: {stream: thigns, value: id, into: since}",
        "parent-exists",
        'Did you mean "things"',
    ),
    "parent without the value": (
        "      - operation: things.ListColours",
        "      - operation: things.ListThings\n        for_each: {stream: things, value: idd, into: since}",
        "record-field",
        "idd is no field of the record of things",
    ),
    "parent of itself": (
        "        records: data\n",
        "        records: data\n        for_each: {stream: things, value: id, into: since}\n",
        "parent-circle",
        "things needs records of things",
    ),
    "fallback without its setting": (
        "    primary_key: [name]",
        _before_key("fallback: {setting: api, first: new, second: old, lists: [{operation: things.ListColours}]}"),
        "fallback-setting",
        "There is no setting api",
    ),
    "fallback whose setting is no way": (
        "    primary_key: [name]",
        _before_key(
            "fallback: {setting: include_archived, first: new, second: old, lists: [{operation: things.ListColours}]}"
        ),
        "fallback-setting",
        "none of auto, new, old",
    ),
    "filter that the vendor does not take": (
        "    primary_key: [name]",
        "    filters: [{name: kind, label: Kind, help: Only these., into: kind}]\n    primary_key: [name]",
        "filter-input",
        "kind is not taken by every list of colours",
    ),
    "filter of no field": (
        "    primary_key: [name]",
        "    filters: [{name: kind, label: Kind, help: Only these., match: kind}]\n    primary_key: [name]",
        "record-field",
        "kind is no field",
    ),
    "total by an operation that there is not": (
        "    primary_key: [name]",
        "    total: {operation: things.CountThings}\n    primary_key: [name]",
        "operation-exists",
        "things.CountThings",
    ),
    "base without address": ('    api: "{{api_address}}"', '    web: "{{api_address}}"', "base-address", "api"),
    "input that the operation refuses": ("page: page\n", "page: pge\n", "stream-input", 'Did you mean "page"'),
    "check that writes": (
        "area: Colours, operation: things.ListColours",
        "area: Colours, operation: things.DeleteThing, input: {id: t1}",
        "check-reads",
        "must change nothing",
    ),
    "check of an unknown operation": (
        "area: Colours, operation: things.ListColours",
        "area: Colours, operation: things.ListColour",
        "operation-exists",
        'Did you mean "things.ListColours"',
    ),
    "check that the operation refuses": (
        "input: {page: 1, per_page: 1}",
        "input: {pge: 1}",
        "check-input",
        'Did you mean "page"',
    ),
    "key that is no field": ("primary_key: [id]", "primary_key: [uid]", "record-field", 'Did you mean "id"'),
    "cursor that is no field": ("cursor: updated_at", "cursor: changed_at", "record-field", "changed_at"),
    "action of a field that the record has not": (
        'name: "{{record.name}}", colour',
        'name: "{{record.nam}}", colour',
        "record-field",
        'Did you mean "name"',
    ),
    "action that needs what a record may leave out": (
        'weight: "{{record.weight}}"',
        'weight: "{{record.weight}} kg"',
        "record-field",
        "weight cannot be left out here",
    ),
    "action of an unknown setting": ('"{{record.tags}}"', '"{{tags}}"', "variable-declared", "tags"),
    "action whose operation refuses its input": (
        'tags: "{{record.tags}}"',
        'tags: "{{record.name}}"',
        "action-input",
        "things.CreateThing does not take this: tags",
    ),
    "action that only reads": (
        "operation: things.CreateThing",
        "operation: things.GetThing",
        "action-kind",
        "things.GetThing does not write",
    ),
    "action that is read back by a write": (
        "    answer: {equals: ",
        "    read_back: {operation: things.CreateThing, input: {name: x}, equals: {name: x}}\n    answer: {equals: ",
        "action-kind",
        "things.CreateThing does not read",
    ),
    "action whose answer has no such field": (
        "answer: {equals: {name:",
        "answer: {equals: {nam:",
        "answer-field",
        "nam is no field of the answer of things.CreateThing",
    ),
    "action whose code calls what there is not": (
        '    operation: things.DeleteThing\n    input: {id: "{{record.id}}"}\n',
        "    code: {operations: [things.RemoveThing]}\n",
        "operation-exists",
        "things.RemoveThing",
    ),
    "missing permission file": (
        "known: schemas/permissions.json",
        "known: schemas/nodes.json",
        "file-exists",
        "nodes.json",
    ),
    "permission credential that is none": (
        "  credential: access",
        "  credential: acess",
        "permission-credential",
        "access",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_problem_is_told_with_its_place_and_a_fix(folder, case):
    old, new, rule, words = CASES[case]
    change(folder, old, new)
    found = [problem for problem in problems(folder) if problem.rule == rule]
    assert any(words in str(problem) for problem in found), problems(folder)
    lines = (folder / "connector.yaml").read_text().splitlines()
    for problem in found:
        file, line, _ = problem.where.split(":")
        assert file == "connector.yaml"
        assert 1 < int(line) <= len(lines)
        assert problem.fix or rule == "json-schema"


def test_every_check_can_fail():
    rules = {rule for _, _, rule, _ in CASES.values()} | {"credential-agrees"}
    assert len(rules) >= len(CHECKS)


PICTURES = {
    "wide.svg": (b'<svg viewBox="0 0 20 10"></svg>', "20 by 10"),
    "sized.svg": (b'<svg width="24px" height="24px"></svg>', ""),
    "text.svg": (b"hello", "no picture"),
    "wide.png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 8, 4), "8 by 4"),
    "square.png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 8, 8), ""),
    "square.gif": (b"GIF89a" + struct.pack("<HH", 5, 5), ""),
    "wide.jpg": (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 4, 9) + b"\x03", "9 by 4"),
    "cut.png": (b"\x89PNG\r\n\x1a\n", "no picture"),
    "liar.png": (b"GIF89a" + struct.pack("<HH", 5, 5), "no picture"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_icons_are_square_pictures(folder, name):
    data, words = PICTURES[name]
    (folder / name).write_bytes(data)
    change(folder, "icon: icon.svg", f"icon: {name}")
    found = [problem.sentence for problem in problems(folder) if problem.rule == "icon"]
    assert (words in found[0]) if words else not found


CREDENTIALS = {
    "agrees": ("", "", ""),
    "required": ('"required": ["access"', '"required": ["other"', "required here and not"),
    "secret": ('"writeOnly": true', '"writeOnly": false', "a secret here and not"),
    "default": ('"default": "all"', '"default": "none"', "The default of access"),
    "locked": ('"type": "string", "default"', '"const": "all", "default"', "not locked here and not"),
    "extra": ('"properties": {', '"properties": {"more": {},', "stands only in"),
    "broken": ('"type": "object"', '"type": "thing"', "is no JSON Schema"),
}
FILE = """{"type": "object", "required": ["access", "api_token"], "properties": {
"access": {"type": "string", "default": "all"}, "api_token": {"type": "string", "writeOnly": true}}}"""


@pytest.mark.parametrize("case", CREDENTIALS)
def test_manifest_and_credentials_file_say_the_same(folder, case):
    old, new, words = CREDENTIALS[case]
    assert old in FILE
    (folder / "schemas" / "token.json").write_text(FILE.replace(old, new, 1) if old else FILE)
    old = "  - name: Token\n"
    change(folder, old, f"{old}    credentials_schema: schemas/token.json\n")
    text = (folder / "connector.yaml").read_text()
    head, _, tail = text.partition("  - name: Header key")
    head = head.replace("        schema: {type: string, minLength: 1}\n", "")
    start = head.index('        schema:\n          type: string\n          pattern: "^tok')
    head = head[:start] + head[head.index("    headers:", start) :]
    (folder / "connector.yaml").write_text(head + "  - name: Header key" + tail)
    found = [str(problem) for problem in problems(folder)]
    assert any(words in problem for problem in found) if words else found == []
