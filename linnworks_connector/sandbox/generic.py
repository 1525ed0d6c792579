"""Answers of the operations without a memory: bodies made from the catalogue's schemas.

The same seed, operation and arguments give the same answer. Ids of items, orders and locations are ids that exist.
"""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from linnworks_connector.sandbox.answers import Answer, nothing, value
from linnworks_connector.sandbox.binding import kind, properties, resolve
from linnworks_connector.sandbox.calls import Call
from linnworks_connector.sandbox.draws import chance, generator
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import guid, moment

_DEEPEST: Final = 5
_MOST_VALUES: Final = 1_500
"""How many values a body may have before its lists stay empty; some schemas hold themselves many times."""
_EMPTY_STATUSES: Final = (201, 202, 204)


def answer(call: Call) -> Answer:
    """Answer a call with a body that its response schema allows, or with none where there is none."""
    operation = call.operation
    if operation.answer is None:
        return nothing(operation.status if operation.status in _EMPTY_STATUSES else 200)
    asked = msgspec.json.encode(call.args, order="deterministic").decode()
    rng = generator(f"{call.shop.seed}:{operation.id}:{asked}")
    body = Maker(call.shop, operation.schemas, rng).make(operation.answer, operation.id.partition(".")[2])
    return value(body, operation.status)


class Maker:
    """Makes values for the schemas of one document."""

    def __init__(self, shop: Shop, schemas: dict[str, Any], rng: random.Random) -> None:
        self._shop = shop
        self._schemas = schemas
        self._rng = rng
        self._made = 0

    def make(self, schema: dict[str, Any], name: str, depth: int = 0) -> Any:
        """Return a value for `schema`; `name` is the property it is for, which says what it should look like."""
        schema = resolve(schema, self._schemas)
        self._made += 1
        choices: Sequence[dict[str, Any]] = schema.get("anyOf") or schema.get("oneOf") or ()
        if choices:
            usable = [choice for choice in choices if kind(resolve(choice, self._schemas)) != "null"]
            return self.make(usable[0], name, depth)
        if schema.get("enum"):
            return self._rng.choice([choice for choice in schema["enum"] if choice is not None])
        makers: dict[str | None, Callable[[], Any]] = {
            "object": lambda: self._object(schema, name, depth),
            "array": lambda: self._array(schema, name, depth),
            "integer": lambda: self._rng.randrange(1, 100),
            "number": lambda: round(self._rng.uniform(1, 200), 2),
            "boolean": lambda: chance(self._rng, 0.5),
            "string": lambda: self._text(schema, name),
        }
        return makers.get(kind(schema), dict)()

    def _may_nest(self, depth: int) -> bool:
        return depth < _DEEPEST and self._made < _MOST_VALUES

    def _object(self, schema: dict[str, Any], name: str, depth: int) -> dict[str, Any]:
        made = {
            key: self.make(inner, key, depth + 1)
            for key, inner in properties(schema, self._schemas).items()
            if self._may_nest(depth) or kind(resolve(inner, self._schemas)) not in ("object", "array", None)
        }
        for key in schema.get("required", ()):
            made.setdefault(key, self.make(properties(schema, self._schemas).get(key, {}), key, depth + 1))
        others = schema.get("additionalProperties")
        if not made and isinstance(others, dict) and self._may_nest(depth):
            return {f"{name}{place}": self.make(others, name, depth + 1) for place in range(1, 3)}
        return made

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        if not self._may_nest(depth):
            return []
        least = int(schema.get("minItems", 0))
        items = schema.get("items", {})
        made = [
            self.make(items, name.removesuffix("s"), depth + 1) for _ in range(max(least, self._rng.choice((1, 2, 3))))
        ]
        if schema.get("uniqueItems"):
            made = [entry for place, entry in enumerate(made) if entry not in made[:place]]
        return made

    def _text(self, schema: dict[str, Any], name: str) -> str:
        match schema.get("format"):
            case "uuid":
                return self._id(name.lower())
            case "date-time":
                when = self._shop.started - timedelta(minutes=self._rng.randrange(1, 60 * 24 * 30))
                return moment(when.replace(microsecond=0), self._rng.randrange(8))
            case "date":
                return (self._shop.started - timedelta(days=self._rng.randrange(1, 30))).date().isoformat()
            case "uri":
                return f"https://files.example.com/{self._rng.randrange(10**6)}"
            case "byte" | "binary":
                return "U2FuZGJveA=="
            case _:
                return self._words(name)[: schema.get("maxLength")]

    def _id(self, name: str) -> str:
        stock, orders = self._shop.stock.items, self._shop.orders.heads
        if "stockitem" in name:
            return self._rng.choice(stock).id
        if "order" in name and "item" not in name and "purchase" not in name and orders:
            return self._rng.choice(list(orders))
        if "location" in name:
            return self._rng.choice(ref.LOCATIONS).id
        return guid("generic", name, self._rng.getrandbits(32))

    def _words(self, name: str) -> str:
        lower = name.lower()
        item = self._rng.choice(self._shop.stock.items)
        makers: dict[str, Callable[[], str]] = {
            "email": lambda: f"{self._rng.choice(ref.FIRST_NAMES).lower()}@example.com",
            "sku": lambda: item.sku,
            "barcode": lambda: item.barcode,
            "title": lambda: item.title,
            "subsource": lambda: self._rng.choice(ref.CHANNELS).sub_source,
            "source": lambda: self._rng.choice(ref.CHANNELS).source,
            "currency": lambda: "GBP",
            "country": lambda: "United Kingdom",
            "postcode": lambda: "LS1 4AB",
            "location": lambda: self._rng.choice(ref.LOCATIONS).name,
            "supplier": lambda: self._rng.choice(ref.SUPPLIERS)[1],
            "category": lambda: self._rng.choice(ref.CATEGORIES).name,
            "fullname": lambda: f"{self._rng.choice(ref.FIRST_NAMES)} {self._rng.choice(ref.LAST_NAMES)}",
            "url": lambda: f"https://files.example.com/{self._rng.randrange(10**6)}",
            "phone": lambda: "07700 900123",
        }
        for word, make in makers.items():
            if word in lower:
                return make()
        return f"{name} {self._rng.randrange(1, 1000)}"
