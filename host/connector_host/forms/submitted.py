"""From a submitted HTML form back to the value of its schema.

The same walk over the schema that draws a form reads it, so that nothing but the schema's own fields is ever taken
from a page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from .shapes import ABSENT, Schema, Shape, WidgetKind, shape_of
from .texts import value_from_text
from .widgets import Widget, every_widget

__all__ = ["Filled", "changed_list", "filled_of", "read_form"]

Filled = Mapping[str, Sequence[str]]
"""A submitted form: the values of each name, in the order of the page."""

_MOST_ROWS = 200
_FREE_TEXT_RULES = {"format", "pattern", "enum", "const", "minLength"}


def read_form(
    schema: Schema,
    ui: Mapping[str, Any],
    filled: Filled,
    *,
    name: str,
    kept: Any = ABSENT,
    definitions: Schema | None = None,
) -> Any:
    """Return the value that a submitted form holds for a schema, ABSENT when nothing was filled in.

    Texts that do not fit their type stay texts, so that the check of the value can say so. An empty field is absent,
    except for a required text without any rule, where it is an empty text. `kept` is the value that the server has
    already: a secret that is left empty stays as it is there, one whose box `NAME.clear` is ticked goes. Locked fields
    are never read.
    """
    reading = _Reading(definitions if definitions is not None else schema.get("$defs", {}), filled)
    return reading.value(schema, ui, name, kept=kept)


@dataclass(frozen=True)
class _Reading:
    definitions: Schema
    filled: Filled

    def value(
        self,
        schema: Schema,
        ui: Mapping[str, Any],
        name: str,
        *,
        kept: Any = ABSENT,
        required: bool = False,
        opened: tuple[str, ...] = (),
        depth: int = 0,
    ) -> Any:
        shape = shape_of(schema, self.definitions, opened, depth)
        if ui.get("ui:readonly"):
            return ABSENT
        if ui.get("ui:widget") == "password" or shape.kind is WidgetKind.SECRET:
            return self._secret(name, kept)
        if shape.kind is WidgetKind.OBJECT:
            found: Any = self._object(shape, ui, name, kept, depth)
        elif shape.kind is WidgetKind.LIST:
            found = self._list(shape, name, depth)
        elif shape.kind in (WidgetKind.BOXES, WidgetKind.LINES):
            found = [value_from_text(text, shape.items, self.definitions) for text in self._texts(shape, name)]
        else:
            return self._scalar(shape, (self.filled.get(name) or ("",))[-1], required=required)
        return found if found or required else ABSENT

    def _texts(self, shape: Shape, name: str) -> list[str]:
        texts = self.filled.get(name, ())
        lines = texts if shape.kind is WidgetKind.BOXES else texts[-1].splitlines() if texts else ()
        return [line.strip() for line in lines if line.strip()]

    def _secret(self, name: str, kept: Any) -> Any:
        typed = (self.filled.get(name) or ("",))[-1]
        if typed:
            return typed
        return ABSENT if f"{name}.clear" in self.filled else kept

    def _scalar(self, shape: Shape, text: str, *, required: bool) -> Any:
        if not text.strip():
            free = shape.schema.get("type") == "string" and not _FREE_TEXT_RULES & shape.schema.keys()
            return "" if required and free else ABSENT
        if shape.kind is WidgetKind.JSON:
            try:
                return msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                return text
        return value_from_text(text, shape.schema, self.definitions)

    def _object(self, shape: Shape, ui: Mapping[str, Any], name: str, kept: Any, depth: int) -> dict[str, Any]:
        before = kept if isinstance(kept, Mapping) else {}
        wanted = shape.schema.get("required", ())
        found = {}
        for key, rule in shape.schema.get("properties", {}).items():
            value = self.value(
                rule,
                ui.get(key, {}),
                f"{name}.{key}" if name else key,
                kept=before.get(key, ABSENT),
                required=key in wanted,
                opened=shape.opened,
                depth=depth + 1,
            )
            if value is not ABSENT:
                found[key] = value
        return found

    def _list(self, shape: Shape, name: str, depth: int) -> list[dict[str, Any]]:
        count = (self.filled.get(f"{name}.rows") or ("0",))[-1]
        rows = min(int(count), _MOST_ROWS) if re.fullmatch("[0-9]{1,6}", count) else 0
        single = Shape(WidgetKind.OBJECT, shape.items, opened=shape.opened)
        return [self._object(single, {}, f"{name}.{number}", ABSENT, depth + 1) for number in range(rows)]


def filled_of(widget: Widget) -> dict[str, list[str]]:
    """Return what a browser sends when nobody touches the form."""
    filled: dict[str, list[str]] = {}
    for each in every_widget(widget):
        if each.kind is WidgetKind.LIST:
            filled[f"{each.name}.rows"] = [str(len(each.children))]
        elif each.choices:
            chosen = [choice.value for choice in each.choices if choice.chosen]
            if chosen:
                filled[each.name] = chosen
        elif each.kind is not WidgetKind.OBJECT:
            filled[each.name] = [each.text]
    return filled


def changed_list(value: Any, path: str, *, remove: bool) -> Any:
    """Return a value with an empty entry added to the list at a dotted path, or with the entry there removed.

    A path that leads nowhere changes nothing, except that an object or list on the way is made when one is added.
    """
    *way, last = path.split(".")
    if remove:
        copied: Any = msgspec.json.decode(msgspec.json.encode(value))
        target = copied
        for step in way:
            target = _step(target, step)
        if isinstance(target, list) and last.isdigit() and int(last) < len(target):
            del target[int(last)]
        return copied
    copied = msgspec.json.decode(msgspec.json.encode(value)) if isinstance(value, dict | list) else {}
    target = copied
    for step in way:
        found = _step(target, step)
        if found is None and isinstance(target, dict):
            found = target[step] = {}
        target = found
    if isinstance(target, dict):
        rows = target.setdefault(last, [])
        if isinstance(rows, list) and len(rows) < _MOST_ROWS:
            rows.append({})
    return copied


def _step(target: Any, step: str) -> Any:
    if isinstance(target, dict):
        return target.get(step)
    if isinstance(target, list) and step.isdigit() and int(step) < len(target):
        return target[int(step)]
    return None
