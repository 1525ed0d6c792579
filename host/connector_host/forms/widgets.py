"""From a schema and a value to the widgets of an HTML form.

Templates draw widgets; what a schema means is decided here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connector_host.contract.errors import Problem

from .shapes import ABSENT, Schema, Shape, WidgetKind, shape_of

__all__ = ["Choice", "Widget", "every_widget", "widget_of"]

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose: what is sent, what is read, and whether it is chosen."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Widget:
    """A field of a page, or a group of fields.

    `name` is the field's name in the submitted form and its path in problems. `text` is what stands in the field; it
    is always empty for secrets, where `kept` tells that the server has a value already. A list has a child per row.
    """

    kind: WidgetKind
    name: str
    label: str
    help: str = ""
    text: str = ""
    placeholder: str = ""
    hint: str = ""
    input_mode: str = "text"
    suggestions: str = ""
    choices: tuple[Choice, ...] = ()
    children: tuple["Widget", ...] = ()
    problems: tuple[Problem, ...] = ()
    required: bool = False
    locked: bool = False
    advanced: bool = False
    kept: bool = False
    help_link: str = ""
    longest: int | None = None

    @property
    def id(self) -> str:
        """The element's id."""
        return f"field-{self.name}"

    @property
    def described_by(self) -> str:
        """Ids of the elements that explain the field, for `aria-describedby`."""
        parts = [("help", self.help or self.hint or self.kept), ("error", self.problems)]
        return " ".join(f"{self.id}-{part}" for part, there in parts if there)

    @property
    def plain_children(self) -> tuple["Widget", ...]:
        """The children that everybody sees."""
        return tuple(child for child in self.children if not child.advanced)

    @property
    def advanced_children(self) -> tuple["Widget", ...]:
        """The children that are folded away."""
        return tuple(child for child in self.children if child.advanced)

    @property
    def open(self) -> bool:
        """Whether a folded group must be open: something in it is wrong, wanted or filled in."""
        return bool(self.problems or self.required or self.text or self.kept) or any(
            child.open for child in self.children
        )

    def at(self, where: str) -> "Widget":
        """Return the widget that a problem belongs to: the one of that name, or the nearest around it."""
        for child in self.children:
            if where == child.name or where.startswith(f"{child.name}."):
                return child.at(where)
        return self

    @property
    def wrong(self) -> bool:
        """Whether it or something in it has a problem."""
        return bool(self.problems) or any(child.wrong for child in self.children)


def every_widget(widget: Widget) -> Iterator[Widget]:
    """Yield a widget and all that is in it, in reading order."""
    yield widget
    for child in widget.children:
        yield from every_widget(child)


def widget_of(
    schema: Schema,
    ui: Mapping[str, Any],
    value: Any,
    *,
    name: str,
    label: str = "",
    required: bool = False,
    problems: Sequence[Problem] = (),
    definitions: Schema | None = None,
) -> Widget:
    """Return the widget of a schema, filled with a value (or ABSENT) and with the problems that belong to it.

    `ui` has the hints of react-jsonschema-form's uiSchema. Every schema has a widget: what has no better one is
    written as JSON.
    """
    drawing = _Drawing(definitions if definitions is not None else schema.get("$defs", {}), tuple(problems))
    return drawing.widget(schema, ui, value, name=name, label=label, required=required)


def _ordered(schema: Schema, ui: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Schema]]:
    """Yield the fields of an object that a person fills in; those that the vendor sets only where they have a value."""
    fields = schema.get("properties", {})
    there = value if isinstance(value, Mapping) else {}
    for key in ui.get("ui:order", fields):
        if key in fields and (not fields[key].get("readOnly") or key in there):
            yield key, fields[key]


