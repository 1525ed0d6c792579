"""What a command is given from outside: JSON from a file or stdin, and key=value arguments."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_host.contract.errors import InputInvalid, Problem

if TYPE_CHECKING:
    from connector_host.contract.catalogue import Operation

__all__ = ["input_of", "json_object"]


def json_object(source: str, *, option: str) -> dict[str, Any]:
    """Return the JSON object in a file, or on stdin for `-`. Raises InputInvalid, which quotes nothing of it."""
    import msgspec  # noqa: PLC0415 -- only when it is needed

    name = "stdin" if source == "-" else source
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        value = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        problem = Problem(name, "file", f"It cannot be read: {error.strerror}.", "Name a file, or - for stdin.")
    except UnicodeDecodeError:
        problem = Problem(name, "utf-8", "It is not UTF-8 text.", "Save it as UTF-8.")
    except msgspec.DecodeError as error:
        problem = Problem(name, "json", f"It is not JSON: {error}.", "Write one JSON object.")
    except RecursionError:
        problem = Problem(name, "json", "It is nested too deeply.", "Write one JSON object.")
    else:
        if isinstance(value, dict):
            return value
        problem = Problem(name, "json", "It is JSON, and no object.", "Write one object: { ... }.")
    raise InputInvalid(f"The value of {option} cannot be used.", problems=[problem])


def input_of(operation: "Operation", given: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return an operation's input from an object and `key=value` arguments, which win.

    A dotted key reaches into objects, a key that comes again makes a list; values take the type of the operation's
    schema. Raises InputInvalid for an argument that is no pair, and for one that leads into a value.
    """
    from connector_host.contract.paths import get_path, set_path  # noqa: PLC0415 -- only when it is needed
    from connector_host.forms import schema_of_field, value_from_text  # noqa: PLC0415 -- heavy

    value = dict(given)
    schema = operation.input_schema
    definitions = schema.get("$defs", {})
    seen: set[str] = set()
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or not key or "" in key.split("."):
            raise _wrong(pair.partition("=")[0], "This is no key=value pair.", "Write it as pageNumber=1.")
        path = key
        if operation.wrapper and not schema_of_field(schema, key):
            path = f"{operation.wrapper}.{key}" if schema_of_field(schema, f"{operation.wrapper}.{key}") else key
        new = value_from_text(text, schema_of_field(schema, path), definitions)
        if path in seen:
            before = get_path(value, path)
            new = [*_listed(before), *_listed(new)]
        seen.add(path)
        try:
            set_path(value, path, new)
        except TypeError:
            raise _wrong(key, "This leads into a value that is no object.", "Give the object as JSON.") from None
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _wrong(where: str, sentence: str, fix: str) -> InputInvalid:
    return InputInvalid("The input is not understood.", problems=[Problem(where, "key-value", sentence, fix)])
