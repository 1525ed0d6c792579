"""What a form can show: the schemas of single fields, and the problems of those that no renderer could draw."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector_host.contract.errors import Problem
from connector_host.contract.manifest import AuthenticationMethod, Variable
from connector_host.contract.manifest_file import ConnectorFolder
from connector_host.contract.schemas import problems_of, validator_for
from connector_host.contract.values import credentials_schema, settings_schema

__all__ = ["inlined", "problems_of_forms"]

_TYPES = {"string", "integer", "number", "boolean"}
_COMPOSED = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "unevaluatedProperties"}
_OF_A_SECTION = {"patternProperties", "propertyNames", "dependentRequired", "minProperties", "maxProperties"}
_NOTES = ("$schema", "$id", "$defs", "$comment")


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema with its local references written out; one that leads nowhere or to itself stays as it is."""
    written = _inlined(schema, schema.get("$defs", {}), ())
    return {key: value for key, value in written.items() if key not in _NOTES}


def problems_of_forms(folder: ConnectorFolder) -> list[Problem]:
    """Return every reason why a form of this connector could not be shown, for its author.

    A field is a text, a number, a choice, a yes or no, or a list of texts; a secret is a text; a default satisfies
    its own schema.
    """
    manifest = folder.manifest
    common = settings_schema(manifest)
    found = list(_of_section(folder, ["settings"], inlined(common), manifest.settings))
    for index, method in enumerate(manifest.authentication):
        place: list[str | int] = ["authentication", index]
        schema = _readable(folder, method)
        if schema is not None:
            found += _of_whole(folder, [*place, "credentials_schema"], schema)
            found += _of_section(folder, [*place, "credentials"], inlined(schema), method.credentials)
    return found


def _inlined(schema: Any, definitions: Mapping[str, Any], open_names: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_inlined(part, definitions, open_names) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if name in definitions and name not in open_names:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {
            **_inlined(definitions[name], definitions, (*open_names, name)),
            **_inlined(beside, definitions, open_names),
        }
    return {key: _inlined(value, definitions, open_names) for key, value in schema.items()}


def _readable(folder: ConnectorFolder, method: AuthenticationMethod) -> dict[str, Any] | None:
    """Return the schema of a method's credentials, None when its file is missing or no JSON: another check says so."""
    try:
        schema: Any = credentials_schema(folder, method)
    except (OSError, ValueError):
        return None
    return schema if isinstance(schema, dict) else None


def _of_whole(folder: ConnectorFolder, path: Sequence[str | int], schema: Mapping[str, Any]) -> Iterator[Problem]:
    for keyword in sorted((_COMPOSED | _OF_A_SECTION) & schema.keys()):
        sentence = f"A form cannot show the rule {keyword} over all credentials."
        fix = "Say it field by field, or in the hook check_credentials."
        yield Problem(folder.where(tuple(path)), "form-schema", sentence, fix)


def _of_section(
    folder: ConnectorFolder, path: Sequence[str | int], section: Mapping[str, Any], variables: Sequence[Variable]
) -> Iterator[Problem]:
    rules = section.get("properties", {})
    for number, variable in enumerate(variables):
        rule = rules.get(variable.key)
        if not isinstance(rule, Mapping):
            continue
        for name, sentence, fix in _of_field(variable, rule):
            where = folder.where((*path, number, "schema"))
            yield Problem(where, name, f"{variable.key}: {sentence}", fix)


def _of_field(variable: Variable, rule: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if fault := _fault_of(rule):
        fix = "Use a string, integer, number, boolean, an enum, or an array of strings."
        yield "form-field", f"a form cannot show {fault}.", fix
        return
    if variable.secret and (rule.get("type") != "string" or "enum" in rule):
        yield "form-secret", "a secret is a text that is typed in.", "Give its schema type: string and no enum."
    if variable.default is not None and problems_of(validator_for(rule), variable.default):
        yield "form-default", "its own schema does not accept the default.", "Correct the default or the schema."
    if "pattern" in rule and "x-message" not in rule:
        sentence = "a person who breaks the pattern would not learn what is wrong."
        yield "form-message", sentence, "Add x-message: a sentence that says what to write."


def _fault_of(rule: Mapping[str, Any]) -> str:
    """Return what of a field's schema no renderer could draw, an empty text when all is well."""
    if "$ref" in rule:
        return f"what {rule['$ref']} refers to"
    if composed := sorted(_COMPOSED & rule.keys()):
        return f"the rule {composed[0]}"
    if "const" in rule:
        return "" if _is_scalar(rule["const"]) else "a constant that is no text, number, true or false"
    if "enum" in rule:
        return "" if all(map(_is_scalar, rule["enum"])) else "choices that are no texts or numbers"
    return _fault_of_type(rule)


def _fault_of_type(rule: Mapping[str, Any]) -> str:
    kind = rule.get("type")
    if kind == "array":
        items = rule.get("items", {})
        inner = isinstance(items, Mapping) and items.get("type") == "string" and not _fault_of(items)
        return "" if inner else "a list of anything but texts"
    if isinstance(kind, list):
        return "a field of several types"
    return "" if kind in _TYPES else f"a field of type {kind}" if kind else "a field without a type"


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)