@dataclass(frozen=True)
class _Drawing:
    definitions: Schema
    problems: tuple[Problem, ...]

    def widget(
        self,
        schema: Schema,
        ui: Mapping[str, Any],
        value: Any,
        *,
        name: str,
        label: str = "",
        required: bool = False,
        opened: tuple[str, ...] = (),
        depth: int = 0,
    ) -> Widget:
        shape = shape_of(schema, self.definitions, opened, depth)
        if ui.get("ui:widget") == "password":
            shape = replace(shape, kind=WidgetKind.SECRET)
        rules, options = shape.schema, ui.get("ui:options", {})
        there = value is not ABSENT and value is not None and value != ""
        drawn = Widget(
            kind=shape.kind,
            name=name,
            label=str(rules.get("title") or label),
            help=str(ui.get("ui:help") or rules.get("description", "")),
            placeholder=str(ui.get("ui:placeholder", "")),
            required=required,
            locked=bool(ui.get("ui:readonly")),
            advanced=bool(options.get("advanced")),
            help_link=str(options.get("helpLink", "")),
            problems=self._problems(name, below=shape.kind not in (WidgetKind.OBJECT, WidgetKind.LIST)),
            longest=rules.get("maxLength"),
        )
        if shape.kind is WidgetKind.OBJECT:
            return replace(drawn, children=self._fields(shape, ui, value, name, depth))
        if shape.kind is WidgetKind.LIST:
            return replace(drawn, children=self._rows(shape, value, name, depth), hint=_hint_of_list(rules))
        if shape.kind is WidgetKind.SECRET:
            return replace(drawn, kept=there)
        return self._filled(drawn, shape, value if there else ABSENT, names=ui.get("ui:enumNames", ()))

    def _problems(self, name: str, *, below: bool) -> tuple[Problem, ...]:
        start = f"{name}."
        return tuple(
            problem for problem in self.problems if problem.where == name or (below and problem.where.startswith(start))
        )

    def _fields(self, shape: Shape, ui: Mapping[str, Any], value: Any, name: str, depth: int) -> tuple[Widget, ...]:
        wanted = shape.schema.get("required", ())
        there = value if isinstance(value, Mapping) else {}
        return tuple(
            self.widget(
                rule,
                ui.get(key, {}),
                there.get(key, ABSENT),
                name=f"{name}.{key}" if name else key,
                label=key,
                required=key in wanted,
                opened=shape.opened,
                depth=depth + 1,
            )
            for key, rule in _ordered(shape.schema, ui, value)
        )

    def _rows(self, shape: Shape, value: Any, name: str, depth: int) -> tuple[Widget, ...]:
        rows = value if isinstance(value, list) else []
        single = Shape(WidgetKind.OBJECT, shape.items, opened=shape.opened)
        return tuple(
            Widget(
                kind=WidgetKind.OBJECT,
                name=f"{name}.{number}",
                label=f"Entry {number + 1}",
                problems=self._problems(f"{name}.{number}", below=False),
                children=self._fields(single, {}, row, f"{name}.{number}", depth + 1),
            )
            for number, row in enumerate(rows)
        )

    def _filled(self, drawn: Widget, shape: Shape, value: Any, names: Sequence[str] = ()) -> Widget:
        rules = shape.schema
        if shape.kind is WidgetKind.CHOICE:
            return replace(drawn, choices=tuple(_choices(rules, value, names, required=drawn.required)))
        if shape.kind is WidgetKind.BOXES:
            chosen = value if isinstance(value, list) else []
            boxes = [Choice(_text(each), _text(each), each in chosen) for each in shape.items["enum"]]
            return replace(drawn, choices=tuple(boxes), hint=_hint_of_list(rules))
        if shape.kind is WidgetKind.LINES:
            lines = value if isinstance(value, list) else [] if value is ABSENT else [value]
            hint = " ".join(filter(None, ("One on each line.", _hint(shape.items), _hint_of_list(rules))))
            return replace(drawn, text="\n".join(map(_text, lines)), hint=hint)
        if shape.kind is WidgetKind.JSON:
            text = "" if value is ABSENT else value if isinstance(value, str) else _pretty(value)
            return replace(drawn, text=text, hint="Written as JSON.")
        text = "" if value is ABSENT else _text(value)
        kind = WidgetKind.TEXT if shape.kind is WidgetKind.DATE and not _DATE.fullmatch(text) else drawn.kind
        return replace(
            drawn,
            kind=kind,
            text=text,
            hint=_hint(rules),
            input_mode=_INPUT_MODES.get(str(rules.get("type")), "text"),
            suggestions="time-zones" if rules.get("format") == "time-zone" else "",
        )


_NO_LIMIT = 2**53
"""A maximum from here on is one of the format, not of the matter."""
_INPUT_MODES = {"integer": "numeric", "number": "decimal"}
_HINTS_OF_FORMAT = {
    "uuid": "A UUID, such as 12345678-90ab-cdef-1234-567890abcdef.",
    "date-time": "A date and time, such as 2026-01-31T12:00:00Z.",
    "date": "A date, such as 2026-01-31.",
}
_HINTS_OF_TYPE = {"integer": "A whole number", "number": "A number"}


def _hint(rules: Schema) -> str:
    """Return what a value looks like, as far as the schema tells."""
    if rules.get("format") in _HINTS_OF_FORMAT:
        return _HINTS_OF_FORMAT[rules["format"]]
    kinds = rules.get("type")
    kind = next((each for each in kinds if each != "null"), "") if isinstance(kinds, list) else kinds
    words = _HINTS_OF_TYPE.get(str(kind), "")
    if not words:
        return ""
    least, most = rules.get("minimum"), rules.get("maximum")
    most = None if most is not None and most >= _NO_LIMIT else most
    if least is not None and most is not None:
        return f"{words} from {least:,} to {most:,}."
    if least is not None:
        return f"{words}, at least {least:,}."
    return f"{words}, at most {most:,}." if most is not None else f"{words}."


def _hint_of_list(rules: Schema) -> str:
    most = rules.get("maxItems")
    return f"At most {most:,} entries." if most is not None else ""


def _choices(rules: Schema, value: Any, names: Sequence[str], *, required: bool) -> Iterator[Choice]:
    every = rules.get("enum", (True, False))
    words = names or (map(_text, every) if "enum" in rules else ("Yes", "No"))
    known = list(zip(every, words, strict=True))
    chosen = [_text(each) == _text(value) for each, _ in known] if value is not ABSENT else []
    if not required or not any(chosen):
        yield Choice("", "Choose …" if required else "Not set", not any(chosen))
    for (each, label), is_chosen in zip(known, chosen or [False] * len(known), strict=True):
        yield Choice(_text(each), label, is_chosen)
    if value is not ABSENT and not any(chosen):
        yield Choice(_text(value), f"{_text(value)} (no known choice)", chosen=True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
