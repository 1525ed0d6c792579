from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.schemas import problems_of, validator_for


def problems(schema, value, **more):
    return [
        (problem.where, problem.rule, problem.sentence, problem.fix)
        for problem in problems_of(validator_for(schema), value, **more)
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date-time", "2026-01-31T12:00:00Z"),
        ("date-time", "2026-01-31T12:00:00"),
        ("date-time", "2026-01-31 12:00:00+02:00"),
        ("date-time", "0001-01-01T00:00:00"),
        ("date-time", "2026-01-31T12:00:00.1234567Z"),
        ("date-time", "2026-01-31t12:00:00z"),
        ("date-time", 5),
        ("uuid", "00000000-0000-0000-0000-000000000000"),
        ("uuid", "12345678-90AB-cdef-1234-567890abcdef"),
        ("uuid", None),
        ("int32", 2**31 - 1),
        ("int32", -(2**31)),
        ("int32", 1.5),
        ("int32", True),
        ("int64", 2**63 - 1),
        ("time-zone", "Europe/London"),
        ("email", "ann@example.com"),
        ("uri", "https://example.com/a"),
        ("of a kind that nobody knows", "x"),
    ],
)
def test_formats_that_vendors_really_send(kind, value):
    assert problems({"format": kind}, value) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("date-time", "2026-02-30T12:00:00Z"),
        ("date-time", "2026-01-31"),
        ("date-time", "2026-01-31T25:00:00Z"),
        ("date-time", "2026-01-31T12:00:00Z\n"),
        ("date-time", "2026-01-31T12:00:00+99:99"),
        ("date-time", "31/01/2026"),
        ("date-time", ""),
        ("uuid", "1234567890abcdef1234567890abcdef"),
        ("uuid", "{12345678-90ab-cdef-1234-567890abcdef}"),
        ("uuid", "urn:uuid:12345678-90ab-cdef-1234-567890abcdef"),
        ("uuid", "12345678-90ab-cdef-1234-567890abcdeg"),
        ("uuid", ""),
        ("int32", 2**31),
        ("int64", 2**63),
        ("time-zone", "Europe/Londn"),
        ("time-zone", "../../etc/passwd"),
        ("time-zone", "Europe"),
        ("time-zone", ""),
        ("email", "ann"),
    ],
)
def test_formats_that_are_told(kind, value):
    ((where, rule, sentence, _),) = problems({"format": kind}, value)
    assert (where, rule) == ("", "format")
    assert sentence.startswith(("This is not", "This does not", "There is no"))


@given(st.text(max_size=40))
def test_no_text_is_too_strange_for_a_format(value):
    for kind in ("date-time", "uuid", "time-zone", "int32", "email", "uri", "date"):
        assert [each[:2] for each in problems({"format": kind}, value)] in ([], [("", "format")])


@pytest.mark.parametrize(
    ("schema", "value", "sentence", "fix"),
    [
        ({"type": "string"}, 5, "This is a number, not a text.", ""),
        ({"type": ["integer", "null"]}, "x", "This is a text, not a whole number or empty.", ""),
        ({"type": "object"}, [], "This is a list, not an object.", ""),
        ({"type": "array"}, {}, "This is an object, not a list.", ""),
        ({"type": "array"}, {1, 2}, "This is a Python set, not a list.", ""),
        ({"type": "array"}, (1, 2), "This is a Python tuple, not a list.", ""),
        ({"type": "object"}, MappingProxyType({}), "This is a Python mappingproxy, not an object.", ""),
        ({"type": "number"}, True, "This is true or false, not a number.", ""),
        ({"type": "boolean"}, None, "This is empty, not a boolean.", ""),
        ({"enum": ["a", "b"]}, "c", "This is none of the choices.", "Choose one of: a, b."),
        (
            {"enum": list(range(20))},
            99,
            "This is none of the choices.",
            f"Choose one of: {', '.join(map(str, range(12)))}, ….",
        ),
        ({"const": "fixed"}, "x", "This cannot be changed.", "Set it to fixed."),
        ({"pattern": "^a$"}, "b", "This does not have the right shape.", ""),
        ({"minLength": 1}, "", "This is empty.", ""),
        ({"minItems": 1}, [], "This is empty.", ""),
        ({"minLength": 8}, "x", "This needs at least 8 characters.", ""),
        ({"maxLength": 2}, "abc", "This has at most 2 characters.", ""),
        ({"minimum": 1}, 0, "This is at least 1.", ""),
        ({"exclusiveMaximum": 1}, 1, "This is less than 1.", ""),
        ({"uniqueItems": True}, [1, 1], "The same entry stands here twice.", "Remove one of them."),
        ({"multipleOf": 2}, 3, "This breaks the rule multipleOf.", ""),
        ({"pattern": "^a$", "x-message": "Write an a."}, "b", "Write an a.", ""),
    ],
)
def test_what_a_person_reads(schema, value, sentence, fix):
    ((_, _, said, told),) = problems(schema, value)
    assert (said, told) == (sentence, fix)


def test_problems_come_in_reading_order_with_their_places():
    schema = {"properties": {"list": {"items": {"type": "string"}}, "deep": {"properties": {"x": {"type": "string"}}}}}
    value = {"list": ["ok", *range(11)], "deep": {"x": 1}}
    places = [where for where, *_ in problems(schema, value, at="input")]
    assert places == ["input.deep.x", *(f"input.list.{number}" for number in range(1, 12))]


def test_missing_and_unknown_fields():
    schema = {
        "type": "object",
        "required": ["name", "other"],
        "additionalProperties": False,
        "properties": {"name": {"x-message": "The name of it."}, "other": {}, "third": {}},
    }
    assert sorted(problems(schema, {"nmae": 1})) == [
        ("name", "required", "This is required.", "The name of it."),
        ("nmae", "unknown-field", "There is no such field.", 'Did you mean "name"?'),
        ("other", "required", "This is required.", ""),
    ]
    assert problems({"additionalProperties": False}, {"a": 1})[0][3] == "None is known."


def test_of_several_branches_the_one_that_fits_best_is_told():
    branch = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    for key in ("anyOf", "oneOf"):
        schema = {key: [{"type": "string"}, branch]}
        assert [each[:2] for each in problems(schema, {"a": "x"})] == [("a", "type")]
    assert [each[1] for each in problems({"oneOf": [{"type": "integer"}, {"minimum": 0}]}, 5)] == ["oneOf"]


def test_null_is_forgiven_where_it_is_asked_for():
    schema = {"properties": {"a": {"type": "string"}, "b": {"anyOf": [{"type": "string"}]}, "c": {"enum": ["x"]}}}
    value = {"a": None, "b": None, "c": None}
    assert len(problems(schema, value)) == 3
    assert problems(schema, value, forgive_null=True) == []
