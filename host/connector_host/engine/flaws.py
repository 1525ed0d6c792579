"""What is wrong with a body that came under a success status. Pure functions."""

import httpx
import msgspec

from connector_host.contract.answers import MeaningKind, RawAnswer
from connector_host.contract.catalogue import Operation

from .answer import is_json
from .retry import Happened, Transport

__all__ = ["flaw_of", "is_cut_off"]


def flaw_of(operation: Operation, raw: RawAnswer) -> Happened | None:
    """Return what is wrong with the body of a success, None where it is as promised or may be empty."""
    if operation.response is None or not raw.body.strip() or is_json(raw.body):
        return None
    kind = operation.resolved(operation.response).get("type")
    content_type = raw.headers.get("content-type", "")
    if kind == "string" and "html" not in content_type:
        return None
    return Transport.CUT_OFF if _breaks_off(raw.body) else MeaningKind.UNREADABLE


def _breaks_off(body: bytes) -> bool:
    """Tell whether the body begins as JSON and ends too early."""
    if body.lstrip()[:1] not in (b"{", b"[", b'"'):
        return False
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except (UnicodeDecodeError, RecursionError):
        return False
    return False


def is_cut_off(response: httpx.Response, body: bytes) -> bool:
    """Tell whether fewer bytes came than the answer announced; packed bodies are checked when they are unpacked."""
    length = response.headers.get("content-length", "")
    if not length.isdecimal() or "content-encoding" in response.headers or response.request.method == "HEAD":
        return False
    return len(body) < int(length)
