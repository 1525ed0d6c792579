import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.variables import render, variables_in

VALUES = {"a": "x", "n": 5, "flag": True, "list": [1, 2], "session.token": "t", "none": None, "tricky": "{{a}} \\1"}


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("plain", "plain"),
        ("{{a}}", "x"),
        ("{{ a }}", "x"),
        ("<{{a}}-{{n}}>", "<x-5>"),
        ("{{n}}", 5),
        ("{{flag}}", True),
        ("{{list}}", [1, 2]),
        ("{{none}}", None),
        ("Bearer {{session.token}}", "Bearer t"),
        ("{{tricky}}!", "{{a}} \\1!"),
        ("{{a}}{{a}}", "xx"),
        ("{a} {{}} {{1}} {{a b}}", "{a} {{}} {{1}} {{a b}}"),
        ({"k{{a}}": ["{{n}}", {"deep": "{{a}}"}], "m": 3}, {"k{{a}}": [5, {"deep": "x"}], "m": 3}),
        (("{{a}}", 1), ["x", 1]),
        (7, 7),
        (None, None),
    ],
)
def test_templates(template, result):
    assert render(template, VALUES) == result


def test_a_variable_without_a_value_is_named():
    with pytest.raises(KeyError, match="unknown"):
        render({"a": "x {{unknown}}"}, VALUES)


def test_the_variables_of_a_template():
    template = {"a": "{{one}} {{two.three}}", "b": ["{{one}}", 3, ("{{four}}",)], "{{key}}": None}
    assert list(variables_in(template)) == ["one", "two.three", "one", "four"]


TEXTS = st.text(max_size=20)
TEMPLATES = st.recursive(
    TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
)


@given(TEMPLATES)
def test_every_variable_that_is_listed_is_all_that_is_needed(template):
    assert render(template, dict.fromkeys(variables_in(template), "v")) is not None or template is None


@given(value=TEXTS)
def test_a_value_is_put_in_as_it_is(value):
    assert render("{{a}}", {"a": value}) == value
    assert render("<{{a}}>", {"a": value}) == f"<{value}>"
