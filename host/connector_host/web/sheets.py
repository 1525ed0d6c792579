"""The two views of an operation's input, a form and JSON, and how they stay in step."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from connector_host.contract.catalogue import Operation
from connector_host.contract.errors import InputInvalid, Problem
from connector_host.contract.inputs import check_input, example_input
from connector_host.forms import ABSENT, Widget, changed_list, filled_of, read_form, widget_of

__all__ = ["PREFIX", "Sheet", "checked", "draw", "read_sheet"]

PREFIX = "input"
"""The form's fields begin with it, so that no field of an operation can be taken for one of the page."""

Filled = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Sheet:
    """An input as it is being written: its value, or the JSON text that is none, and what is wrong with it."""

    value: Mapping[str, Any] = field(default_factory=dict, repr=False)
    text: str | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    undecided: bool = False


@dataclass(frozen=True)
class Drawn:
    """A sheet for a template.

    `lossless` tells whether the form shows all of the JSON, `empty` whether the operation takes no input and none is
    written.
    """

    widget: Widget
    json: str = field(repr=False)
    seen_form: str
    seen_json: str
    lossless: bool
    empty: bool
    problems: tuple[Problem, ...] = ()
    sheet: Sheet = field(default_factory=Sheet, repr=False)


def draw(operation: Operation, sheet: Sheet) -> Drawn:
    """Return both views of a sheet."""
    problems = tuple(replace(each, where=f"{PREFIX}.{each.where}") for each in sheet.problems if each.where != "json")
    schema = operation.input_schema
    widget = widget_of(schema, {}, sheet.value, name=PREFIX, problems=problems)
    back = read_form(schema, {}, filled_of(widget), name=PREFIX)
    text = _pretty(sheet.value) if sheet.text is None else sheet.text
    lossless = _plain(back) == _plain(sheet.value)
    takes_none = not schema.get("properties") and schema.get("additionalProperties") is False
    empty = takes_none and not sheet.value and _from_json(text) == {}
    return Drawn(widget, text, _digest(back), _digest_of_text(text), lossless, empty, problems, sheet)


def read_sheet(operation: Operation, filled: Filled) -> Sheet:
    """Return the sheet of a submitted page: of its two views the one that was changed counts.

    When both were changed, `view` says which counts; without it the sheet is undecided, and nothing is lost.
    """
    wish = _one(filled, "go")
    if wish == "example":
        return Sheet(example_input(operation))
    text = _one(filled, "json").strip()
    form_value = read_form(operation.input_schema, {}, filled, name=PREFIX)
    form_changed = _digest(form_value) != _one(filled, "seen_form")
    json_changed = _digest_of_text(text) != _one(filled, "seen_json")
    if form_changed and json_changed and wish not in {"form", "json"}:
        return Sheet(_plain(form_value), text=text, undecided=True)
    if wish == "form" or (form_changed and not json_changed):
        value = form_value
    else:
        value = _from_json(text)
        if not isinstance(value, dict):
            words = Problem("json", "json", "This is not a JSON object.", 'Write it as {"field": "value"}.')
            return Sheet(_plain(form_value), text=text, problems=(words,))
    for button, remove in (("add", False), ("remove", True)):
        place = _one(filled, button).removeprefix(f"{PREFIX}.")
        if place:
            value = changed_list(_plain(value), place, remove=remove)
    return Sheet(_plain(value))


def checked(operation: Operation, sheet: Sheet) -> Sheet:
    """Return the sheet with everything that is wrong with its value."""
    if sheet.problems or sheet.undecided:
        return sheet
    try:
        check_input(operation, sheet.value)
    except InputInvalid as error:
        return replace(sheet, problems=error.problems)
    return sheet


def _one(filled: Filled, name: str) -> str:
    return (filled.get(name) or ("",))[-1]


def _plain(value: Any) -> dict[str, Any]:
    return {} if value is ABSENT else dict(value)


def _from_json(text: str) -> Any:
    if not text:
        return {}
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _digest(value: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(_plain(value)), digest_size=12).hexdigest()


def _digest_of_text(text: str) -> str:
    return hashlib.blake2b(text.strip().encode(), digest_size=12).hexdigest()
