import inspect

import jsonschema
import msgspec
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from connector_host.contract import action_models, code_models, manifest, stream_models
from connector_host.contract.closed import Closed, Ruled
from connector_host.contract.code_models import CodeSection
from connector_host.contract.errors import ManifestInvalid
from connector_host.contract.field_texts import field_texts
from connector_host.contract.manifest import Manifest
from connector_host.contract.manifest_file import read_manifest
from connector_host.contract.manifest_schema import SCHEMA_FILE, examples, manifest_schema

CASES = examples()
MODELS = {
    name: model
    for module in (manifest, stream_models, code_models, action_models)
    for name, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, Closed) and model not in (Closed, Ruled, CodeSection)
}
GOOD = [(name, value) for name, cases in CASES.items() for value in cases["examples"]]
BAD = [(name, case) for name, cases in CASES.items() for case in cases["counter_examples"]]

# Where a value of each model stands in a manifest that is otherwise right.
PLACES = {
    "RateLimit": lambda value: {"rate_limit": value},
    "Setting": lambda value: {"settings": [value]},
    "Variable": lambda value: {"settings": [value]},
    "AuthenticationMethod": lambda value: {"authentication": [value]},
    "Credential": lambda value: {"authentication": [{**METHOD, "credentials": [value]}]},
    "SignIn": lambda value: {"authentication": [{**METHOD, "sign_in": value}]},
    "PermissionsSection": lambda value: {"permissions": value},
    "OperationsSection": lambda value: {"operations": value},
    "Action": lambda value: {"actions": [value]},
    "ActionCodeSection": lambda value: {"actions": [{**CODED, "code": value}]},
    "Expectation": lambda value: {"actions": [{**ACTION, "answer": value}]},
    "ReadBack": lambda value: {"actions": [{**ACTION, "read_back": value}]},
    "AccessCheck": lambda value: {"checks": [value]},
    "Listing": lambda value: {"listing": value},
    "Stream": lambda value: {"streams": [value]},
    "StreamList": lambda value: {"streams": [{**STREAM, "lists": [value]}]},
    "RecordsAt": lambda value: {"streams": [in_list("records", [value])]},
    "TimeWindow": lambda value: {"streams": [in_list("time", value)]},
    "ForEach": lambda value: {"streams": [in_list("for_each", value)]},
    "Details": lambda value: {"streams": [{**STREAM, "details": value}]},
    "Filter": lambda value: {"streams": [{**STREAM, "filters": [value]}]},
    "FilterChoice": lambda value: {"streams": [{**STREAM, "filters": [{**FILTER, "choices": {"one": value}}]}]},
    "TotalCount": lambda value: {"streams": [{**STREAM, "total": value}]},
    "Fallback": lambda value: {"streams": [{**STREAM, "fallback": value}]},
    "StreamCodeSection": lambda value: {"streams": [{**CODED_STREAM, "code": value}]},
    "StreamCodeTime": lambda value: {
        "streams": [{**CODED_STREAM, "code": {**CODED_STREAM["code"], "time": value}}],
    },
    "Manifest": lambda value: value,
    **{
        name: (lambda value: {"streams": [in_list("paging", value)]})
        for name in ("NoPaging", "PageNumberPaging", "OffsetPaging", "CursorTokenPaging")
    },
}
METHOD = CASES["AuthenticationMethod"]["examples"][0]
ACTION = CASES["Action"]["examples"][0]
CODED = CASES["Action"]["examples"][2]
STREAM = CASES["Stream"]["examples"][0]
CODED_STREAM = CASES["Stream"]["examples"][-1]
FILTER = CASES["Filter"]["examples"][1]
BASE = CASES["Manifest"]["examples"][0]


def in_list(key, value):
    return {**STREAM, "lists": [{**STREAM["lists"][0], key: value}]}


def written(tmp_path, change):
    path = tmp_path / "connector.yaml"
    with path.open("w") as file:
        YAML().dump({**BASE, **change}, file)
    return path


def test_every_model_has_examples_and_counter_examples():
    assert set(CASES) == set(MODELS)
    assert all(cases["examples"] and cases["counter_examples"] for cases in CASES.values())
    assert set(PLACES) == set(MODELS)


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_example_is_accepted(name, value, tmp_path):
    change = PLACES[name](value)
    assert read_manifest(written(tmp_path, change)).manifest
    jsonschema.validate({**BASE, **change}, manifest_schema())


