"""Inputs made from a JSON Schema 2020-12: the smallest, the largest and random ones between, decided by a seed."""

import random
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_WORDS = ("A", "SKU-001", "Über/grün & 100 %", "0", "null", "line\nbreak", "日本", " spaced ", "a" * 60)
_TIMES = ("2026-04-15T09:30:00Z", "2026-04-15T09:30:00.123Z", "2026-04-15T09:30:00+01:00", "1999-12-31T23:59:59Z")
# JavaScript, which Prism is written in, has no larger whole numbers than these.
_INTEGER_LIMITS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**53) + 1, 2**53 - 1)}
_DEEPEST = 6


def inputs(schema: Schema, seed: str, *, random_ones: int) -> Iterator[Any]:
    """Yield the smallest and the largest input of a schema, then random ones.

    Null is never chosen: half of the vendor's files are in a format that cannot say where it is allowed.
    """
    for number, chance in enumerate((0.0, 1.0, *[0.5] * random_ones)):
        chooser = random.Random(f"{seed}/{number}")
        yield _Maker(schema, chooser, chance=chance).value()


class _Maker:
    """Makes one value; `chance` is the probability that an optional field is there."""

    def __init__(self, schema: Schema, chooser: random.Random, *, chance: float) -> None:
        self._schema = schema
        self._definitions: Schema = schema.get("$defs", {})
        self._random = chooser
        self._chance = chance

    def value(self) -> Any:
        return self._make(self._schema, 0)

    def _make(self, schema: Schema, depth: int) -> Any:
        schema = self._plain(schema)
        if "enum" in schema:
            return self._random.choice([each for each in schema["enum"] if each is not None])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
        return getattr(self, f"_{kind}")(schema, depth)

    def _plain(self, schema: Schema) -> Schema:
        """Follow references and choices until a schema with a type of its own is reached."""
        while True:
            if "$ref" in schema:
                schema = self._definitions[schema["$ref"].rsplit("/", 1)[-1]]
            elif "anyOf" in schema or "oneOf" in schema:
                choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
                schema = self._random.choice([each for each in choices if each != {"type": "null"}])
            elif "allOf" in schema:
                parts = [self._plain(each) for each in schema["allOf"]]
                schema = _merged([{key: each for key, each in schema.items() if key != "allOf"}, *parts])
            else:
                return schema

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {}
        for name, child in schema.get("properties", {}).items():
            wanted = depth < _DEEPEST and not child.get("readOnly") and self._random.random() < self._chance
            if name in required or wanted:
                made[name] = self._make(child, depth + 1)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) and depth < _DEEPEST and self._chance:
            made |= {name: self._make(extra, depth + 1) for name in ("first", "second key")}
        return made

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        most = least if depth >= _DEEPEST else max(least, min(schema.get("maxItems", 2), 2))
        length = {0.0: least, 1.0: most}.get(self._chance, self._random.randint(least, most))
        made = [self._make(schema.get("items", {}), depth + 1) for _ in range(length)]
        unique = [each for position, each in enumerate(made) if each not in made[:position]]
        return unique if schema.get("uniqueItems") else made

    def _string(self, schema: Schema, _: int) -> str:
        form = schema.get("format")
        if form == "uuid":
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        if form == "date-time":
            return self._random.choice(_TIMES)
        if form == "email":
            return "someone@example.org"
        text = self._random.choice(_WORDS)[: schema.get("maxLength", 60)]
        return text.ljust(schema.get("minLength", 0), "x")

    def _integer(self, schema: Schema, _: int) -> int:
        least, most = _INTEGER_LIMITS[schema.get("format", "int32")]
        least, most = max(least, schema.get("minimum", least)), min(most, schema.get("maximum", most))
        return self._random.choice((least, most, self._random.randint(max(least, 0), min(most, 500))))

    def _number(self, _: Schema, __: int) -> float:
        return self._random.choice((0.0, -1.25, 12.99, round(self._random.uniform(0, 1000), 4)))

    def _boolean(self, _: Schema, __: int) -> bool:
        return self._random.choice((True, False))


def _merged(parts: list[Schema]) -> Schema:
    merged: dict[str, Any] = {}
    for part in parts:
        fields = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged |= {**part, "properties": fields, "required": required}
    return merged
