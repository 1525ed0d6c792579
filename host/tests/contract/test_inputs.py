import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_host.contract.catalogue import Catalogue
from connector_host.contract.errors import InputInvalid
from connector_host.contract.inputs import check_input, example_input, prepare_request
from connector_host.contract.manifest import BodyFormat

TEXT, NUMBER, FLAG = {"type": "string"}, {"type": "integer", "format": "int32"}, {"type": "boolean"}
LIST = {"type": "array", "items": TEXT}


def parameter(name, place, schema, **more):
    return {"name": name, "in": place, "schema": schema, **more}


def body(schema, *, required=False):
    return {"content": {"application/json": {"schema": schema}}, "required": required}


def operation(name, *, parameters=(), request=None, **more):
    facts = {
        "operationId": f"shop.{name}",
        "x-kind": "write",
        "parameters": list(parameters),
        "responses": {"204": {"description": "Done"}},
        **more,
    }
    return {**facts, "requestBody": request} if request else facts


REFERENCE = {"$ref": "#/components/schemas/Thing"}
COMPONENTS = {
    "Thing": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "count": NUMBER,
            "kind": {"enum": ["small", "large"]},
            "parent": REFERENCE,
            "tags": LIST,
            "when": {"type": "string", "format": "date-time"},
        },
    },
}
WRAPPED = {"type": "object", "required": ["request"], "properties": {"request": REFERENCE}}
PATHS = {
    "/things/{id}/parts/{part}": {
        "get": operation(
            "Get",
            parameters=[
                parameter("id", "path", TEXT, required=True),
                parameter("part", "path", NUMBER, required=True),
                parameter("q", "query", TEXT),
                parameter("deep", "query", FLAG),
                parameter("each", "query", LIST),
                parameter("joined", "query", LIST, explode=False),
                parameter("filter", "query", {"type": "object"}),
                parameter("If-Match", "header", TEXT),
            ],
        )
    },
    "/things": {"post": operation("Create", request=body(REFERENCE, required=True))},
    "/wrapped": {
        "post": operation(
            "Wrapped",
            parameters=[parameter("dry", "query", FLAG)],
            request=body(WRAPPED),
            **{"x-wrapper": "request", "x-batch": {"field": "request.tags", "max": 2}},
        )
    },
    "/list": {"post": operation("List", request=body({"type": "array", "items": NUMBER}, required=True))},
    "/clash": {"post": operation("Clash", parameters=[parameter("name", "query", TEXT)], request=body(REFERENCE))},
    "/form": {"post": operation("Form", request=body(REFERENCE), **{"x-encoding": "form"})},
    "/nothing": {"post": operation("Nothing")},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("catalogue") / "shop.json"
    document = {"openapi": "3.1.0", "x-area": "shop", "x-base": "api", "paths": PATHS}
    path.write_text(json.dumps({**document, "components": {"schemas": COMPONENTS}}))
    return Catalogue([path])


def prepared(shop, name, value, **more):
    return prepare_request(shop.get(name), check_input(shop.get(name), value), **more)


PLACE = {"id": "7", "part": 3}


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ({}, ""),
        ({"q": "a b&c=d"}, "?q=a+b%26c%3Dd"),
        ({"deep": True}, "?deep=true"),
        ({"deep": None, "q": None}, ""),
        ({"each": ["a", "b,c"]}, "?each=a&each=b%2Cc"),
        ({"joined": ["a", "b"]}, "?joined=a%2Cb"),
        ({"each": []}, ""),
        ({"filter": {"a": "x", "b": None}}, "?a=x"),
    ],
)
def test_queries(shop, given, target):
    request = prepared(shop, "shop.Get", {**PLACE, **given})
    assert request.target == f"/things/7/parts/3{target}"
    assert (request.content, request.content_type, request.headers) == (None, None, ())


def test_header_parameters_become_headers(shop):
    request = prepared(shop, "shop.Get", {**PLACE, "If-Match": "v1"})
    assert request.headers == (("If-Match", "v1"),)
    assert request.target == "/things/7/parts/3"


@pytest.mark.parametrize(
    ("given", "written"), [("a/b", "a%2Fb"), ("ä ?#", "%C3%A4%20%3F%23"), ("{part}", "%7Bpart%7D"), ("...", "...")]
)
def test_a_path_parameter_stays_in_its_place(shop, given, written):
    assert prepared(shop, "shop.Get", {**PLACE, "id": given}).target == f"/things/{written}/parts/3"


