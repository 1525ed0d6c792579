"""The JSON Schema of connector.yaml for editors: `python -m connector_host.contract.manifest_schema` prints it."""

import sys
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec
from ruamel.yaml import YAML

from .closed import Closed
from .field_texts import field_texts
from .manifest import Manifest

__all__ = ["SCHEMA_FILE", "examples", "manifest_schema"]

SCHEMA_FILE = files("connector_host.contract") / "manifest.schema.json"
"""The committed schema; a test compares it with what this module generates."""


def examples() -> dict[str, Any]:
    """Return examples and counter-examples of every model, by the model's name."""
    text = (files("connector_host.contract") / "examples.yaml").read_text("utf-8")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return loaded


def manifest_schema() -> dict[str, Any]:
    """Return the schema, with the models' examples."""
    schema = Manifest.model_json_schema(by_alias=True)
    known = examples()
    models = {model.__name__: model for model in _models(Closed)}
    for name, definition in (("Manifest", schema), *schema["$defs"].items()):
        for key, text in field_texts(models[name]).items() if name in models else ():
            described = {**definition["properties"][key], "description": text}
            definition["properties"][key] = dict(sorted(described.items()))
    for name, definition in schema["$defs"].items():
        if name in known:
            definition["examples"] = known[name]["examples"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "connector.yaml",
        "examples": known["Manifest"]["examples"],
    }


def _models(base: type[Closed]) -> Iterator[type[Closed]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(manifest_schema()), indent=1).decode() + "\n")
