"""Reads what a client sent: query, form or JSON, under any operation, and binds it to the catalogue."""

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec

from linnworks_connector.sandbox.binding import Binder, BindError, properties, resolve
from linnworks_connector.sandbox.operations import Operation

Encoding = Literal["json", "form", "none", "other"]


class UnreadableBody(ValueError):
    """A body that is not what its Content-Type says."""


@dataclass(slots=True)
class Incoming:
    """A request before it is bound. `text` holds what came as text: query and form; `json` a JSON body."""

    encoding: Encoding
    text: dict[str, Any] = field(default_factory=dict)
    json: Any = None


def read_incoming(query: str, content_type: str, body: bytes) -> Incoming:
    """Decode a query string and a body. Raises UnreadableBody."""
    text = _pairs(query)
    media = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return Incoming("none", text)
    if media == "application/x-www-form-urlencoded":
        text.update(_pairs(body.decode("utf-8", "replace")))
        return Incoming("form", text)
    if media.startswith("multipart/"):
        return Incoming("other", text)
    if media and not media.endswith("json"):
        raise UnreadableBody(f"the media type {media} is not supported")
    try:
        return Incoming("json", text, msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableBody("the request body is not valid JSON") from None


def _pairs(text: str) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for key, item in parse_qsl(text, keep_blank_values=True):
        name = key.removesuffix("[]")
        if name not in pairs:
            pairs[name] = item
        elif isinstance(pairs[name], list):
            pairs[name].append(item)
        else:
            pairs[name] = [pairs[name], item]
    return pairs


def bind(operation: Operation, incoming: Incoming, in_path: dict[str, str]) -> dict[str, Any]:
    """Return the arguments of a call, named as the catalogue spells them. Raises BindError.

    A wrapper (`{"request": ...}`) is taken off; where it is missing, the call has no arguments: the vendor ignores
    what it does not know.
    """
    if isinstance(operation.body, dict) and incoming.encoding == "json" and not isinstance(incoming.json, dict):
        return {"": Binder(operation.schemas, text=False).bind(operation.body, incoming.json)}
    args = _bind_parameters(operation, incoming, in_path)
    if operation.body is not None and not operation.multipart:
        args.update(_bind_body(operation, operation.body, incoming))
    if operation.wrapper is None:
        return args
    inner = args.get(operation.wrapper)
    return inner if isinstance(inner, dict) else {"": inner} if inner is not None else {}


def _bind_parameters(operation: Operation, incoming: Incoming, in_path: dict[str, str]) -> dict[str, Any]:
    given: dict[str, tuple[str, Any]] = {}
    if isinstance(incoming.json, dict):
        given = {key.lower(): ("json", inner) for key, inner in incoming.json.items()}
    given |= {key.lower(): ("text", inner) for key, inner in {**incoming.text, **in_path}.items()}
    args: dict[str, Any] = {}
    for parameter in operation.parameters:
        name = parameter["name"]
        source, inner = given.get(name.lower(), ("", None))
        if source and not (inner == "" and source == "text"):
            args[name] = Binder(operation.schemas, text=source == "text").bind(parameter["schema"], inner, name)
        elif parameter.get("required") and parameter.get("in") != "header":
            raise BindError(name, "given, and it is required")
    return args


def _bind_body(operation: Operation, schema: dict[str, Any], incoming: Incoming) -> dict[str, Any]:
    if incoming.encoding == "json":
        bound = Binder(operation.schemas, text=False).bind(schema, incoming.json)
        return bound if isinstance(bound, dict) else {}
    known = properties(schema, operation.schemas)
    if not known:
        return {}
    spelling = {name.lower(): name for name in known}
    given = incoming.text
    if len(given) == 1 and next(iter(given)).lower() not in spelling:
        (whole,) = given.values()
        if isinstance(whole, str) and whole[:1] == "{":
            return dict(Binder(operation.schemas, text=True).bind(schema, whole))
    bound = {}
    for key, inner in given.items():
        name = spelling.get(key.lower())
        if name is not None and inner not in ("", "null"):
            bound[name] = Binder(operation.schemas, text=True).bind(known[name], inner, name)
    for name in resolve(schema, operation.schemas).get("required", ()):
        if name not in bound:
            raise BindError(name, "given, and it is required")
    return bound
