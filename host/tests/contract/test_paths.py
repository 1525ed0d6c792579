import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.paths import get_path, set_path, walk_lists

VALUE = {"A": {"b": [{"c": 1}, {"c": 2}, {"d": 3}], "n": None}, "a.b": 4}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", VALUE),
        ("A.b.0.c", 1),
        ("A.b.1", {"c": 2}),
        ("A.n", None),
        ("A.b.9", "none"),
        ("A.b.x", "none"),
        ("A.b.\u00b2", "none"),
        ("A.b.-1", "none"),
        ("A.n.x", "none"),
        ("a.b", "none"),
        ("A..b", "none"),
    ],
)
def test_what_stands_at_a_path(path, found):
    assert get_path(VALUE, path, "none") == found


@pytest.mark.parametrize(("path", "found"), [("a.B.0.C", 1), ("A.b.0.c", 1), ("x", None)])
def test_case_may_be_forgiven(path, found):
    assert get_path(VALUE, path, any_case=True) == found


def test_the_exact_case_goes_first():
    assert get_path({"token": 1, "Token": 2}, "Token", any_case=True) == 2


@pytest.mark.parametrize(
    ("start", "path", "end"),
    [
        ({}, "a", {"a": 9}),
        ({}, "a.b.c", {"a": {"b": {"c": 9}}}),
        ({"a": {"x": 1}}, "a.b", {"a": {"x": 1, "b": 9}}),
        ({"a": 1}, "a", {"a": 9}),
    ],
)
def test_a_value_is_put_at_a_path(start, path, end):
    set_path(start, path, 9)
    assert start == end


def test_a_value_cannot_be_put_below_one_that_is_no_object():
    with pytest.raises(TypeError, match="a is no object"):
        set_path({"a": [1]}, "a.b", 9)


@pytest.mark.parametrize(("path", "found"), [("A.b.c", [1, 2]), ("A.b.d", [3]), ("A.x", []), ("A.n", [None])])
def test_lists_on_the_way_are_gone_into(path, found):
    assert list(walk_lists(VALUE, path)) == found


STEPS = st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,5}", fullmatch=True), min_size=1, max_size=4)


@given(steps=STEPS, value=st.integers())
def test_what_was_put_is_found_again(steps, value):
    made = {}
    set_path(made, ".".join(steps), value)
    assert get_path(made, ".".join(steps)) == value
    assert list(walk_lists([made, made], ".".join(steps))) == [value, value]
