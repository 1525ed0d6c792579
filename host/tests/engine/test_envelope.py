import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.engine.envelope import EnvelopeError, fields_of, list_of, value_of, wanted

BODY = b'{"Total": 3, "Orders": {"Data": [ {"b":1.0, "a":1e2,  "x":{}} , 2 ], "Pages":null}, "Data": null}'


def raw(value):
    return None if value is None else bytes(value)


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (("Total",), [b"3"]),
        (("Orders.Data", "Total"), [b'[ {"b":1.0, "a":1e2,  "x":{}} , 2 ]', b"3"]),
        (("Orders.Pages", "Orders.Data"), [b"null", b'[ {"b":1.0, "a":1e2,  "x":{}} , 2 ]']),
        (("Data.Deeper",), [b"null"]),
        (("Nothing", "Orders.Nothing"), [None, None]),
        (("",), [BODY]),
        (("", "Total"), [BODY, b"3"]),
        (("Orders", "Orders.Pages"), [BODY[23:-15], b"null"]),
    ],
)
def test_what_stands_at_a_path(paths, found):
    values = fields_of(BODY, paths)
    assert [raw(values[path]) for path in paths] == found


@pytest.mark.parametrize(
    ("body", "path"),
    [(b"[1]", "Data"), (b'"text"', "Data"), (BODY, "Total.Data"), (b'{"a"', "a")],
)
def test_a_path_through_something_that_is_no_object(body, path):
    with pytest.raises(EnvelopeError, match="there is no object with"):
        fields_of(body, (path,))


def test_elements_are_the_bytes_that_came():
    elements = list_of(fields_of(BODY, ("Orders.Data",))["Orders.Data"])
    assert [bytes(each) for each in elements] == [b'{"b":1.0, "a":1e2,  "x":{}}', b"2"]


@pytest.mark.parametrize(
    "value", [None, msgspec.Raw(b"null"), msgspec.Raw(b"[]"), msgspec.Raw(b" null "), msgspec.Raw(b"")]
)
def test_empty_lists(value):
    assert list_of(value) == []


@pytest.mark.parametrize("value", [b"{}", b"3", b'"text"', b"[1", b"[1] 2"])
def test_no_list(value):
    with pytest.raises(EnvelopeError, match="there is no list"):
        list_of(msgspec.Raw(value))


def test_values():
    assert value_of(None) is None
    assert value_of(msgspec.Raw(b'{"a": [1]}')) == {"a": [1]}
    with pytest.raises(EnvelopeError):
        value_of(msgspec.Raw(b"nonsense"))
    with pytest.raises(EnvelopeError, match=r"there is no Data\.List"):
        wanted(None, "Data.List")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(
    records=st.lists(JSON, max_size=6),
    around=st.dictionaries(st.sampled_from("xyz"), JSON),
    indent=st.none() | st.just(2),
)
def test_records_come_out_as_they_went_in(records, around, indent):
    body = json.dumps({**around, "A": {"B": records}}, indent=indent).encode()
    elements = list_of(fields_of(body, ("A.B",))["A.B"])
    assert [json.loads(bytes(each)) for each in elements] == records
    assert all(bytes(each) in body for each in elements)


@given(body=st.binary(max_size=60), path=st.sampled_from(["", "a", "a.b"]))
def test_nothing_but_its_own_error_comes_out_of_rubbish(body, path):
    try:
        elements = list_of(fields_of(body, (path,))[path])
    except EnvelopeError as error:
        told, elements = str(error), []
    else:
        told = ""
    assert told == "" or told.startswith("there is ")
    assert all(bytes(each) in body for each in elements)