@pytest.mark.parametrize(("name", "case"), BAD)
def test_counter_example_is_refused_where_it_stands(name, case, tmp_path):
    change = PLACES[name](case["value"] if "value" in case else case["change"])
    path = written(tmp_path, change)
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(path)
    assert case["says"] in str(caught.value), case["reason"]
    for problem in caught.value.problems:
        file, line, column = problem.where.split(":")
        assert file == "connector.yaml"
        assert 1 <= int(line) <= len(path.read_text().splitlines())
        assert int(column) >= 1
        assert problem.fix, f"no fix is offered for {problem}"


def test_all_problems_are_told_at_once_with_their_lines(tmp_path):
    path = tmp_path / "connector.yaml"
    path.write_text(
        "contract: 1\nname: Plain Shop\nlable: Plain\ncolour: beige\nrate_limit:\n  amount: 0\n  unit: minute\n"
    )
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(path)
    by_place = {problem.where: problem.rule for problem in caught.value.problems}
    assert by_place["connector.yaml:2:7"] == "shape"
    assert by_place["connector.yaml:3:1"] == "unknown-key"
    assert by_place["connector.yaml:4:9"] == "choice"
    assert by_place["connector.yaml:6:11"] == "greater-than-equal"
    assert sum(problem.rule == "missing-key" for problem in caught.value.problems) > 5


# By model: a field that none of its rules reads.
BESIDE_THE_RULES = {
    "Variable": "help",
    "AuthenticationMethod": "description",
    "Action": "title",
    "PageNumberPaging": "page_size",
    "ForEach": "into",
    "Filter": "help",
    "Fallback": "setting",
    "Stream": "description",
    "Manifest": "label",
}


def told(path):
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(path)
    return caught.value.problems


def rules_broken_by(name, value):
    with pytest.raises(ValidationError) as caught:
        Manifest.model_validate({**BASE, **PLACES[name](value)})
    return [error["ctx"]["sentence"] for error in caught.value.errors() if error["type"] == "rule"]


RULE_CASES = [
    (name, case["value"], sentence)
    for name, case in BAD
    if name in BESIDE_THE_RULES and "value" in case
    for sentence in rules_broken_by(name, case["value"])
]


@pytest.mark.parametrize(("name", "value", "sentence"), RULE_CASES)
@pytest.mark.parametrize("how", ["wrong value", "left out"])
def test_a_rule_between_fields_is_told_beside_a_wrong_field(name, value, sentence, how, tmp_path):
    field = BESIDE_THE_RULES[name]
    if how == "wrong value":
        value = {**value, field: [["wrong"]]}
    elif MODELS[name].model_fields[field].is_required():
        value = {key: each for key, each in value.items() if key != field}
    problems = told(written(tmp_path, PLACES[name](value)))
    assert sentence in [problem.sentence for problem in problems if problem.rule == "rule"]
    assert len(problems) == len({(problem.where, problem.sentence) for problem in problems})
    if how == "wrong value":
        assert any(f'"{field}"' in problem.sentence for problem in problems)


def test_the_rules_of_everything_that_holds_a_wrong_value_are_told(tmp_path):
    lists = [{"operation": "things.List", "id": "id", "time": {"since": "from", "overlap": -1}}]
    stream = {**STREAM, "lists": lists, "inherit": {"thing_id": "id"}}
    problems = told(written(tmp_path, {"streams": [stream, {**STREAM, "title": ""}]}))
    assert sorted(problem.sentence.partition(":")[0] for problem in problems) == [
        '"overlap"',
        '"title"',
        "A list gives ids, and nothing turns them into records.",
        f"The stream {STREAM['name']} is declared twice.",
        "inherit adds fields to the elements of each.",
    ]


def test_a_filter_that_is_declared_twice_is_told(tmp_path):
    filters = [{"name": "colour", "label": "Colour", "help": "One.", "match": field} for field in ("colour", "hue")]
    (problem,) = told(written(tmp_path, {"streams": [{**STREAM, "filters": filters}]}))
    assert (problem.sentence, problem.fix) == ("The filter colour is declared twice.", "Keep one of the two.")


