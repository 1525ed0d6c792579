"""Turn one vendor operation into one operation of the catalogue, decisions included."""

from typing import Any

from scripts.catalogue import facts
from scripts.catalogue.convert import convert
from scripts.catalogue.decisions import Decision
from scripts.catalogue.vendor import VendorFile, VendorOperation

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
# Media types of an error that are told apart; every other JSON spelling of the vendor's is the same JSON.
_ANSWER_TYPES = (_JSON, "application/problem+json")
_SIGN_IN_AREA = "auth"
# Written out because http.HTTPStatus names some of them differently from one Python to the next.
_PHRASES = {
    "200": "OK",
    "201": "Created",
    "202": "Accepted",
    "204": "No Content",
    "400": "Bad Request",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "Not Found",
    "405": "Method Not Allowed",
    "409": "Conflict",
    "422": "Unprocessable Content",
    "429": "Too Many Requests",
    "500": "Internal Server Error",
    "503": "Service Unavailable",
}


def build(file: VendorFile, operation: VendorOperation, decision: Decision, shapes: dict[str, Any]) -> dict[str, Any]:
    """The catalogue's operation object: OpenAPI 3.1 with the `x-` keys in a fixed order.

    Args:
        file: the vendor file it stands in, for the named schemas.
        operation: the vendor's operation.
        decision: the reviewed row of decisions.csv.
        shapes: what paging.yaml says about it, as the keys `x-paging` and `x-batch`.
    """
    raw = operation.raw
    description = raw.get("description") or ""
    body = _body_schema(operation, file)
    limit = facts.rate_limit(description)
    built: dict[str, Any] = {"operationId": decision.id, "summary": decision.title, "tags": raw["tags"]}
    if facts.is_deprecated(raw):
        built["deprecated"] = True
    if operation.area == _SIGN_IN_AREA:
        built |= {"x-base": "auth", "security": []}
    built["x-kind"] = decision.kind
    if decision.destructive:
        built["x-destructive"] = True
    built["x-rate-limit"] = limit
    built["x-permissions"] = facts.permissions(description)
    built["x-encoding"] = decision.encoding
    built["x-wrapper"] = _wrapper(body, file) if body else None
    built |= shapes
    built["parameters"] = [_parameter(p, file) for p in raw.get("parameters", []) if p["in"] != "body"]
    if body is not None:
        built["requestBody"] = _request_body(body, decision, required=_body_required(operation))
    built["responses"] = {
        status: _response(status, answer, file) for status, answer in sorted(raw["responses"].items())
    }
    return {key: value for key, value in built.items() if value is not None and (key != "parameters" or value)}


def _body_schema(operation: VendorOperation, file: VendorFile) -> dict[str, Any] | None:
    if file.is_swagger:
        found = [p["schema"] for p in operation.raw.get("parameters", []) if p["in"] == "body"]
        return found[0] if found else None
    content = operation.raw.get("requestBody", {}).get("content")
    return content[_JSON]["schema"] if content else None


def _body_required(operation: VendorOperation) -> bool:
    raw = operation.raw
    stated = [p.get("required", False) for p in raw.get("parameters", []) if p["in"] == "body"]
    return bool(any(stated) or raw.get("requestBody", {}).get("required"))


def _request_body(schema: dict[str, Any], decision: Decision, *, required: bool) -> dict[str, Any]:
    converted = {"schema": convert(schema)}
    types = [_JSON, _FORM] if decision.encoding == "form" else [_JSON]
    return {**({"required": True} if required else {}), "content": dict.fromkeys(types, converted)}


def _wrapper(body: dict[str, Any], file: VendorFile) -> str | None:
    """The sole property of the body if it is an object with fields of its own, which a caller must not forget."""
    properties = _resolved(body, file).get("properties", {})
    if len(properties) != 1:
        return None
    [(name, inner)] = properties.items()
    return name if _resolved(inner, file).get("properties") else None


def _resolved(schema: dict[str, Any], file: VendorFile) -> dict[str, Any]:
    while "$ref" in schema:
        schema = file.schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _parameter(raw: dict[str, Any], file: VendorFile) -> dict[str, Any]:
    schema = convert(raw["schema"] if "schema" in raw else _inline_schema(raw))
    result: dict[str, Any] = {"name": raw["name"], "in": raw["in"]}
    required = raw.get("required", False) or raw["in"] == "path"
    if required:
        result["required"] = True
    kind = _resolved(raw.get("schema", raw), file).get("type")
    if kind in ("array", "object"):
        result |= {"style": "form", "explode": raw.get("collectionFormat", "multi") == "multi"}
    # A list without entries leaves no trace in a query, and a path with an empty part is another path.
    if required and kind == "array":
        schema = {"minItems": 1, **schema}
    elif raw["in"] == "path" and schema.get("type") == "string":
        schema = {"minLength": 1, **schema}
    return {**result, "schema": schema}


def _inline_schema(raw: dict[str, Any]) -> dict[str, Any]:
    """Swagger 2 writes a parameter's constraints beside its name; the rest of its keys are no schema."""
    return {key: value for key, value in raw.items() if key not in ("name", "in", "required", "allowEmptyValue")}


def _response(status: str, raw: dict[str, Any], file: VendorFile) -> dict[str, Any]:
    result: dict[str, Any] = {"description": _PHRASES.get(status, f"Status {status}")}
    if file.is_swagger:
        schemas = {_JSON: raw["schema"]} if "schema" in raw else {}
    else:
        content = raw.get("content", {})
        schemas = {name: content[name]["schema"] for name in _ANSWER_TYPES if name in content}
    if schemas:
        result["content"] = {name: {"schema": convert(schema)} for name, schema in schemas.items()}
    return result
