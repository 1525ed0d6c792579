import pytest

from connector_host.forms import schema_of_field, value_from_text

TEXT, WHOLE, NUMBER, YES = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}
TEXTS, WHOLES = {"type": "array", "items": TEXT}, {"type": "array", "items": WHOLE}
MAYBE_TEXT, MAYBE_WHOLE = {"type": ["string", "null"]}, {"type": ["integer", "null"]}
DEFINITIONS = {"whole": WHOLE, "list": TEXTS, "deep": {"properties": {"inner": {"$ref": "#/$defs/whole"}}}}


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("007", TEXT, "007"),
        ("true", TEXT, "true"),
        ("null", TEXT, "null"),
        ("null", MAYBE_TEXT, None),
        ('{"a": 1}', TEXT, '{"a": 1}'),
        ("7", WHOLE, 7),
        ("7.5", WHOLE, "7.5"),
        ("seven", WHOLE, "seven"),
        ("null", MAYBE_WHOLE, None),
        ("7", NUMBER, 7),
        ("7.5", NUMBER, 7.5),
        ("yes", YES, True),
        ("Off", YES, False),
        ("false", YES, False),
        ("1", YES, "1"),
        ("a,b , c", TEXTS, ["a", "b", "c"]),
        ('["a, b"]', TEXTS, ["a, b"]),
        ("1,2", WHOLES, [1, 2]),
        ("1", WHOLES, [1]),
        ('{"a": [1]}', {"type": "object"}, {"a": [1]}),
        ("red", {"enum": ["red", "green"]}, "red"),
        ("2", {"enum": [1, 2]}, 2),
        ("2", {"enum": ["1", "2"]}, "2"),
        ("x", {"const": "x"}, "x"),
        ("5", {"$ref": "#/$defs/whole"}, 5),
        ("a", {"$ref": "#/$defs/list"}, ["a"]),
        ("a,b", {"anyOf": [{"const": "all"}, TEXTS]}, ["a", "b"]),
        ("null", {"anyOf": [WHOLE, {"type": "null"}]}, None),
        ("7", {}, 7),
        ("[1]", {}, [1]),
        ("word", {}, "word"),
        pytest.param("[" * 100_000, {}, "[" * 100_000, id="very deep"),
        ("word", {"$ref": "#/$defs/missing"}, "word"),
    ],
)
def test_a_text_takes_the_type_that_is_wanted(text, schema, value):
    assert value_from_text(text, schema, DEFINITIONS) == value
    assert type(value_from_text(text, schema, DEFINITIONS)) is type(value)


def test_a_reference_to_itself_ends():
    assert value_from_text("5", {"$ref": "#/$defs/me"}, {"me": {"$ref": "#/$defs/me"}}) == 5


@pytest.mark.parametrize(
    ("path", "found"),
    [("deep.inner", {"$ref": "#/$defs/whole"}), ("plain", TEXT), ("plain.more", {}), ("nothing", {})],
)
def test_a_field_is_found_by_its_path(path, found):
    schema = {"properties": {"deep": {"$ref": "#/$defs/deep"}, "plain": TEXT}, "$defs": DEFINITIONS}
    assert schema_of_field(schema, path) == found