@pytest.mark.parametrize("given", [None, "", ".", ".."])
def test_a_path_parameter_that_leads_elsewhere_is_refused(shop, given):
    with pytest.raises(InputInvalid) as caught:
        prepared(shop, "shop.Get", {**PLACE, "id": given})
    assert ("id", "path-parameter") in [(problem.where, problem.rule) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("shop.Create", {"name": "x", "count": 1}, b'{"name":"x","count":1}'),
        ("shop.Create", {"name": "x", "tags": None, "kind": None}, b'{"name":"x","tags":null,"kind":null}'),
        ("shop.Create", {"name": "x", "parent": {"name": "y"}}, b'{"name":"x","parent":{"name":"y"}}'),
        ("shop.Wrapped", {"request": {"name": "x"}}, b'{"request":{"name":"x"}}'),
        ("shop.Wrapped", {"name": "x"}, b'{"request":{"name":"x"}}'),
        ("shop.List", {"body": [1, 2]}, b"[1,2]"),
        ("shop.Clash", {"name": "q", "body": {"name": "b"}}, b'{"name":"b"}'),
        ("shop.Clash", {"name": "q"}, None),
        ("shop.Nothing", {}, None),
    ],
)
def test_bodies(shop, name, given, sent):
    request = prepared(shop, name, given)
    assert request.content == sent
    assert request.content_type == (None if sent is None else "application/json")


def test_a_parameter_stays_outside_the_wrapper(shop):
    request = prepared(shop, "shop.Wrapped", {"name": "x", "dry": True})
    assert (request.target, request.content) == ("/wrapped?dry=true", b'{"request":{"name":"x"}}')


def test_forms_carry_texts_as_they_are_and_the_rest_as_json(shop):
    given = {"name": "a b", "count": 2, "tags": ["x"], "kind": None}
    expected = b"name=a+b&count=2&tags=%5B%22x%22%5D&kind=null"
    assert prepared(shop, "shop.Form", given).content == expected
    assert prepared(shop, "shop.Create", given, encoding=BodyFormat.FORM).content == expected
    assert prepared(shop, "shop.Form", given, encoding=BodyFormat.JSON).content.startswith(b'{"name"')
    assert prepared(shop, "shop.List", {"body": [1]}, encoding=BodyFormat.FORM).content == b"[1]"


@pytest.mark.parametrize(
    ("name", "given", "problems"),
    [
        ("shop.Create", {}, [("name", "required")]),
        ("shop.Create", {"name": ""}, [("name", "minLength")]),
        ("shop.Create", {"name": 3, "count": "x"}, [("count", "type"), ("name", "type")]),
        ("shop.Create", {"name": "x", "nmae": "y"}, [("nmae", "unknown-field")]),
        (
            "shop.Create",
            {"name": "x", "parent": {"nam": "y"}},
            [("parent.name", "required"), ("parent.nam", "unknown-field")],
        ),
        ("shop.Create", {"name": "x", "count": 2**31}, [("count", "format")]),
        ("shop.Create", {"name": "x", "kind": "huge"}, [("kind", "enum")]),
        ("shop.Create", {"name": "x", "when": "yesterday"}, [("when", "format")]),
        ("shop.Create", {"name": "x", "tags": ["a", 1]}, [("tags.1", "type")]),
        ("shop.Wrapped", {"name": "x", "tags": ["a", "b", "c"]}, [("request.tags", "batch-cap")]),
        ("shop.Wrapped", {}, [("request", "required")]),
        ("shop.List", {}, [("body", "required")]),
        ("shop.Nothing", {"a": 1}, [("a", "unknown-field")]),
    ],
)
def test_every_problem_is_told_with_its_place(shop, name, given, problems):
    with pytest.raises(InputInvalid) as caught:
        check_input(shop.get(name), given)
    assert sorted((problem.where, problem.rule) for problem in caught.value.problems) == sorted(problems)
    assert all(problem.sentence for problem in caught.value.problems)


def test_unknown_fields_may_be_let_through(shop):
    value = check_input(shop.get("shop.Create"), {"name": "x", "new": 1}, allow_unknown=True)
    assert value == {"name": "x", "new": 1}
    with pytest.raises(InputInvalid):
        check_input(shop.get("shop.Create"), {"new": 1}, allow_unknown=True)


@pytest.mark.parametrize(
    "extra", ["\ud800", object(), float("nan"), [float("inf")], {"deep": float("-inf")}, {(1, 2): 3}]
)
@pytest.mark.parametrize("encoding", list(BodyFormat))
def test_what_cannot_be_written_is_told_in_words(shop, extra, encoding):
    with pytest.raises(InputInvalid, match="cannot be written"):
        prepare_request(shop.get("shop.Create"), {"name": "x", "extra": extra}, encoding=encoding)


def test_examples_are_accepted(shop):
    for each in shop:
        example = example_input(each)
        assert check_input(each, example) == example
        prepare_request(each, example)
    assert example_input(shop.get("shop.Create"))["parent"]["name"] == "text"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*"abc", "name", "id", "request"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    name=st.sampled_from(["Get", "Create", "Wrapped", "List", "Clash", "Form", "Nothing"]),
    value=st.dictionaries(
        st.sampled_from(["name", "id", "part", "q", "each", "request", "body", "tags"]), JSON, max_size=5
    ),
    allow=st.booleans(),
)
def test_no_input_is_too_strange(shop, name, value, allow):
    found = shop.get(f"shop.{name}")
    try:
        request = prepare_request(found, check_input(found, value, allow_unknown=allow))
    except InputInvalid:
        return
    request.target.encode("ascii")
    assert request.target.startswith("/")
