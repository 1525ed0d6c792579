"""What a manifest's shape cannot say: variables, files, operations and secrets agree with each other.

Each check yields problems; `check_connector` runs them all, so that an author sees everything at once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from .errors import ConnectorBroken, InputInvalid, ManifestInvalid, Problem
from .icons import icon_fault
from .inputs import check_input
from .manifest import AuthenticationMethod, Credential
from .manifest_file import ConnectorFolder
from .nearest import did_you_mean
from .paths import set_path
from .stream_models import Stream
from .variables import render, variables_in

__all__ = ["check_connector", "problems_of_connector"]

Where = Sequence[str | int]
Check = Callable[[ConnectorFolder], Iterator[Problem]]

_SECRET_KEY = re.compile(
    r"(^|_)(secret|token|password|passphrase|passwd)$|(^|_)(api|private|access|secret|signing)_?key$"
)
_GIVEN_TO_STREAMS = {"since", "until", "page"}
_SAMPLE_ID = "00000000-0000-0000-0000-000000000000"
_SAMPLE_TIME = "2026-01-31T12:00:00Z"
_SAMPLE_OF_PAGING = {"page": 1, "size": 1, "offset": 1, "token": _SAMPLE_ID}


def check_connector(connector: ConnectorFolder) -> None:
    """Raise ManifestInvalid with every problem of a connector's folder."""
    problems = problems_of_connector(connector)
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        raise ManifestInvalid(f"{connector.source.name} has {count}.", problems=problems)


def problems_of_connector(connector: ConnectorFolder) -> list[Problem]:
    """Return every problem of a connector's folder, in the order of the checks."""
    return [problem for check in CHECKS for problem in check(connector)]


