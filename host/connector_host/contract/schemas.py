"""JSON Schema (2020-12) with messages for people and the formats that vendors really send.

The library is imported when the first validator is made: a pull of records that are not looked at needs none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .date_formats import EXAMPLE as DATE_FORMAT
from .errors import Problem
from .nearest import did_you_mean

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

__all__ = ["kind_of", "problems_of", "schema_at", "validator_for"]


def validator_for(schema: Mapping[str, Any]) -> "Draft202012Validator":
    """Return a validator that checks formats too."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 -- see the module's docstring

    from .formats import FORMATS  # noqa: PLC0415 -- as above

    return Draft202012Validator(schema, format_checker=FORMATS)


def problems_of(
    validator: "Draft202012Validator", value: Any, *, at: str = "", forgive_null: bool = False
) -> list[Problem]:
    """Return every problem of the value, in reading order, each with its dotted path below `at`.

    With `forgive_null`, null is accepted wherever a field may be left out (observed: vendors take it so).
    """
    found: list[Problem] = []
    for error in sorted(validator.iter_errors(value), key=_place):
        for leaf in _leaves(error):
            if forgive_null and leaf.instance is None and leaf.validator in ("type", "enum", "anyOf", "oneOf"):
                continue
            found.extend(_problem(leaf, at))
    return list(dict.fromkeys(found))


def _place(error: "ValidationError") -> list[tuple[bool, int, str]]:
    """Return what sorts errors by where they are: entries of a list by number, fields by name."""
    return [(False, step, "") if isinstance(step, int) else (True, 0, str(step)) for step in error.absolute_path]


def _leaves(error: "ValidationError") -> "Iterator[ValidationError]":
    """Yield the errors that a person can act on: below anyOf/oneOf those of the branch that fits best."""
    if error.validator in ("anyOf", "oneOf") and error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        best = min(branches.values(), key=lambda errors: (any(map(_is_of_another_kind, errors)), len(errors)))
        for inner in best:
            yield from _leaves(inner)
    else:
        yield error


def _is_of_another_kind(error: "ValidationError") -> bool:
    """Tell whether a branch does not even fit the kind of the value itself."""
    return error.validator == "type" and not error.relative_path


def _problem(error: "ValidationError", at: str) -> Iterator[Problem]:
    path = _join(at, error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "required" and isinstance(error.instance, dict):
        wanted: Any = error.validator_value
        for name in wanted:
            if name not in error.instance:
                words = _words_for(schema.get("properties", {}).get(name))
                yield Problem(_join(path, [name]), "required", "This is required.", words)
        return
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(schema.get("properties", {}))
        for name in error.instance:
            if name not in known:
                hint = did_you_mean(str(name), known) or (
                    f"Known: {', '.join(known[:12])}." if known else "None is known."
                )
                yield Problem(_join(path, [name]), "unknown-field", "There is no such field.", hint)
        return
    own_words = schema.get("x-message")
    if isinstance(own_words, str):
        yield Problem(path, str(error.validator), own_words)
        return
    yield Problem(path, str(error.validator), *_sentence(error))


def _words_for(schema: Any) -> str:
    return str(schema.get("x-message", "")) if isinstance(schema, dict) else ""


def _sentence(error: "ValidationError") -> tuple[str, str]:
    """Return what is wrong and how it is mended, by the schema's keyword."""
    wanted: Any = error.validator_value
    rule = str(error.validator)
    sentence, fix = _WORDS.get(rule, (f"This breaks the rule {rule}.", ""))
    if rule == "type":
        names = wanted if isinstance(wanted, list) else [wanted]
        sentence = f"This is {kind_of(error.instance)}, not {' or '.join(map(_article, names))}."
    elif rule == "enum":
        fix = (
            f"Choose one of: {', '.join(map(str, wanted[:_CHOICES_SHOWN]))}{', …' if wanted[_CHOICES_SHOWN:] else ''}."
        )
    elif rule in ("minLength", "minItems") and wanted == 1:
        sentence = "This is empty."
    elif rule == "format":
        sentence, fix = _FORMAT_WORDS.get(str(wanted), (f"This is not of the format {wanted}.", ""))
    return sentence.format(wanted), fix.format(wanted) if rule == "const" else fix


_CHOICES_SHOWN = 12
_WORDS = {
    "enum": ("This is none of the choices.", ""),
    "const": ("This cannot be changed.", "Set it to {}."),
    "pattern": ("This does not have the right shape.", ""),
    "minLength": ("This needs at least {} characters.", ""),
    "maxLength": ("This has at most {} characters.", ""),
    "minItems": ("This needs at least {} entries.", ""),
    "maxItems": ("This has at most {} entries.", ""),
    "minimum": ("This is at least {}.", ""),
    "maximum": ("This is at most {}.", ""),
    "exclusiveMinimum": ("This is more than {}.", ""),
    "exclusiveMaximum": ("This is less than {}.", ""),
    "uniqueItems": ("The same entry stands here twice.", "Remove one of them."),
}
_FORMAT_WORDS = {
    "uuid": ("This is not a UUID.", "It looks like 12345678-90ab-cdef-1234-567890abcdef."),
    "date-time": ("This is not a date and time.", "It looks like 2026-01-31T12:00:00Z."),
    "date": ("This is not a date.", "It looks like 2026-01-31."),
    "date-format": (
        "This does not give a full date and time.",
        f"It looks like {DATE_FORMAT}: year, month, day, hour, minute and second.",
    ),
    "time-zone": ("There is no such time zone.", "It looks like Europe/London."),
    "uri": ("This is not an address.", "It looks like https://example.com."),
    "email": ("This is not an email address.", "It looks like someone@example.com."),
    "int32": ("This does not fit a whole number of 32 bits.", ""),
    "int64": ("This does not fit a whole number of 64 bits.", ""),
}


def _article(name: str) -> str:
    return {
        "null": "empty",
        "integer": "a whole number",
        "object": "an object",
        "array": "a list",
        "string": "a text",
    }.get(name, f"a {name}")


def kind_of(value: Any) -> str:
    """Return what a value is, in the words of JSON; one that JSON has no word for by its type in Python."""
    words = (words for kinds, words in _KINDS if isinstance(value, kinds))
    return next(words, f"a Python {type(value).__name__}")


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "empty"),
    (bool, "true or false"),  # is an int as well
    ((int, float), "a number"),
    (str, "a text"),
    (dict, "an object"),
    (list, "a list"),
)


def _join(start: str, path: Sequence[str | int]) -> str:
    return ".".join([*([start] if start else []), *(str(step) for step in path)])


def schema_at(schema: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """Return the schema of the field at a dotted path, references resolved; None where there is none."""
    found = _resolved(schema, schema)
    for step in path.split(".") if path else ():
        inner = next((part[step] for part in _properties(found, schema) if step in part), None)
        if inner is None:
            return None
        found = _resolved(inner, schema)
    return found


def _properties(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the properties of an object, and of every schema that it is put together from."""
    yield schema.get("properties", {})
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, ()):
            yield from _properties(_resolved(part, root), root)


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    seen: set[str] = set()
    while isinstance(schema, Mapping) and "$ref" in schema and schema["$ref"] not in seen:
        seen.add(schema["$ref"])
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target.get(step, {}) if isinstance(target, Mapping) else {}
        schema = target
    return schema if isinstance(schema, Mapping) else {}
