"""The control surface over HTTP, under `/_sandbox/`, for tests in other processes and for people with curl."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from linnworks_connector.sandbox import answers
from linnworks_connector.sandbox.answers import Answer
from linnworks_connector.sandbox.control import Control
from linnworks_connector.sandbox.engine import Asked
from linnworks_connector.sandbox.faults import FaultSyntaxError

PREFIX: Final = "/_sandbox/"

Body = dict[str, Any]
Action = Callable[[Control, Body, str], Any]


def _advance(control: Control, body: Body, _: str) -> Any:
    control.advance(float(body["seconds"]))
    return {"now": control.clock.now().isoformat()}


def _set_fault(control: Control, body: Body, _: str) -> Any:
    control.set_fault(str(body["fault"]))
    return control.faults.listing()


def _log(control: Control, body: Body, _: str) -> Any:
    wanted, limit = body.get("operation"), int(body.get("limit", 100))
    entries = [entry._asdict() for entry in control.log if wanted in (None, entry.operation)]
    return entries[-limit:]


def _edit_order(control: Control, body: Body, key: str) -> Any:
    tag = body.get("tag")
    control.edit_order(key, tracking=body.get("tracking"), tag=None if tag is None else int(tag), town=body.get("town"))
    return {"edited": key}


def _process_order(control: Control, _: Body, key: str) -> Any:
    control.process_order(key)
    return {"processed": key}


def _archive_item(control: Control, _: Body, key: str) -> Any:
    control.archive_item(key)
    return {"archived": key}


def _set_stock(control: Control, body: Body, key: str) -> Any:
    control.set_stock(key, str(body["location"]), int(body["quantity"]))
    return {"stock": key}


_ACTIONS: Final[dict[tuple[str, str], Action]] = {
    ("GET", "state"): lambda control, _body, _key: control.summary(),
    ("GET", "log"): _log,
    ("GET", "faults"): lambda control, _body, _key: control.faults.listing(),
    ("POST", "faults"): _set_fault,
    ("DELETE", "faults"): lambda control, body, _key: {"cleared": control.clear_faults(body.get("pattern"))},
    ("POST", "advance"): _advance,
    ("POST", "expire-sessions"): lambda control, _body, _key: {"expired": control.expire_sessions()},
    ("PATCH", "orders/*"): _edit_order,
    ("POST", "orders/*/process"): _process_order,
    ("POST", "items/*/archive"): _archive_item,
    ("POST", "items/*/stock"): _set_stock,
}


def control_answer(control: Control, asked: Asked) -> Answer:
    """Answer a request to the control surface: 200, 400 for what cannot be read, 404 for what is not there."""
    parts = asked.path.removeprefix(PREFIX).strip("/").split("/")
    key = unquote(parts[1]) if len(parts) > 1 else ""
    shape = "/".join("*" if place == 1 else part for place, part in enumerate(parts))
    action = _ACTIONS.get((asked.method, shape))
    if action is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _ACTIONS)
        return answers.error(None, 404, f"The control surface has: {known}")
    try:
        return answers.value(action(control, _body(asked), key))
    except FaultSyntaxError as error:
        return answers.error(None, 400, str(error))
    except KeyError as error:
        missing = str(error.args[0])
        status, text = (404, missing) if " " in missing else (400, f"{missing} is required in the JSON body")
        return answers.error(None, status, text)
    except (ValueError, TypeError) as error:
        return answers.error(None, 400, f"The request cannot be read: {error}")


def _body(asked: Asked) -> Body:
    body: Body = {name: texts[-1] for name, texts in parse_qs(asked.query).items()}
    if asked.body.strip():
        decoded = msgspec.json.decode(asked.body)
        if not isinstance(decoded, dict):
            raise ValueError("the body must be a JSON object")
        body.update(decoded)
    return body