def variables_are_declared(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every variable that a template names is a setting, a credential, or of the session."""
    for path, template, known in _templates(connector):
        for key in dict.fromkeys(variables_in(template)):
            if key in known or (key.startswith("session.") and "session." in known):
                continue
            fix = did_you_mean(key, known) or "Declare it, or correct the name."
            yield _at(connector, path, "variable-declared", f"The variable {key} is not declared.", fix)


def variables_are_used(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every declared setting and credential is used in a template, or read by a handler or by the host."""
    manifest = connector.manifest
    used = {key for _, template, _ in _templates(connector) for key in variables_in(template)}
    permission_key = {manifest.permissions.credential} if manifest.permissions else set()
    for number, setting in enumerate(manifest.settings):
        if setting.key not in used:
            sentence = f"The setting {setting.key} is declared but never used."
            yield _at(connector, ["settings", number], "variable-used", sentence, "Use it in a template, or remove it.")
    for index, method in enumerate(manifest.authentication):
        read = {*used, *permission_key, *method.handler_reads}
        for number, credential in enumerate(method.credentials):
            if credential.key not in read:
                path: Where = ["authentication", index, "credentials", number]
                sentence = f"The credential {credential.key} is declared but never used."
                fix = "Use it in a template, name it in handler_reads, or remove it."
                yield _at(connector, path, "variable-used", sentence, fix)
        known = [credential.key for credential in method.credentials]
        for number, key in enumerate(method.handler_reads):
            if key not in known:
                path = ["authentication", index, "handler_reads", number]
                fix = did_you_mean(key, known) or "Remove it."
                yield _at(connector, path, "variable-declared", f"There is no credential {key}.", fix)


def secrets_are_marked(connector: ConnectorFolder) -> Iterator[Problem]:
    """A credential or setting whose name says that it is a secret is marked as one."""
    manifest = connector.manifest
    groups: list[tuple[Where, Iterable[Any]]] = [(["settings"], manifest.settings)]
    groups += [(["authentication", i, "credentials"], m.credentials) for i, m in enumerate(manifest.authentication)]
    for path, variables in groups:
        for number, variable in enumerate(variables):
            if _SECRET_KEY.search(variable.key) and not variable.secret:
                sentence = f"{variable.key} looks like a secret and is not marked as one."
                yield _at(
                    connector, [*path, number], "secret-marked", sentence, "Add secret: true, or name it otherwise."
                )


def credentials_have_schemas(connector: ConnectorFolder) -> Iterator[Problem]:
    """Each credential has a validation schema, and where a file has it, manifest and file say the same."""
    for index, method in enumerate(connector.manifest.authentication):
        path: Where = ["authentication", index]
        for number, variable in enumerate(method.credentials):
            if method.credentials_schema is None and variable.json_schema is None:
                sentence = f"The credential {variable.key} has no validation schema."
                fix = "Add schema: {type: string, minLength: 1}, or a credentials_schema file."
                yield _at(connector, [*path, "credentials", number], "credential-schema", sentence, fix)
            elif variable.json_schema is not None:
                if method.credentials_schema is not None:
                    sentence = f"The credential {variable.key} has two schemas: its own and the file's."
                    yield _at(
                        connector, [*path, "credentials", number], "credential-schema", sentence, "Keep the file's."
                    )
                if fault := _schema_fault(variable.json_schema):
                    yield _at(connector, [*path, "credentials", number, "schema"], "json-schema", fault)
        if method.credentials_schema is not None:
            yield from _credentials_file_agrees(connector, [*path, "credentials_schema"], method)
    for number, setting in enumerate(connector.manifest.settings):
        if setting.json_schema is not None and (fault := _schema_fault(setting.json_schema)):
            yield _at(connector, ["settings", number, "schema"], "json-schema", fault)


def files_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every file that the manifest names is there and is what it should be."""
    manifest = connector.manifest
    icon = connector.path(manifest.icon)
    if fault := icon_fault(icon):
        yield _at(connector, ["icon"], "icon", fault, "Use a square svg, png, jpg or gif of at most 10 MB.")
    if not connector.documents:
        sentence = f"{manifest.operations.catalogue} holds no OpenAPI document."
        yield _at(connector, ["operations", "catalogue"], "file-exists", sentence, "Add one .json document per area.")
    schemas: list[tuple[Where, str]] = [
        (["streams", n, "record_schema"], s.record_schema) for n, s in enumerate(manifest.streams)
    ]
    schemas += [(["actions", n, "record_schema"], a.record_schema) for n, a in enumerate(manifest.actions)]
    for path, relative in schemas:
        yield from _schema_file(connector, path, relative)
    if manifest.permissions and manifest.permissions.known:
        known = connector.path(manifest.permissions.known)
        if not known.is_file() or not isinstance(_json(known), list):
            sentence = f"{manifest.permissions.known} is no JSON list of permission nodes."
            yield _at(connector, ["permissions", "known"], "file-exists", sentence, "Create it, or correct the path.")


def operations_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every operation that the manifest names is in the catalogue, and every base has an address."""
    manifest = connector.manifest
    try:
        catalogue = connector.catalogue
        bases = sorted({operation.base for operation in catalogue})
    except ConnectorBroken as error:
        yield _at(connector, ["operations", "catalogue"], "catalogue", error.message, error.next_step)
        return
    for base in bases:
        if base not in manifest.operations.addresses:
            sentence = f"Operations of the base {base} have no address."
            yield _at(connector, ["operations", "addresses"], "base-address", sentence, f"Add {base}: https://…")
    for path, operation_id in _named_operations(connector):
        if operation_id not in catalogue:
            fix = did_you_mean(operation_id, (operation.id for operation in catalogue)) or "Correct the id."
            yield _at(connector, path, "operation-exists", f"There is no operation {operation_id}.", fix)


def stream_inputs_are_valid(connector: ConnectorFolder) -> Iterator[Problem]:
    """What a stream sends, with its paging and dates filled in, satisfies the operation's own schema."""
    try:
        known = {operation.id for operation in connector.catalogue}
    except ConnectorBroken:
        return
    values = _sample_values(connector)
    for number, stream in enumerate(connector.manifest.streams):
        for path, operation_id, template in _stream_inputs(stream):
            if operation_id not in known or any(key not in values for key in variables_in(template)):
                continue
            try:
                check_input(connector.catalogue.get(operation_id), render(template, values))
            except InputInvalid as error:
                for problem in error.problems:
                    sentence = f"{operation_id} does not take this: {problem.where}: {problem.sentence}"
                    yield _at(connector, ["streams", number, *path], "stream-input", sentence, problem.fix)


def access_checks_are_reads(connector: ConnectorFolder) -> Iterator[Problem]:
    """What the test of an instance calls only reads, and its input satisfies the operation's schema."""
    try:
        catalogue = connector.catalogue
    except ConnectorBroken:
        return
    for number, check in enumerate(connector.manifest.checks):
        if check.operation not in catalogue:
            continue
        operation = catalogue.get(check.operation)
        if operation.kind != "read":
            sentence = f"{operation.id} writes, and a test must change nothing."
            yield _at(connector, ["checks", number, "operation"], "check-reads", sentence, "Choose a read.")
        try:
            check_input(operation, check.input)
        except InputInvalid as error:
            for problem in error.problems:
                sentence = f"{operation.id} does not take this: {problem.where}: {problem.sentence}"
                yield _at(connector, ["checks", number, "input"], "check-input", sentence, problem.fix or "Correct it.")


def stream_fields_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """Primary key and cursor of a stream are fields of its record."""
    for number, stream in enumerate(connector.manifest.streams):
        schema = _json(connector.path(stream.record_schema))
        if not isinstance(schema, dict):
            continue
        fields = [("primary_key", field) for field in stream.primary_key]
        fields += [("cursor", stream.cursor)] if stream.cursor else []
        for key, field in fields:
            if not _has_field(schema, field.split("."), schema):
                sentence = f"{field} is no field of the record in {stream.record_schema}."
                fix = did_you_mean(field, schema.get("properties", {})) or "Correct the field or the schema."
                yield _at(connector, ["streams", number, key], "record-field", sentence, fix)


def permissions_have_their_credential(connector: ConnectorFolder) -> Iterator[Problem]:
    """The credential that holds the granted permissions is part of every authentication method."""
    section = connector.manifest.permissions
    for method in connector.manifest.authentication if section else ():
        known = [credential.key for credential in method.credentials]
        if section and section.credential not in known:
            sentence = f"{method.name} has no credential {section.credential}."
            fix = did_you_mean(section.credential, known) or "Declare it."
            yield _at(connector, ["permissions", "credential"], "permission-credential", sentence, fix)


CHECKS: tuple[Check, ...] = (
    variables_are_declared,
    variables_are_used,
    secrets_are_marked,
    credentials_have_schemas,
    files_exist,
    operations_exist,
    stream_inputs_are_valid,
    access_checks_are_reads,
    stream_fields_exist,
    permissions_have_their_credential,
)
"""Every check, in the order of its problems."""


def _at(connector: ConnectorFolder, path: Where, rule: str, sentence: str, fix: str = "") -> Problem:
    return Problem(connector.source.where(list(path)), rule, sentence, fix)


def _templates(connector: ConnectorFolder) -> Iterator[tuple[Where, Any, set[str]]]:
    """Yield every template of the manifest: where it is, what it is, and the variables that it may name."""
    manifest = connector.manifest
    settings = {setting.key for setting in manifest.settings}
    every_credential = {credential.key for method in manifest.authentication for credential in method.credentials}
    has_session = {"session."} if any(method.sign_in for method in manifest.authentication) else set()
    for base, address in manifest.operations.addresses.items():
        yield ["operations", "addresses", base], address, settings | every_credential | has_session
    for index, method in enumerate(manifest.authentication):
        own = settings | {credential.key for credential in method.credentials}
        session = {"session."} if method.sign_in else set()
        for name, header in method.headers.items():
            yield ["authentication", index, "headers", name], header, own | session
        if method.sign_in:
            place: Where = ["authentication", index, "sign_in"]
            yield [*place, "url"], method.sign_in.url, own
            yield [*place, "body"], method.sign_in.body, own
            yield [*place, "headers"], method.sign_in.headers, own
    for number, stream in enumerate(manifest.streams):
        yield ["streams", number, "input"], stream.input, settings | _GIVEN_TO_STREAMS
    for number, action in enumerate(manifest.actions):
        fields = {key for key in variables_in(action.input) if key.startswith("record.")}
        yield ["actions", number, "input"], action.input, settings | fields


def _named_operations(connector: ConnectorFolder) -> Iterator[tuple[Where, str]]:
    """Yield every operation id in the manifest with its place."""
    manifest = connector.manifest
    for number, stream in enumerate(manifest.streams):
        yield ["streams", number, "operation"], stream.operation
        for part in ("for_each", "details"):
            if inner := getattr(stream, part):
                yield ["streams", number, part, "operation"], inner.operation
    for number, action in enumerate(manifest.actions):
        yield ["actions", number, "operation"], action.operation
    for number, check in enumerate(manifest.checks):
        yield ["checks", number, "operation"], check.operation
    for index, method in enumerate(manifest.authentication):
        if method.sign_in and method.sign_in.operation:
            yield ["authentication", index, "sign_in", "operation"], method.sign_in.operation


def _sample_values(connector: ConnectorFolder) -> dict[str, Any]:
    """Return a value for each variable of a stream's input that has a default or is filled in by the engine."""
    defaults = {each.key: each.default for each in connector.manifest.settings if each.default is not None}
    return {**defaults, "since": _SAMPLE_TIME, "until": _SAMPLE_TIME, "page": 1}


def _stream_inputs(stream: Stream) -> Iterator[tuple[Where, str, dict[str, Any]]]:
    """Yield each operation of a stream with an input as the engine would send it."""
    given = msgspec.json.decode(msgspec.json.encode(stream.input))
    paging = stream.paging
    for name, sample in _SAMPLE_OF_PAGING.items():
        if path := getattr(paging, name, None):
            set_path(given, path, getattr(paging, "page_size", sample) if name == "size" else sample)
    if stream.for_each:
        set_path(given, stream.for_each.into, _SAMPLE_ID)
        yield ["for_each"], stream.for_each.operation, dict(stream.for_each.input)
    if stream.time:
        set_path(given, stream.time.since, _SAMPLE_TIME)
        if stream.time.until:
            set_path(given, stream.time.until, _SAMPLE_TIME)
    yield [], stream.operation, given
    if stream.details:
        details = msgspec.json.decode(msgspec.json.encode(stream.details.input))
        set_path(details, stream.details.ids, [_SAMPLE_ID])
        yield ["details"], stream.details.operation, details


def _credentials_file_agrees(
    connector: ConnectorFolder, path: Where, method: AuthenticationMethod
) -> Iterator[Problem]:
    relative = method.credentials_schema or ""
    problems = list(_schema_file(connector, path, relative))
    yield from problems
    if problems:
        return
    schema = _json(connector.path(relative))
    properties, required = schema.get("properties", {}), schema.get("required", [])
    fix = "Make the manifest and the file say the same."
    for key in properties.keys() ^ {credential.key for credential in method.credentials}:
        where = relative if key in properties else "the manifest"
        yield _at(connector, path, "credential-agrees", f"The credential {key} stands only in {where}.", fix)
    for number, credential in enumerate(method.credentials):
        place = [*path[:-1], "credentials", number]
        for sentence in _disagreements(credential, properties.get(credential.key), credential.key in required):
            yield _at(connector, place, "credential-agrees", f"{sentence} in {relative}.", fix)


def _disagreements(credential: Credential, rule: Any, required: bool) -> Iterator[str]:
    if not isinstance(rule, dict):
        return
    key = credential.key
    if credential.required != required:
        yield f"{key} is {'required' if credential.required else 'optional'} here and not"
    if credential.secret != rule.get("writeOnly", False):
        yield f"{key} is {'a secret' if credential.secret else 'no secret'} here and not (writeOnly)"
    if credential.default != rule.get("default"):
        yield f"The default of {key} is not the one"
    if credential.locked != ("const" in rule):
        yield f"{key} is {'locked' if credential.locked else 'not locked'} here and not (const)"


def _schema_file(connector: ConnectorFolder, path: Where, relative: str) -> Iterator[Problem]:
    file = connector.path(relative)
    if not file.is_file():
        yield _at(connector, path, "file-exists", f"There is no file {relative}.", "Create it, or correct the path.")
        return
    schema = _json(file)
    fault = _schema_fault(schema) if isinstance(schema, dict) else "It is no JSON object."
    if fault:
        yield _at(connector, path, "json-schema", f"{relative} is no JSON Schema: {fault}")


def _schema_fault(schema: dict[str, Any]) -> str:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{'.'.join(map(str, error.absolute_path)) or 'the schema'}: {error.message}."
    return ""


def _json(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def _has_field(schema: Any, steps: list[str], root: dict[str, Any]) -> bool:
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target.get(step, {}) if isinstance(target, dict) else {}
        return _has_field(target, steps, root)
    if not steps:
        return True
    return _has_field(schema.get("properties", {}).get(steps[0]), steps[1:], root)
