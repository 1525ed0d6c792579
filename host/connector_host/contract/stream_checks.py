"""What the shape of streams cannot say: their inputs, fields, parents and settings fit the rest of the manifest."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .errors import InputInvalid, Problem
from .inputs import check_input, takes_field
from .manifest_file import ANY_NAME, ConnectorFolder
from .nearest import did_you_mean
from .paths import set_path
from .problem_at import Check, Where, json_in, problem_at, readable_catalogue
from .schemas import schema_at
from .stream_models import Details, Filter, Stream, StreamList
from .variables import render, variables_in

__all__ = ["GIVEN_TO_STREAMS", "STREAM_CHECKS", "inputs_of"]

GIVEN_TO_STREAMS = frozenset({"since", "until", "page"})
"""Variables that the engine gives to the inputs of streams, beside the settings."""

_SAMPLE_ID = "00000000-0000-0000-0000-000000000000"
_SAMPLE_TIME = "2026-01-31T12:00:00Z"
_SAMPLES: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True}
_AUTO = "auto"

Fields = dict[str, Any]


def inputs_of(stream: Stream) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield every input template of a stream with its place in it."""
    for prefix, (lists, details) in zip(((), ("fallback",)), stream.ways, strict=False):
        for number, each in enumerate(lists):
            yield [*prefix, "lists", number, "input"], each.input
            if each.for_each is not None:
                yield [*prefix, "lists", number, "for_each", "input"], each.for_each.input
        if details is not None:
            yield [*prefix, "details", "input"], details.input
    for name, part in (("total", stream.total), ("confirm_removed", stream.confirm_removed)):
        if part is not None:
            yield [name, "input"], part.input


def inputs_are_valid(connector: ConnectorFolder) -> Iterator[Problem]:
    """What a stream sends, with its paging, times, values and ids filled in, satisfies the operation's own schema."""
    catalogue = readable_catalogue(connector)
    if catalogue is None:
        return
    known = {operation.id for operation in catalogue}
    defaults = {each.key: each.default for each in connector.manifest.settings if each.default is not None}
    values = {**defaults, "since": _SAMPLE_TIME, "until": _SAMPLE_TIME, "page": 1}
    for number, stream in enumerate(connector.manifest.streams):
        for path, operation_id, template, fields in _requests(stream):
            if operation_id not in known or any(key not in values for key in variables_in(template)):
                continue
            operation = catalogue.get(operation_id)
            given = render(copy.deepcopy(template), values)
            for field, sample in fields.items():
                set_path(given, field, _sample(operation.input_schema, field) if sample is None else sample)
            try:
                check_input(operation, given)
            except InputInvalid as error:
                for problem in error.problems:
                    sentence = f"{operation_id} does not take this: {problem.where}: {problem.sentence}"
                    yield problem_at(connector, ["streams", number, *path], "stream-input", sentence, problem.fix)


def fields_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """Primary key, cursor and what filters compare are fields of a stream's record."""
    for number, stream in enumerate(connector.manifest.streams):
        schema = json_in(connector.path(stream.record_schema))
        if not isinstance(schema, dict):
            continue
        for path, field in _record_fields(stream):
            if schema_at(schema, field) is None:
                sentence = f"{field} is no field of the record in {stream.record_schema}."
                fix = did_you_mean(field, schema.get("properties", {})) or "Correct the field or the schema."
                yield problem_at(connector, ["streams", number, *path], "record-field", sentence, fix)


def filters_reach_the_vendor(connector: ConnectorFolder) -> Iterator[Problem]:
    """A filter's field is taken by the operation of every list, unless the host filters as well."""
    catalogue = readable_catalogue(connector)
    if catalogue is None:
        return
    known = {operation.id for operation in catalogue}
    for number, stream in enumerate(connector.manifest.streams):
        lists = [each for lists, _ in stream.ways for each in lists]
        if any(each.operation not in known for each in lists):
            continue
        for index, given in enumerate(stream.filters):
            for path, field, needed in _filter_inputs(given):
                takers = [takes_field(catalogue.get(each.operation), field) for each in lists]
                if lists and not (all(takers) if needed else any(takers)):
                    sentence = f"{field} is not taken by {'every' if needed else 'any'} list of {stream.name}."
                    place: Where = ["streams", number, "filters", index, *path]
                    fix = "Correct the field, or add match, so that the host filters where the vendor does not."
                    yield problem_at(connector, place, "filter-input", sentence, fix)


def parents_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """A parent is a stream of the manifest whose records have the value, and no stream needs itself on the way."""
    streams = {stream.name: stream for stream in connector.manifest.streams}
    in_doubt = connector.names_in_doubt(["streams"], "name")
    for number, stream in enumerate(connector.manifest.streams):
        for path, each in _lists(stream):
            parent = each.for_each.stream if each.for_each else None
            if each.for_each is None or parent is None:
                continue
            place: Where = ["streams", number, *path, "for_each", "stream"]
            if parent not in streams and in_doubt & {parent, ANY_NAME}:
                continue
            if parent not in streams:
                fix = did_you_mean(parent, streams) or "Correct the name."
                yield problem_at(connector, place, "parent-exists", f"There is no stream {parent}.", fix)
                continue
            if _leads_to(stream.name, parent, streams):
                sentence = f"{stream.name} needs records of {parent}, which needs those of {stream.name}."
                yield problem_at(connector, place, "parent-circle", sentence, "Take the values from an operation.")
            schema = json_in(connector.path(streams[parent].record_schema))
            for field in (each.for_each.value or "", *each.for_each.also.values(), *each.for_each.keep.values()):
                if isinstance(schema, dict) and schema_at(schema, field) is None:
                    sentence = f"{field} is no field of the record of {parent}."
                    yield problem_at(connector, place, "record-field", sentence, "Correct the field.")


