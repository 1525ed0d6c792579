"""What a manifest's shape cannot say: variables, files, operations and secrets agree with each other.

Each check yields problems; `check_connector` runs them all, so that an author sees everything at once.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from .action_checks import ACTION_CHECKS
from .catalogue_checks import documents_are_sound
from .code_checks import CODE_CHECKS, code_sections
from .errors import InputInvalid, ManifestInvalid, Problem
from .icons import icon_fault
from .inputs import check_input
from .manifest import AuthenticationMethod, Credential
from .manifest_file import ANY_NAME, ConnectorFolder, by_line
from .nearest import did_you_mean
from .problem_at import Check, Where, json_in, problem_at, readable_catalogue
from .stream_checks import GIVEN_TO_STREAMS, STREAM_CHECKS, inputs_of
from .values import COMMON_SETTING_KEYS
from .variables import variables_in

__all__ = ["check_connector", "problems_of_connector"]

_SECRET_KEY = re.compile(
    r"(^|_)(secret|token|password|passphrase|passwd)$|(^|_)(api|private|access|secret|signing)_?key$"
)


def check_connector(connector: ConnectorFolder) -> None:
    """Raise ManifestInvalid with every problem of a connector's folder."""
    problems = problems_of_connector(connector)
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        raise ManifestInvalid(f"{connector.source.name} has {count}.", problems=problems)


def problems_of_connector(connector: ConnectorFolder) -> list[Problem]:
    """Return every problem of a connector's folder, by line."""
    sound = [check for check in CHECKS if all(map(connector.is_sound, NEEDS.get(check, ())))]
    return by_line(problem for check in sound for problem in check(connector))


