"""Reads a request the way the vendor's server does: names in any case, text for numbers, unknown fields left alone.

What cannot be read as the schema says is a `BindError` with the path of the wrong value.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

Schema = dict[str, Any]

_GUID: Final = re.compile(r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")
_JSON_STARTS: Final = ("{", "[", '"')
"""How the values begin that clients write as JSON into forms: objects, lists, and text in quotation marks."""
_INT_RANGES: Final = {"int32": 2**31, "int64": 2**63}


class BindError(ValueError):
    """A value that is not what the schema asks for."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path or 'the request'} is not {expected}")


def resolve(schema: Schema, schemas: dict[str, Any]) -> Schema:
    """Follow a `$ref` into the named schemas."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def properties(schema: Schema, schemas: dict[str, Any]) -> dict[str, Schema]:
    """Return all properties of an object schema, those of its `allOf` parts first."""
    schema = resolve(schema, schemas)
    found: dict[str, Schema] = {}
    for part in schema.get("allOf", ()):
        found.update(properties(part, schemas))
    found.update(schema.get("properties", {}))
    return found


def kind(schema: Schema) -> str | None:
    """Return the type that a schema names, null aside."""
    named = schema.get("type")
    if isinstance(named, list):
        return next((name for name in named if name != "null"), None)
    if named is None and ("properties" in schema or "allOf" in schema):
        return "object"
    return named


class Binder:
    """Binds values to the schemas of one document. `text` says that values came as text (a form or a query)."""

    def __init__(self, schemas: dict[str, Any], *, text: bool) -> None:
        self._schemas = schemas
        self._text = text
        self._readers: dict[str, Callable[[Schema, Any, str], Any]] = {
            "object": self._object,
            "array": self._array,
            "integer": self._integer,
            "number": self._number,
            "boolean": self._boolean,
            "string": self._string,
        }

    def bind(self, schema: Schema, value: Any, path: str = "") -> Any:
        """Return `value` as `schema` says, with the schema's spelling of names. Raises BindError."""
        schema = resolve(schema, self._schemas)
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            return self._first(choices, value, path)
        if self._text and value is not None and str(value).startswith('"'):
            value = self._decoded(value)
        if value is None:
            return None
        if "enum" in schema:
            return self._enum(schema, value, path)
        read = self._readers.get(kind(schema) or "")
        return value if read is None else read(schema, value, path)

    def _first(self, choices: list[Schema], value: Any, path: str) -> Any:
        error: BindError | None = None
        for choice in choices:
            try:
                return self.bind(choice, value, path)
            except BindError as failed:
                error = error or failed
        raise error or BindError(path, "one of the known shapes")

    def _object(self, schema: Schema, value: Any, path: str) -> dict[str, Any]:
        value = self._decoded(value)
        if not isinstance(value, dict):
            raise BindError(path, "an object")
        known = properties(schema, self._schemas)
        spelling = {name.lower(): name for name in known}
        others = schema.get("additionalProperties")
        bound: dict[str, Any] = {}
        for key, inner in value.items():
            name = spelling.get(key.lower())
            where = f"{path}.{name or key}".lstrip(".")
            if name is not None:
                bound[name] = Binder(self._schemas, text=False).bind(known[name], inner, where)
            else:
                bound[key] = self.bind(others, inner, where) if isinstance(others, dict) else inner
        for name in schema.get("required", ()):
            if name not in bound:
                raise BindError(f"{path}.{name}".lstrip("."), "given, and it is required")
        return bound

    def _array(self, schema: Schema, value: Any, path: str) -> list[Any]:
        value = self._decoded(value)
        if self._text and not isinstance(value, list):
            value = [value]
        if not isinstance(value, list):
            raise BindError(path, "a list")
        items = schema.get("items", {})
        return [self.bind(items, inner, f"{path}[{place}]") for place, inner in enumerate(value)]

    def _decoded(self, value: Any) -> Any:
        if isinstance(value, str) and self._text and value[:1] in _JSON_STARTS:
            try:
                return msgspec.json.decode(value)
            except (msgspec.DecodeError, RecursionError):
                return value
        return value

    def _enum(self, schema: Schema, value: Any, path: str) -> Any:
        allowed = schema["enum"]
        if value in allowed:
            return value
        if isinstance(value, str):
            for choice in allowed:
                if str(choice).lower() == value.strip().lower():
                    return choice
            value = int(value) if value.isdecimal() else value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(allowed):
            return allowed[value]
        raise BindError(path, f"one of {', '.join(map(str, allowed[:12]))}")

    def _integer(self, schema: Schema, value: Any, path: str) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            raise BindError(path, "a whole number") from None
        if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number):
            raise BindError(path, "a whole number")
        limit = _INT_RANGES.get(schema.get("format", ""))
        if limit is not None and not -limit <= number < limit:
            raise BindError(path, f"a whole number of {schema['format'][3:]} bits")
        return int(number)

    @staticmethod
    def _number(_: Schema, value: Any, path: str) -> float:
        try:
            number = float(value) if isinstance(value, str) else value
        except ValueError:
            raise BindError(path, "a number") from None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise BindError(path, "a number")
        return number

    @staticmethod
    def _boolean(_: Schema, value: Any, path: str) -> bool:
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise BindError(path, "true or false")

    def _string(self, schema: Schema, value: Any, path: str) -> str:
        if isinstance(value, bool | dict | list):
            raise BindError(path, "text")
        text = str(value)
        match schema.get("format"):
            case "uuid":
                if not _GUID.fullmatch(text.strip()):
                    raise BindError(path, "a valid Guid")
                return text.strip().strip("{}").lower()
            case "date-time":
                try:
                    datetime.fromisoformat(text.strip())
                except ValueError:
                    raise BindError(path, "a date and time") from None
        return text
