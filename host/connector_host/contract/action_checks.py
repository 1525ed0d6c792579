"""What the shape of actions cannot say: their inputs fit record, operation and answer, and writes write."""

from collections.abc import Iterator, Mapping
from typing import Any

from .action_models import Action, Expectation
from .errors import InputInvalid, Problem
from .inputs import check_input, example_of
from .manifest_file import ConnectorFolder
from .nearest import did_you_mean
from .paths import set_path
from .problem_at import Check, Where, json_in, problem_at, readable_catalogue
from .record_inputs import RecordValues, fixed_variables, input_from
from .schemas import schema_at
from .variables import variables_in

__all__ = ["ACTION_CHECKS"]

_RECORD = "record."


def records_have_the_fields(connector: ConnectorFolder) -> Iterator[Problem]:
    """Templates name fields of the record's schema; those that cannot be left out are required or have a default."""
    for number, action, schema in _with_schemas(connector):
        sure = {*schema.get("required", ()), *_defaults(schema)}
        for path, template in action.templates():
            fixed = set(fixed_variables(template))
            for key in dict.fromkeys(variables_in(template)):
                field = key.removeprefix(_RECORD)
                if field == key:
                    continue
                place: Where = ["actions", number, *path]
                if schema_at(schema, field) is None:
                    sentence = f"{field} is no field of the record in {action.record_schema}."
                    fix = did_you_mean(field, schema.get("properties", {})) or "Correct the field or the schema."
                    yield problem_at(connector, place, "record-field", sentence, fix)
                elif (key in fixed or path[-1] != "input") and field.partition(".")[0] not in sure:
                    sentence = f"{field} cannot be left out here, and a record need not have it."
                    yield problem_at(connector, place, "record-field", sentence, "Make it required, or add a default.")


def inputs_fit(connector: ConnectorFolder) -> Iterator[Problem]:
    """What an action sends for an example of its record satisfies the operation's own schema."""
    catalogue = readable_catalogue(connector)
    settings = {each.key: each.default for each in connector.manifest.settings if each.default is not None}
    for number, action, schema in _with_schemas(connector):
        record = _example_record(action, schema)
        requests = [(["input"], action.operation, action.input)]
        if action.read_back is not None:
            requests.append((["read_back", "input"], action.read_back.operation, action.read_back.input))
        for path, operation_id, template in requests:
            if catalogue is None or operation_id is None or operation_id not in catalogue:
                continue
            values = RecordValues(record, settings)
            if any(key not in values for key in fixed_variables(template)):
                continue
            try:
                check_input(catalogue.get(operation_id), input_from(template, values))
            except InputInvalid as error:
                for problem in error.problems:
                    sentence = f"{operation_id} does not take this: {problem.where}: {problem.sentence}"
                    fix = problem.fix or "Correct the template, or the record's schema."
                    yield problem_at(connector, ["actions", number, *path], "action-input", sentence, fix)


def writes_write(connector: ConnectorFolder) -> Iterator[Problem]:
    """The operation of an action writes, and what reads back only reads."""
    catalogue = readable_catalogue(connector)
    for number, action in enumerate(connector.manifest.actions if catalogue is not None else ()):
        back = action.read_back
        for path, operation_id, wanted in (
            (["operation"], action.operation, "write"),
            (["read_back", "operation"], back.operation if back else None, "read"),
        ):
            if catalogue is None or operation_id is None or operation_id not in catalogue:
                continue
            if catalogue.get(operation_id).kind != wanted:
                sentence = f"{operation_id} does not {wanted}."
                fix = f"Choose an operation that {wanted}s."
                yield problem_at(connector, ["actions", number, *path], "action-kind", sentence, fix)


def answers_have_the_fields(connector: ConnectorFolder) -> Iterator[Problem]:
    """What is expected of an answer is a field of it, as far as the catalogue knows."""
    catalogue = readable_catalogue(connector)
    for number, action in enumerate(connector.manifest.actions if catalogue is not None else ()):
        for name, operation_id, expected in _expectations(action):
            if catalogue is None or operation_id not in catalogue:
                continue
            schema = catalogue.get(operation_id).response_schema
            if schema is None:
                continue
            for path, field in _expected_fields(expected):
                if _in_answer(schema, expected.at, field) is None:
                    sentence = f"{field} is no field of the answer of {operation_id}."
                    place: Where = ["actions", number, name, *path]
                    yield problem_at(connector, place, "answer-field", sentence, "Correct the field.")


ACTION_CHECKS: tuple[Check, ...] = (records_have_the_fields, inputs_fit, writes_write, answers_have_the_fields)
"""The checks of actions, in the order of their problems."""


def _with_schemas(connector: ConnectorFolder) -> Iterator[tuple[int, Action, Mapping[str, Any]]]:
    for number, action in enumerate(connector.manifest.actions):
        schema = json_in(connector.path(action.record_schema))
        if isinstance(schema, dict):
            yield number, action, schema


def _defaults(schema: Mapping[str, Any]) -> Iterator[str]:
    for key, rule in schema.get("properties", {}).items():
        if isinstance(rule, dict) and "default" in rule:
            yield key


def _example_record(action: Action, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with a value for every field that the action names."""
    record: dict[str, Any] = {}
    for _, template in action.templates():
        for key in variables_in(template):
            if key.startswith(_RECORD) and (rule := schema_at(schema, key.removeprefix(_RECORD))) is not None:
                set_path(record, key.removeprefix(_RECORD), example_of(rule, schema))
    return record


def _expectations(action: Action) -> Iterator[tuple[str, str, Expectation]]:
    if action.operation is not None and action.answer is not None:
        yield "answer", action.operation, action.answer
    if action.read_back is not None:
        yield "read_back", action.read_back.operation, action.read_back


def _expected_fields(expected: Expectation) -> Iterator[tuple[Where, str]]:
    for name in ("where", "equals"):
        for field in getattr(expected, name):
            yield [name, field], field
    if expected.reason is not None:
        yield ["reason"], expected.reason


def _in_answer(schema: Mapping[str, Any], at: str | None, field: str) -> Mapping[str, Any] | None:
    """Return the rule of a field of the answer, of each entry where it is a list."""
    found: Mapping[str, Any] | None = schema_at(schema, at or "")
    if found is not None and "items" in found:
        found = schema_at({**found["items"], "$defs": schema.get("$defs", {})}, "")
    return None if found is None else schema_at({**found, "$defs": schema.get("$defs", {})}, field)
