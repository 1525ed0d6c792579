"""The rules between the fields of a manifest's models: what is wrong, the one fix, and when."""

from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticCustomError

from .closed import Rule, broken_rule, rule

__all__ = [
    "ACTION",
    "AUTHENTICATION_METHOD",
    "FALLBACK",
    "FILTER",
    "FOR_EACH",
    "MANIFEST",
    "PAGES",
    "STREAM",
    "VARIABLE",
]

_LONGEST_DEFAULT = 1024
"""Characters; the platform's limit."""


def _declared_once(what: str, field: str, key: str) -> Rule:
    def twice(model: Any) -> Iterator[PydanticCustomError]:
        seen: set[str] = set()
        for number, part in enumerate(getattr(model, field)):
            name = getattr(part, key, None)  # absent where the part is wrong
            if name in seen:
                sentence = f"The {what} {name} is declared twice."
                yield broken_rule(sentence, "Keep one of the two.", (field, number, key))
            elif name is not None:
                seen.add(name)

    return twice


MANIFEST = (
    _declared_once("setting", "settings", "key"),
    _declared_once("authentication method", "authentication", "name"),
    _declared_once("stream", "streams", "name"),
    _declared_once("action", "actions", "name"),
    _declared_once("check", "checks", "area"),
)

VARIABLE = (
    rule(
        "A locked variable needs a default, which is its only value.",
        "Add default: …",
        lambda variable: variable.locked and variable.default is None,
    ),
    rule(
        "A secret has no default: all could read it in the manifest.",
        "Remove the default.",
        lambda variable: variable.secret and variable.default is not None,
    ),
    rule(
        "A default has at most 1,024 characters.",
        "Shorten it.",
        lambda variable: isinstance(variable.default, str) and len(variable.default) > _LONGEST_DEFAULT,
    ),
)

AUTHENTICATION_METHOD = (
    _declared_once("credential", "credentials", "key"),
    rule(
        "Authentication of type {0.type} needs credentials.",
        "Declare them, or type: none.",
        lambda method: method.type != "none" and not method.credentials,
    ),
)

ACTION = (
    rule(
        "An action has either an operation or code.",
        "Keep one of the two.",
        lambda action: (action.operation is None) == (action.code is None),
    ),
    rule(
        "The code of an action makes its own calls and reads their answers.",
        "Remove input, answer and read_back.",
        lambda action: action.code is not None and bool(action.input or action.answer or action.read_back),
    ),
)

PAGES = (
    rule(
        "until: total_pages and the field total_pages go together.",
        "Name the field of the answer with total_pages: …, or end the list otherwise.",
        lambda pages: (pages.until == "total_pages") != (pages.total_pages is not None),
    ),
)

FOR_EACH = (
    rule(
        "Values come from an operation or from a stream.",
        "Name one of the two.",
        lambda each: (each.operation is None) == (each.stream is None),
    ),
    rule(
        "An answer for many values cannot tell whose record is whose.",
        "Drop keep or batch.",
        lambda each: bool(each.keep) and each.batch is not None,
    ),
    rule(
        "Further fields come from the record of one value.",
        "Drop also, or batch; name value.",
        lambda each: bool(each.also) and (each.batch is not None or each.value is None),
    ),
    rule(
        "A parent stream has no input and no answer of its own.",
        "Drop input and records.",
        lambda each: each.stream is not None and (bool(each.input) or each.records is not None),
    ),
    rule(
        "Records of a parent stream are no bare values.",
        "Name the field with value: …",
        lambda each: each.stream is not None and each.value is None,
    ),
)

FILTER = (
    rule(
        "The filter {0.name} does nothing.",
        "Add into, match or choices.",
        lambda filters: not filters.choices and filters.into is None and filters.match is None,
    ),
    rule(
        "The choices of a filter say what each of them does.",
        "Drop into and match, or choices.",
        lambda filters: bool(filters.choices) and (filters.into is not None or filters.match is not None),
    ),
)

FALLBACK = (
    rule(
        "The two ways have two different names, and neither is auto.",
        "Rename one.",
        lambda ways: "auto" in (ways.first, ways.second) or ways.first == ways.second,
    ),
)

STREAM = (
    _declared_once("filter", "filters", "name"),
    rule(
        "A stream has either lists or code.",
        "Name where the records are listed, or the code.",
        lambda stream: bool(stream.lists) == (stream.code is not None),
    ),
    rule(
        "The code of a stream makes its own calls and gives whole records.",
        "Remove details, each, inherit and fallback.",
        lambda stream: stream.code is not None and bool(stream.details or stream.each or stream.fallback),
    ),
    rule(
        "The host filters the records of code: there is no list whose input a filter could fill in.",
        "Filter with match, also in choices.",
        lambda stream: stream.code is not None and any(each.asks_the_vendor for each in stream.filters),
    ),
    rule(
        "inherit adds fields to the elements of each.",
        "Name the list with each, or drop inherit.",
        lambda stream: bool(stream.inherit) and stream.each is None,
    ),
    rule(
        "A list gives ids, and nothing turns them into records.",
        "Add details, or drop id.",
        lambda stream: any(details is None and any(each.id for each in lists) for lists, details in stream.ways),
    ),
    rule(
        "A removed record is looked up by an id, so its primary key is one field, and the record a whole one.",
        "Drop confirm_removed.",
        lambda stream: stream.confirm_removed is not None and (len(stream.primary_key) > 1 or stream.each is not None),
    ),
)
