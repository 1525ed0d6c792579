import pytest

from connector_host.forms import problems_of_forms

DEFAULT = "    default: false\n    schema: {type: boolean}"


def _rules(folder):
    return [problem.rule for problem in problems_of_forms(folder)]


def test_a_sound_connector_has_no_problem(changed):
    assert problems_of_forms(changed()) == []


@pytest.mark.parametrize(
    "schema",
    [
        "{type: string}",
        "{type: integer, minimum: 1}",
        "{type: number}",
        "{enum: [a, 2]}",
        "{type: array, items: {type: string}}",
        "{type: array, items: {type: string, enum: [a, b]}}",
        "{const: a}",
    ],
)
def test_fields_that_can_be_shown_pass(changed, schema):
    assert _rules(changed(**{DEFAULT: f"    schema: {schema}"})) == []


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{type: object}", "a field of type object"),
        ("{minLength: 1}", "a field without a type"),
        ("{type: [string, 'null']}", "a field of several types"),
        ("{anyOf: [{type: string}, {type: integer}]}", "the rule anyOf"),
        ("{type: string, not: {const: x}}", "the rule not"),
        ("{type: array, items: {type: object}}", "a list of anything but texts"),
        ("{type: array}", "a list of anything but texts"),
        ("{enum: [{a: 1}]}", "choices that are no texts or numbers"),
        ("{const: [1]}", "a constant that is no text"),
        ("{$ref: '#/$defs/elsewhere'}", "what #/$defs/elsewhere refers to"),
    ],
)
def test_fields_that_no_renderer_can_show_are_refused_with_their_place(changed, schema, words):
    [problem] = problems_of_forms(changed(**{DEFAULT: f"    schema: {schema}"}))
    assert problem.rule == "form-field"
    assert words in problem.sentence
    assert problem.where.startswith("connector.yaml:27:")


def test_a_schema_that_contains_itself_is_refused(changed):
    schema = "schema: {$ref: '#/$defs/me', $defs: {me: {$ref: '#/$defs/me'}}}"
    assert _rules(changed(**{DEFAULT: f"    {schema}"})) == ["form-field"]


def test_a_secret_has_to_be_a_text(changed):
    folder = changed(**{"schema: {type: string, minLength: 8}": "schema: {type: integer}"})
    assert _rules(folder) == ["form-secret"]


def test_a_default_has_to_satisfy_its_own_schema(changed):
    assert _rules(changed(**{"default: false": "default: never"})) == ["form-default"]


def test_a_pattern_needs_words_for_people(changed):
    folder = changed(
        **{"          x-message: A token begins with tok- and has 8 to 40 letters, digits and hyphens after it.\n": ""}
    )
    assert _rules(folder) == ["form-message"]


def test_rules_over_all_credentials_cannot_be_shown(changed):
    folder = changed(
        files={"schemas/all.json": '{"type": "object", "properties": {}, "anyOf": [], "minProperties": 1}'},
        **{"    description: One token,": "    credentials_schema: schemas/all.json\n    description: One token,"},
    )
    problems = problems_of_forms(folder)
    assert [problem.rule for problem in problems] == ["form-schema", "form-schema"]
    assert "anyOf" in problems[0].sentence


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_schema_file_that_cannot_be_read_is_left_to_another_check(changed, content):
    folder = changed(
        files={} if content is None else {"schemas/all.json": content},
        **{"    description: One token,": "    credentials_schema: schemas/all.json\n    description: One token,"},
    )
    assert _rules(folder) == []