def fallbacks_are_settable(connector: ConnectorFolder) -> Iterator[Problem]:
    """The setting that chooses a way is declared, and its default is one of the ways, or auto."""
    settings = {setting.key: setting for setting in connector.manifest.settings}
    in_doubt = connector.names_in_doubt(["settings"], "key")
    for number, stream in enumerate(connector.manifest.streams):
        fallback = stream.fallback
        if fallback is None or (fallback.setting not in settings and in_doubt & {fallback.setting, ANY_NAME}):
            continue
        place: Where = ["streams", number, "fallback", "setting"]
        setting = settings.get(fallback.setting)
        ways = (_AUTO, fallback.first, fallback.second)
        if setting is None:
            fix = did_you_mean(fallback.setting, settings) or "Declare it in settings."
            yield problem_at(connector, place, "fallback-setting", f"There is no setting {fallback.setting}.", fix)
        elif setting.default not in ways:
            sentence = f"The default of {fallback.setting} is none of {', '.join(ways)}."
            yield problem_at(connector, place, "fallback-setting", sentence, "Add default: auto.")


STREAM_CHECKS: tuple[Check, ...] = (
    inputs_are_valid,
    fields_exist,
    filters_reach_the_vendor,
    parents_exist,
    fallbacks_are_settable,
)
"""The checks of streams, in the order of their problems."""


def _requests(stream: Stream) -> Iterator[tuple[Where, str, Mapping[str, Any], Fields]]:
    """Yield each request of a stream: place, operation, template, and the fields that the engine fills in.

    A field whose value depends on the operation's own schema is None.
    """
    for prefix, (lists, details) in zip(((), ("fallback",)), stream.ways, strict=False):
        for number, each in enumerate(lists):
            path: Where = [*prefix, "lists", number]
            if each.for_each is not None and each.for_each.operation is not None:
                yield [*path, "for_each"], each.for_each.operation, each.for_each.input, {}
            yield path, each.operation, each.input, _list_fields(each)
        if details is not None:
            yield [*prefix, "details"], details.operation, details.input, _details_fields(details)
    if stream.total is not None:
        yield ["total"], stream.total.operation, stream.total.input, {}
    if stream.confirm_removed is not None:
        part = stream.confirm_removed
        yield ["confirm_removed"], part.operation, part.input, _details_fields(part)


def _list_fields(each: StreamList) -> Fields:
    fields: Fields = {}
    paging = each.paging
    for name in ("page", "size", "offset", "token"):
        if path := getattr(paging, name, None):
            fields[path] = getattr(paging, "page_size", None) if name == "size" else None
    if each.for_each is not None:
        fields |= dict.fromkeys((each.for_each.into, *each.for_each.also))
    if each.time is not None:
        fields[each.time.since] = _SAMPLE_TIME
        if each.time.until is not None:
            fields[each.time.until] = _SAMPLE_TIME
    return fields


def _details_fields(details: Details) -> Fields:
    return {details.ids: None}


def _sample(schema: Mapping[str, Any], path: str) -> Any:
    """Return a value of the kind that a field of the input takes."""
    found = schema_at(schema, path)
    kind = (found or {}).get("type", "string")
    kind = next((name for name in kind if name != "null"), "null") if isinstance(kind, list) else kind
    if kind == "array":
        return [_sample({**schema, "properties": {"element": (found or {}).get("items", {})}}, "element")]
    return _SAMPLES.get(kind, _SAMPLE_ID)


def _record_fields(stream: Stream) -> Iterator[tuple[Where, str]]:
    for number, field in enumerate(stream.primary_key):
        yield ["primary_key", number], field
    if stream.cursor is not None:
        yield ["cursor"], stream.cursor
    yield from _filtered_fields(stream.filters)
    for name in stream.inherit:
        yield ["inherit", name], name
    for path, each in _lists(stream):
        for name in each.for_each.keep if each.for_each else ():
            yield [*path, "for_each", "keep", name], name
        for number, place in enumerate(each.places):
            for name in place.add:
                yield [*path, "records", number, "add", name], name


def _filtered_fields(filters: Sequence[Filter]) -> Iterator[tuple[Where, str]]:
    for index, given in enumerate(filters):
        if given.match is not None:
            yield ["filters", index, "match"], given.match
        for name, choice in given.choices.items():
            for field in choice.match:
                yield ["filters", index, "choices", name, "match", field], field


def _filter_inputs(given: Filter) -> Iterator[tuple[Where, str, bool]]:
    """Yield each field of the input that a filter fills in, and whether every list must take it."""
    if given.into is not None:
        yield ["into"], given.into, given.match is None
    for name, choice in given.choices.items():
        for field in choice.input:
            yield ["choices", name, "input", field], field, not choice.match


def _lists(stream: Stream) -> Iterator[tuple[Where, StreamList]]:
    for prefix, (lists, _) in zip(((), ("fallback",)), stream.ways, strict=False):
        for number, each in enumerate(lists):
            yield [*prefix, "lists", number], each


def _leads_to(target: str, name: str, streams: Mapping[str, Stream]) -> bool:
    seen: set[str] = set()
    waiting: Sequence[str] = [name]
    while waiting:
        current, *waiting = waiting
        if current == target:
            return True
        if current not in seen and current in streams:
            seen.add(current)
            waiting = [*waiting, *streams[current].parents]
    return False
