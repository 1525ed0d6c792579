"""Invented records of the three streams, as bytes into which ids and dates are put. Standard library only.

Shapes come from `schemas/records`; sizes are near those that were measured for twenty thousand records: order details
185 MB, stock items 85 MB, processed orders 38 MB.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Template", "templates"]

_SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "records"
_VARIANTS = 25
_WORDS = (
    "amber",
    "birch",
    "cedar",
    "copper",
    "desk",
    "ebony",
    "frame",
    "granite",
    "hinge",
    "indigo",
    "kettle",
    "walnut",
)
_ID, _NUMBER, _DATE = "@ID@", 10_101_010_101, "@DATE@"
_MARKS = (("id", f'"{_ID}"'), ("number", str(_NUMBER)), ("date", f'"{_DATE}"'))
_KEYS: dict[str, dict[str, Any]] = {
    "stock_items": {"StockItemId": _ID, "StockItemIntId": _NUMBER},
    "processed_orders": {"pkOrderID": _ID, "nOrderId": _NUMBER, "dProcessedOn": _DATE},
    "processed_order_details": {"OrderId": _ID, "NumOrderId": _NUMBER, "ProcessedDateTime": _DATE},
}
_LENGTHS = {"stock_items": (1, 2), "processed_orders": (1, 1), "processed_order_details": (2, 2)}
"""How many elements a list inside a record has, at least and at most."""
_BYTES = {"stock_items": 4_250, "processed_orders": 1_900, "processed_order_details": 9_250}


class Template:
    """One record with gaps: `pieces` are its bytes, `gaps` say what stands between them."""

    def __init__(self, text: str) -> None:
        self.pieces: list[bytes] = []
        self.gaps: list[str] = []
        while found := min(((at, kind, mark) for kind, mark in _MARKS if (at := text.find(mark)) >= 0), default=None):
            at, kind, mark = found
            self.pieces.append(text[:at].encode())
            self.gaps.append(kind)
            text = text[at + len(mark) :]
        self.pieces.append(text.encode())

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """Return the record with its gaps filled."""
        parts = [self.pieces[0]]
        for gap, piece in zip(self.gaps, self.pieces[1:], strict=True):
            parts += (values[gap], piece)
        return b"".join(parts)


def templates(stream: str) -> list[Template]:
    """Return records of a stream that differ in everything but their fields."""
    schema = json.loads((_SCHEMAS / f"{stream}.json").read_text("utf-8"))
    return [Template(_text_of(stream, schema, random.Random(f"{stream}{number}"))) for number in range(_VARIANTS)]


def _text_of(stream: str, schema: Mapping[str, Any], draw: random.Random) -> str:
    record = {**_value(schema, schema.get("$defs", {}), draw, _LENGTHS[stream], ()), **_KEYS[stream]}
    text = json.dumps(record, separators=(",", ":"))
    missing = _BYTES[stream] - len(text)
    # What the schema's fields do not fill is one more text, so that the sizes hold when a schema grows.
    if missing > 0:
        record["Remark"] = _sentence(draw, missing)
    return json.dumps(record, separators=(",", ":"))


def _value(
    schema: Mapping[str, Any],
    shared: Mapping[str, Any],
    draw: random.Random,
    lengths: tuple[int, int],
    inside: tuple[str, ...],
) -> Any:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return None if name in inside else _value(shared[name], shared, draw, lengths, (*inside, name))
    if "enum" in schema:
        return draw.choice(schema["enum"])
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        fields = schema.get("properties", {}).items()
        return {name: _value(each, shared, draw, lengths, inside) for name, each in fields}
    if kind == "array":
        count = draw.randint(*lengths)
        return [_value(schema.get("items", {}), shared, draw, lengths, inside) for _ in range(count)]
    return _plain(kind, schema.get("format", ""), draw)


def _plain(kind: str, form: str, draw: random.Random) -> Any:
    if kind == "integer":
        return draw.randrange(10_000)
    if kind == "number":
        return round(draw.uniform(0, 400), 2)
    if kind == "boolean":
        return draw.random() < 0.5  # noqa: PLR2004 -- a coin
    if form == "uuid":
        return f"{draw.randrange(16**8):08x}-0000-4000-8000-{draw.randrange(16**12):012x}"
    if form == "date-time":
        return f"2026-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}T{draw.randrange(24):02}:30:00.123Z"
    return _sentence(draw, draw.choice((0, 0, 6, 12, 18, 24)))


def _sentence(draw: random.Random, length: int) -> str:
    text = ""
    while len(text) < length:
        text += f"{draw.choice(_WORDS)} "
    return text[:length]