def test_every_broken_rule_of_a_part_is_told(tmp_path):
    credential = {"key": "api_key", "label": "Key", "help": "One.", "secret": True, "default": "x" * 1025}
    problems = told(written(tmp_path, {"authentication": [{**METHOD, "credentials": [credential]}]}))
    assert [problem.fix for problem in problems] == ["Remove the default.", "Shorten it."]


@pytest.mark.parametrize(
    ("change", "doubtful"),
    [
        ({"lists": "things.List"}, '"lists" is no list'),
        ({"lists": None, "codes": {"operations": ["things.List"]}}, '"codes" is no key here'),
        ({"inherit": {"thing_id": "id"}, "each": 1}, '"each" is no text'),
        ({"inherit": {"thing_id": "id"}, "eech": "parts"}, '"eech" is no key here'),
    ],
)
def test_a_rule_that_reads_a_wrong_field_is_not_told(change, doubtful, tmp_path):
    stream = {key: value for key, value in {**STREAM, **change}.items() if value is not None}
    assert [doubtful in str(problem) for problem in told(written(tmp_path, {"streams": [stream]}))] == [True]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"allowed_hosts": "api.example.com"}, '"allowed_hosts" is no list. Write it in brackets'),
        ({"rate_limit": "600 a minute"}, '"rate_limit" is no mapping of keys to values. Write its keys below it'),
        ({"version": "three"}, '"version" is no whole number. Write digits alone'),
        ({"version_name": 1.2}, '"version_name" is no text. Put it in quotes.'),
        ({"streams": [{**STREAM, "primary_key": []}]}, '"primary_key" has too few entries. Give at least 1.'),
    ],
)
def test_wrong_types_are_told_in_the_words_of_yaml(change, says, tmp_path):
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(written(tmp_path, change))
    assert [says in str(problem) for problem in caught.value.problems] == [True]


def test_a_wrong_entry_does_not_make_its_list_too_short(tmp_path):
    lists = [{**STREAM["lists"][0], "operation": "nothing"}]
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(written(tmp_path, {"streams": [{**STREAM, "lists": lists}]}))
    assert [problem.rule for problem in caught.value.problems] == ["shape"]


ALIASES = "".join(f"x{step}: &x{step} [{', '.join([f'*x{step - 1}' if step else '1'] * 10)}]\n" for step in range(6))


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("name: a\nname: b\n", "duplicate-key", "connector.yaml:2:1"),
        ("- a\n", "not-a-mapping", "connector.yaml:1:1"),
        ("a: [1\nb: 2\n", "not-yaml", "connector.yaml:2:2"),
        ("", "not-a-mapping", "connector.yaml:1:1"),
        (f"a: {'[' * 5000}", "not-yaml", "connector.yaml:1:1"),
        (ALIASES, "too-large", "connector.yaml:1:1"),
    ],
    ids=["a key twice", "a list", "no YAML", "nothing", "very deep", "aliases of aliases"],
)
def test_what_is_not_yaml_is_told_with_its_place(text, rule, place, tmp_path):
    path = tmp_path / "connector.yaml"
    path.write_text(text)
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(path)
    assert [(problem.rule, problem.where) for problem in caught.value.problems] == [(rule, place)]


def test_missing_and_binary_files_are_told(tmp_path):
    with pytest.raises(ManifestInvalid, match="no such file"):
        read_manifest(tmp_path / "connector.yaml")
    (tmp_path / "connector.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestInvalid, match="UTF-8"):
        read_manifest(tmp_path / "connector.yaml")


def test_yaml_is_read_as_version_1_2(tmp_path):
    base = {**BASE, "label": "NO"}
    path = written(tmp_path, base)
    assert "label: NO" in path.read_text() or "label: 'NO'" in path.read_text()
    path.write_text(path.read_text().replace("label: 'NO'", "label: NO"))
    assert read_manifest(path).manifest.label == "NO"


def test_committed_schema_is_the_generated_one():
    assert msgspec.json.decode(SCHEMA_FILE.read_bytes()) == manifest_schema()
    jsonschema.Draft202012Validator.check_schema(manifest_schema())


def test_every_field_is_described():
    missing = [
        f"{name}.{field}"
        for name, model in MODELS.items()
        for field, info in model.model_fields.items()
        if not field_texts(model).get(info.alias or field)
    ]
    assert missing == []


def test_manifests_do_not_change():
    loaded = Manifest.model_validate(BASE)
    with pytest.raises(Exception, match="frozen"):
        loaded.name = "other"