def variables_are_declared(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every variable that a template names is a setting, a credential, or of the session."""
    for path, template, known in _templates(connector):
        for key in dict.fromkeys(variables_in(template)):
            if key in known or ANY_NAME in known or (key.startswith("session.") and "session." in known):
                continue
            fix = did_you_mean(key, known) or "Declare it, or correct the name."
            yield problem_at(connector, path, "variable-declared", f"The variable {key} is not declared.", fix)


def variables_are_used(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every declared setting and credential is used in a template, or read by a handler or by the host."""
    manifest = connector.manifest
    used = {key for _, template, _ in _templates(connector) for key in variables_in(template)}
    used |= {stream.fallback.setting for stream in manifest.streams if stream.fallback}
    used |= {key for _, code in code_sections(manifest) for key in code.settings}
    used |= connector.used_in_doubt()
    if ANY_NAME in used:
        return
    permission_key = {manifest.permissions.credential} if manifest.permissions else set()
    for number, setting in enumerate(manifest.settings):
        if setting.key in COMMON_SETTING_KEYS:
            sentence = f"Every instance has the setting {setting.key} already."
            yield problem_at(connector, ["settings", number], "setting-reserved", sentence, "Give it another key.")
        elif setting.key not in used:
            sentence = f"The setting {setting.key} is declared but never used."
            yield problem_at(
                connector, ["settings", number], "variable-used", sentence, "Use it in a template, or remove it."
            )
    for index, method in enumerate(manifest.authentication):
        read = {*used, *permission_key, *method.handler_reads}
        for number, credential in enumerate(method.credentials):
            if credential.key not in read:
                path: Where = ["authentication", index, "credentials", number]
                sentence = f"The credential {credential.key} is declared but never used."
                fix = "Use it in a template, name it in handler_reads, or remove it."
                yield problem_at(connector, path, "variable-used", sentence, fix)
        known = _credential_keys(connector, index, method)
        for number, key in enumerate(method.handler_reads):
            if key not in known and ANY_NAME not in known:
                path = ["authentication", index, "handler_reads", number]
                fix = did_you_mean(key, known) or "Remove it."
                yield problem_at(connector, path, "variable-declared", f"There is no credential {key}.", fix)


def secrets_are_marked(connector: ConnectorFolder) -> Iterator[Problem]:
    """A credential or setting whose name says that it is a secret is marked as one."""
    manifest = connector.manifest
    groups: list[tuple[Where, Iterable[Any]]] = [(["settings"], manifest.settings)]
    groups += [(["authentication", i, "credentials"], m.credentials) for i, m in enumerate(manifest.authentication)]
    for path, variables in groups:
        for number, variable in enumerate(variables):
            if _SECRET_KEY.search(variable.key) and not variable.secret:
                sentence = f"{variable.key} looks like a secret and is not marked as one."
                yield problem_at(
                    connector, [*path, number], "secret-marked", sentence, "Add secret: true, or name it otherwise."
                )


def credentials_have_schemas(connector: ConnectorFolder) -> Iterator[Problem]:
    """Each credential has a validation schema, and where a file has it, manifest and file say the same."""
    for index, method in enumerate(connector.manifest.authentication):
        path: Where = ["authentication", index]
        for number, variable in enumerate(method.credentials):
            has_file = method.credentials_schema is not None or not connector.is_sound([*path, "credentials_schema"])
            if not has_file and variable.json_schema is None:
                sentence = f"The credential {variable.key} has no validation schema."
                fix = "Add schema: {type: string, minLength: 1}, or a credentials_schema file."
                yield problem_at(connector, [*path, "credentials", number], "credential-schema", sentence, fix)
            elif variable.json_schema is not None:
                if method.credentials_schema is not None:
                    sentence = f"The credential {variable.key} has two schemas: its own and the file's."
                    yield problem_at(
                        connector, [*path, "credentials", number], "credential-schema", sentence, "Keep the file's."
                    )
                if fault := _schema_fault(variable.json_schema):
                    yield problem_at(connector, [*path, "credentials", number, "schema"], "json-schema", fault)
        if method.credentials_schema is not None:
            yield from _credentials_file_agrees(connector, index, method)
    for number, setting in enumerate(connector.manifest.settings):
        if setting.json_schema is not None and (fault := _schema_fault(setting.json_schema)):
            yield problem_at(connector, ["settings", number, "schema"], "json-schema", fault)


def icon_is_a_picture(connector: ConnectorFolder) -> Iterator[Problem]:
    """The icon is there, and is a square picture."""
    if fault := icon_fault(connector.path(connector.manifest.icon)):
        yield problem_at(connector, ["icon"], "icon", fault, "Use a square svg, png, jpg or gif of at most 10 MB.")


def catalogue_has_documents(connector: ConnectorFolder) -> Iterator[Problem]:
    """The folder of the catalogue holds a document."""
    if not connector.documents:
        sentence = f"{connector.manifest.operations.catalogue} holds no OpenAPI document."
        yield problem_at(
            connector, ["operations", "catalogue"], "file-exists", sentence, "Add one .json document per area."
        )


def files_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every schema and list that the manifest names is there and is what it should be."""
    manifest = connector.manifest
    schemas: list[tuple[Where, str]] = [
        (["streams", n, "record_schema"], s.record_schema) for n, s in enumerate(manifest.streams)
    ]
    schemas += [(["actions", n, "record_schema"], a.record_schema) for n, a in enumerate(manifest.actions)]
    for path, relative in schemas:
        yield from _schema_file(connector, path, relative)
    if manifest.permissions and manifest.permissions.known:
        known = connector.path(manifest.permissions.known)
        if not known.is_file() or not isinstance(json_in(known), list):
            sentence = f"{manifest.permissions.known} is no JSON list of permission nodes."
            yield problem_at(
                connector, ["permissions", "known"], "file-exists", sentence, "Create it, or correct the path."
            )


def operations_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """Every operation that the manifest names is in the catalogue, and every base has an address."""
    manifest = connector.manifest
    catalogue = readable_catalogue(connector)
    if catalogue is None:
        return
    bases = sorted({operation.base for operation in catalogue})
    for base in bases if connector.is_sound(["operations", "addresses"]) else ():
        if base not in manifest.operations.addresses:
            sentence = f"Operations of the base {base} have no address."
            yield problem_at(connector, ["operations", "addresses"], "base-address", sentence, f"Add {base}: https://…")
    for path, operation_id in _named_operations(connector):
        if operation_id not in catalogue:
            fix = did_you_mean(operation_id, (operation.id for operation in catalogue)) or "Correct the id."
            yield problem_at(connector, path, "operation-exists", f"There is no operation {operation_id}.", fix)


def access_checks_are_reads(connector: ConnectorFolder) -> Iterator[Problem]:
    """What the test of an instance calls only reads, and its input satisfies the operation's schema."""
    catalogue = readable_catalogue(connector)
    for number, check in enumerate(connector.manifest.checks):
        if catalogue is None or check.operation not in catalogue:
            continue
        operation = catalogue.get(check.operation)
        if operation.kind != "read":
            sentence = f"{operation.id} writes, and a test must change nothing."
            yield problem_at(connector, ["checks", number, "operation"], "check-reads", sentence, "Choose a read.")
        try:
            check_input(operation, check.input)
        except InputInvalid as error:
            for problem in error.problems:
                sentence = f"{operation.id} does not take this: {problem.where}: {problem.sentence}"
                yield problem_at(
                    connector, ["checks", number, "input"], "check-input", sentence, problem.fix or "Correct it."
                )


def permissions_have_their_credential(connector: ConnectorFolder) -> Iterator[Problem]:
    """The credential that holds the granted permissions is part of every authentication method."""
    section = connector.manifest.permissions
    for index, method in enumerate(connector.manifest.authentication if section else ()):
        known = _credential_keys(connector, index, method)
        named = connector.is_sound(["authentication", index, "name"])
        if named and section and section.credential not in known and ANY_NAME not in known:
            sentence = f"{method.name} has no credential {section.credential}."
            fix = did_you_mean(section.credential, known) or "Declare it."
            yield problem_at(connector, ["permissions", "credential"], "permission-credential", sentence, fix)


CHECKS: tuple[Check, ...] = (
    variables_are_declared,
    variables_are_used,
    secrets_are_marked,
    credentials_have_schemas,
    icon_is_a_picture,
    catalogue_has_documents,
    documents_are_sound,
    files_exist,
    operations_exist,
    *STREAM_CHECKS,
    *ACTION_CHECKS,
    *CODE_CHECKS,
    access_checks_are_reads,
    permissions_have_their_credential,
)
"""Every check, in the order of the problems on one line."""

NEEDS: Mapping[Check, Sequence[Where]] = {
    icon_is_a_picture: (("icon",),),
    catalogue_has_documents: (("operations", "catalogue"),),
    documents_are_sound: (("operations", "catalogue"),),
    operations_exist: (("operations", "catalogue"),),
}
"""The parts without which a check has nothing to look at."""


def _templates(connector: ConnectorFolder) -> Iterator[tuple[Where, Any, set[str]]]:
    """Yield every template of the manifest: where it is, what it is, and the variables that it may name."""
    manifest = connector.manifest
    settings = {setting.key for setting in manifest.settings} | connector.names_in_doubt(["settings"], "key")
    everywhere = settings | connector.names_in_doubt(["authentication"], "name")
    for index, method in enumerate(manifest.authentication):
        own = settings | _credential_keys(connector, index, method)
        may_sign_in = method.sign_in or not connector.is_sound(["authentication", index, "sign_in"])
        session = {"session."} if may_sign_in else set()
        everywhere |= own | session
        for name, header in method.headers.items():
            yield ["authentication", index, "headers", name], header, own | session
        if method.sign_in:
            place: Where = ["authentication", index, "sign_in"]
            yield [*place, "url"], method.sign_in.url, own
            yield [*place, "body"], method.sign_in.body, own
            yield [*place, "headers"], method.sign_in.headers, own
    addresses = manifest.operations.addresses if connector.is_sound(["operations", "addresses"]) else {}
    for base, address in addresses.items():
        yield ["operations", "addresses", base], address, everywhere
    for number, stream in enumerate(manifest.streams):
        for path, template in inputs_of(stream):
            yield ["streams", number, *path], template, settings | GIVEN_TO_STREAMS
    for number, action in enumerate(manifest.actions):
        for path, template in action.templates():
            fields = {key for key in variables_in(template) if key.startswith("record.")}
            yield ["actions", number, *path], template, settings | fields


def _credential_keys(connector: ConnectorFolder, index: int, method: AuthenticationMethod) -> set[str]:
    """Return the keys that a method declares, with those in doubt."""
    in_doubt = connector.names_in_doubt(["authentication", index, "credentials"], "key")
    return {credential.key for credential in method.credentials} | in_doubt


def _named_operations(connector: ConnectorFolder) -> Iterator[tuple[Where, str]]:
    """Yield every operation id in the manifest with its place."""
    manifest = connector.manifest
    for number, stream in enumerate(manifest.streams):
        for path, operation_id in stream.named_operations():
            yield ["streams", number, *path], operation_id
    for number, action in enumerate(manifest.actions):
        for place, operation_id in action.named_operations():
            yield ["actions", number, *place], operation_id
    for number, check in enumerate(manifest.checks):
        yield ["checks", number, "operation"], check.operation
    for index, method in enumerate(manifest.authentication):
        if method.sign_in and method.sign_in.operation:
            yield ["authentication", index, "sign_in", "operation"], method.sign_in.operation


def _credentials_file_agrees(connector: ConnectorFolder, index: int, method: AuthenticationMethod) -> Iterator[Problem]:
    path: Where = ["authentication", index, "credentials_schema"]
    relative = method.credentials_schema or ""
    problems = list(_schema_file(connector, path, relative))
    yield from problems
    if problems:
        return
    schema = json_in(connector.path(relative))
    properties, required = schema.get("properties", {}), schema.get("required", [])
    fix = "Make the manifest and the file say the same."
    declared = _credential_keys(connector, index, method)
    read = {credential.key for credential in method.credentials}
    for key in sorted(read - properties.keys() | (set() if ANY_NAME in declared else properties.keys() - declared)):
        where = relative if key in properties else "the manifest"
        yield problem_at(connector, path, "credential-agrees", f"The credential {key} stands only in {where}.", fix)
    for number, credential in enumerate(method.credentials):
        place: Where = ["authentication", index, "credentials", number]
        for sentence in _disagreements(credential, properties.get(credential.key), credential.key in required):
            yield problem_at(connector, place, "credential-agrees", f"{sentence} in {relative}.", fix)


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
        yield problem_at(
            connector, path, "file-exists", f"There is no file {relative}.", "Create it, or correct the path."
        )
        return
    schema = json_in(file)
    fault = _schema_fault(schema) if isinstance(schema, dict) else "It is no JSON object."
    if fault:
        yield problem_at(connector, path, "json-schema", f"{relative} is no JSON Schema: {fault}")


def _schema_fault(schema: dict[str, Any]) -> str:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{'.'.join(map(str, error.absolute_path)) or 'the schema'}: {error.message}."
    return ""
