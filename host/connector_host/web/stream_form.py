"""The form that begins a run of a stream, or plans it: made from the stream's own modes, times, filters and fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector_host.connectors import Connector
from connector_host.contract.errors import Problem
from connector_host.contract.record_fields import fields_of_record
from connector_host.contract.stream_models import Stream
from connector_host.engine.plan import limits_of
from connector_host.engine.preparation import limited_by
from connector_host.forms import Widget, read_form, widget_of
from connector_host.runs import MODE_WORDS, STREAM_PARAMETERS, modes_of

from .pages import Filled

__all__ = ["StreamForm", "Typed"]

_NAME = "parameters"
_WHEN = "when"
_RULES = STREAM_PARAMETERS["properties"]
_TIME = "A date, a date with a time, or a span back from now such as 7d or 12h."
_TEXTS = {
    "mode": ("What to read", "The first run reads everything; the next with the same filters goes on from it."),
    "since": ("From", _TIME),
    "until": ("Until", "The same; included."),
    "limit": ("At most", "Records."),
    "filters": ("Only some records", ""),
    "columns": ("Fields to keep", "Everything is kept when none is named; the primary key always is."),
    "normalise": ("Dates in one form", "Writes dates as RFC 3339 in UTC, and null for no date."),
}
_ADVANCED = ("columns", "normalise")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed: the parameters of a run, and how often it is to begin by itself, empty for once and now."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    when: str = ""


class StreamForm:
    """The form of one stream; `zone` is the instance's."""

    def __init__(self, connector: Connector, stream: Stream, zone: str) -> None:
        streams = {each.name: each for each in connector.manifest.streams}
        knows_since, knows_until = limits_of(limited_by(stream, streams))
        self._modes = modes_of(stream, streams)
        rules: dict[str, Any] = {"mode": {"type": "string", "enum": list(self._modes)}}
        if knows_since:
            rules["since"] = _RULES["since"]
        if knows_until:
            rules["until"] = _RULES["until"]
        rules["limit"] = _RULES["limit"]
        if stream.filters:
            rules["filters"] = {"type": "object", "properties": {each.name: _rule_of(each) for each in stream.filters}}
        fields = fields_of_record(connector.folder, stream)
        rules["columns"] = {"type": "array", "items": {"type": "string", **({"enum": fields} if fields else {})}}
        rules["normalise"] = _RULES["normalise"]
        rules[_WHEN] = {"type": "string", "maxLength": 128}
        self._schema = {
            "type": "object",
            "properties": {name: {**rule, "title": _title(name)} for name, rule in rules.items()},
            "required": ["mode"],
        }
        self._ui: dict[str, Any] = {
            name: {"ui:help": words, "ui:options": {"advanced": name in _ADVANCED}}
            for name, (_, words) in _TEXTS.items()
        }
        self._ui["mode"]["ui:enumNames"] = [MODE_WORDS[mode] for mode in self._modes]
        self._ui["since"]["ui:placeholder"] = "7d"
        self._ui["filters"] |= {each.name: {"ui:help": each.help} for each in stream.filters}
        self._ui[_WHEN] = {
            "ui:help": "Empty for once and now. Minutes, such as 60, or a cron expression in "
            f"{zone}, such as 30 6 * * mon-fri: then it begins by itself while this host is up."
        }

    def widget(self, typed: Typed, problems: Sequence[Problem] = ()) -> Widget:
        """Return what is drawn."""
        value = {"mode": self._modes[0], **typed.parameters, _WHEN: typed.when}
        return widget_of(self._schema, self._ui, value, name=_NAME, problems=problems)

    def read(self, filled: Filled) -> Typed:
        """Return what a submitted form holds."""
        read = read_form(self._schema, self._ui, filled, name=_NAME)
        found = dict(read) if isinstance(read, Mapping) else {}
        when = str(found.pop(_WHEN, "")).strip()
        return Typed(found, when)


def _title(name: str) -> str:
    return _TEXTS[name][0] if name in _TEXTS else "How often"


def _rule_of(each: Any) -> dict[str, Any]:
    choices = {"enum": list(each.choices)} if each.choices else {"maxLength": 500}
    return {"title": each.label, "type": "string", **choices}
