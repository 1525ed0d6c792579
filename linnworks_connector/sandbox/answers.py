"""What the sandbox answers: values, nothing, and refusals in the shapes that Linnworks uses."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NoReturn

import msgspec

from linnworks_connector.sandbox.operations import Operation

JSON: Final = "application/json; charset=utf-8"
PROBLEM: Final = "application/problem+json; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """An HTTP answer. `content` is what goes over the wire."""

    status: int = 200
    content: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Raised by a handler to answer an error of the vendor."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def refuse(message: str, status: int = 400) -> NoReturn:
    """Answer with an error."""
    raise Refused(message, status)


def value(body: Any, status: int = 200) -> Answer:
    """Answer with a JSON value."""
    return Answer(status, msgspec.json.encode(body))


def nothing(status: int = 204) -> Answer:
    """Answer with an empty body: 204, or 200 where the operation does that."""
    return Answer(status)


def error(operation: Operation | None, status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    """Return an error in the shape that the operation's API uses: an object with Message, or a problem document."""
    extra = headers or {}
    if operation is not None and operation.base in ("v1", "v2"):
        problem = {
            "type": f"https://httpstatuses.io/{status}",
            "title": HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error",
            "status": status,
            "detail": message,
            "instance": f"/{operation.base}{operation.path}",
        }
        return Answer(status, msgspec.json.encode(problem), PROBLEM, extra)
    return Answer(status, msgspec.json.encode({"Code": None, "Message": message}), JSON, extra)


def html(status: int) -> Answer:
    """Return what a proxy in front of the vendor answers."""
    title = f"{status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else 'Error'}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"
    return Answer(status, page.encode(), HTML)
