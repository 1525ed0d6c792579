"""How values are read: as the vendor's server does, forgiving in form and strict in meaning."""

import pytest

from linnworks_connector.sandbox.binding import Binder, BindError
from linnworks_connector.sandbox.incoming import UnreadableBody, read_incoming

GUID = "ABCDEF00-1111-4222-8333-444444444444"
OBJECT = {
    "type": "object",
    "properties": {"Name": {"type": "string"}, "Inner": {"$ref": "#/components/schemas/Inner"}},
    "required": ["Name"],
}
SCHEMAS = {"Inner": {"type": "object", "allOf": [{"properties": {"Count": {"type": "integer", "format": "int32"}}}]}}
MAP = {"type": "object", "additionalProperties": {"type": "integer"}}
EITHER = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]}


@pytest.mark.parametrize(
    ("schema", "value", "bound"),
    [
        ({"type": "integer"}, 3, 3),
        ({"type": "integer"}, "3", 3),
        ({"type": "integer"}, 3.0, 3),
        ({"type": ["integer", "null"]}, None, None),
        ({"type": "number"}, "2.5", 2.5),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, 0, False),
        ({"type": "string"}, 5, "5"),
        ({"type": "string", "format": "uuid"}, f"{{{GUID}}}", GUID.lower()),
        ({"type": "string", "format": "date-time"}, "2026-01-01", "2026-01-01"),
        ({"type": "string", "enum": ["Equal", "Contains"]}, "contains", "Contains"),
        ({"type": "string", "enum": ["Equal", "Contains"]}, 1, "Contains"),
        ({"type": "string", "enum": ["Equal", "Contains"]}, "0", "Equal"),
        (OBJECT, {"NAME": "n", "inner": {"count": "1"}, "Extra": 1}, {"Name": "n", "Inner": {"Count": 1}, "Extra": 1}),
        (MAP, {"a": "1"}, {"a": 1}),
        (EITHER, ["x"], ["x"]),
        ({}, {"anything": 1}, {"anything": 1}),
    ],
)
def test_what_is_read(schema, value, bound):
    assert Binder(SCHEMAS, text=False).bind(schema, value) == bound


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "integer"}, "many", "not a whole number"),
        ({"type": "integer"}, True, "not a whole number"),
        ({"type": "integer"}, 1.5, "not a whole number"),
        ({"type": "integer", "format": "int32"}, 2**31, "32 bits"),
        ({"type": "number"}, "x", "not a number"),
        ({"type": "number"}, True, "not a number"),
        ({"type": "boolean"}, "maybe", "true or false"),
        ({"type": "string"}, {}, "not text"),
        ({"type": "string", "format": "uuid"}, "1234", "valid Guid"),
        ({"type": "string", "format": "date-time"}, "soon", "date and time"),
        ({"type": "string", "enum": ["A"]}, "B", "one of A"),
        ({"type": "array", "items": {"type": "integer"}}, 4, "not a list"),
        ({"type": "array", "items": {"type": "integer"}}, [1, "x"], "[1] is not a whole number"),
        (OBJECT, {}, "Name is not given"),
        (OBJECT, [], "not an object"),
        (OBJECT, {"Name": "n", "Inner": {"Count": "x"}}, "Inner.Count is not"),
        (EITHER, "x", "not a whole number"),
    ],
)
def test_what_is_refused(schema, value, said):
    with pytest.raises(BindError) as raised:
        Binder(SCHEMAS, text=False).bind(schema, value)
    assert said in str(raised.value)


def test_text_may_hold_json_or_a_single_value():
    binder = Binder(SCHEMAS, text=True)
    numbers = {"type": "array", "items": {"type": "integer"}}
    assert binder.bind(numbers, "[1, 2]") == [1, 2]
    assert binder.bind(numbers, "7") == [7]
    assert binder.bind(OBJECT, '{"name": "n"}') == {"Name": "n"}
    with pytest.raises(BindError):
        binder.bind(OBJECT, "{broken")
    with pytest.raises(BindError):
        binder.bind(OBJECT, "{" * 100_000)
    with pytest.raises(BindError):
        binder.bind(numbers, "[" * 100_000)


def test_bodies_are_read_by_their_content_type():
    assert read_incoming("a=1&b=2&b=3", "", b"").text == {"a": "1", "b": ["2", "3"]}
    assert read_incoming("", "application/x-www-form-urlencoded", b"a=%7B%7D&ids[]=1").text == {"a": "{}", "ids": "1"}
    assert read_incoming("", "text/json", b'{"a": 1}').json == {"a": 1}
    assert read_incoming("", "", b"[1]").json == [1]
    assert read_incoming("", "multipart/form-data; boundary=x", b"--x--").encoding == "other"
    with pytest.raises(UnreadableBody, match="not valid JSON"):
        read_incoming("", "application/json", b"a=1")
    for unreadable in (b'{"a": "\xff"}', b"[" * 100_000):
        with pytest.raises(UnreadableBody, match="not valid JSON"):
            read_incoming("", "application/json", unreadable)
    with pytest.raises(UnreadableBody, match="not supported"):
        read_incoming("", "application/xml", b"<a/>")
