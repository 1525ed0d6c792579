"""An action that writes numbers, and what its pushes send."""

import json

import httpx

RECORD = {
    "type": "object",
    "required": ["n"],
    "properties": {"n": {"type": "integer"}, "note": {"type": "string", "default": "none"}, "why": {"type": "string"}},
}
LOST = httpx.ReadError("the connection broke")


def action(**more):
    return {
        "name": "write",
        "title": "Write",
        "description": "Writes a number.",
        "entity_type": "Custom",
        "operation": "shop.Write",
        "input": {"n": "{{record.n}}", "note": "{{record.note}}"},
        "record_schema": "write.json",
        **more,
    }


def numbers(vendor):
    return [json.loads(request.content)["n"] for request in vendor.sent if request.url.path == "/write"]
