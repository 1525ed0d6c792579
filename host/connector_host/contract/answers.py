"""What a vendor's answer means: the pure step between HTTP and the decision what to do."""

import datetime
import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

__all__ = ["Meaning", "MeaningKind", "RawAnswer", "meaning_of_status", "retry_after_seconds", "words_of"]

_LONGEST_MESSAGE = 500
_MOST_READ = 20_000
"""Characters of a page that are looked at for a message."""
_LONGEST_WAIT = 1e9
"""About thirty years: what a vendor asks for beyond it is the same as for ever."""


class MeaningKind(StrEnum):
    """The kinds of answers, by what follows from them."""

    SUCCESS = "success"
    END_OF_LIST = "end of list"
    QUOTA = "quota"
    SESSION_DEAD = "session dead"
    CREDENTIALS_REJECTED = "credentials rejected"
    PERMISSION_MISSING = "permission missing"
    NOT_FOUND = "not found"
    REFUSED = "refused"
    VENDOR_FAULT = "vendor fault"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came: header names are lower case, the body is the decoded bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the decoded body.

        Raises msgspec.DecodeError when it is not JSON, UnicodeDecodeError, and RecursionError when it is too deep.
        """
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer means. `message` is the vendor's own, without secrets; `retry_after` is in seconds."""

    kind: MeaningKind
    message: str = ""
    retry_after: float | None = None


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, None when it is missing or makes no sense.

    Both forms of RFC 9110 are read: a number of seconds, and a date (against `now`, seconds since the epoch).
    """
    if not value:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), _LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return min(max(0.0, moment.timestamp() - now), _LONGEST_WAIT)


def words_of(answer: RawAnswer) -> str:
    """Return the vendor's message in an error: JSON object, bare string, problem document, HTML or plain text."""
    try:
        body = answer.json() if answer.body.strip() else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = answer.body[:_MOST_READ].decode("utf-8", "replace")
        if "<" in text:
            title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
            text = title[1] if title else re.sub(r"<[^>]*>", " ", text)
        return _short(text)
    if isinstance(body, str):
        return _short(body)
    if isinstance(body, dict):
        return _short(_words_of_object(body))
    return ""


def _words_of_object(body: Mapping[str, Any]) -> str:
    fields = {key.lower(): value for key, value in body.items()}
    words = [
        _words_of_object(value) if isinstance(value, dict) else str(value)
        for key in ("message", "detail", "title", "error_description", "error")
        if (value := fields.get(key))
    ]
    text = words[0] if words else ""
    errors = fields.get("errors")
    if isinstance(errors, dict):
        listed = "; ".join(
            f"{name}: {' '.join(map(str, said)) if isinstance(said, list) else said}" for name, said in errors.items()
        )
        text = f"{text} {listed}".strip()
    elif isinstance(errors, list):
        text = f"{text} {'; '.join(map(str, errors))}".strip()
    return text


def _short(text: str) -> str:
    """Return one line of bounded length, cut between words: half a secret could not be recognised any more."""
    text = " ".join(text[:_MOST_READ].split())
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return text[:_LONGEST_MESSAGE].rpartition(" ")[0] + "…"


_KIND_OF_STATUS = {
    401: MeaningKind.SESSION_DEAD,
    403: MeaningKind.PERMISSION_MISSING,
    404: MeaningKind.NOT_FOUND,
    408: MeaningKind.VENDOR_FAULT,
    429: MeaningKind.QUOTA,
}
_FIRST_REDIRECT, _FIRST_REFUSAL, _FIRST_FAULT = 300, 400, 500


def meaning_of_status(answer: RawAnswer, now: float) -> Meaning:
    """Return what the HTTP status says; the meaning where a connector's own hook has no opinion."""
    status = answer.status
    if status < _FIRST_REDIRECT:
        return Meaning(MeaningKind.SUCCESS)
    message = words_of(answer)
    if status < _FIRST_REFUSAL:
        return Meaning(MeaningKind.UNREADABLE, f"redirected to {answer.headers.get('location', 'nowhere')}")
    kind = _KIND_OF_STATUS.get(status)
    if kind is None:
        kind = MeaningKind.VENDOR_FAULT if status >= _FIRST_FAULT else MeaningKind.REFUSED
    retry_after = retry_after_seconds(answer.headers.get("retry-after"), now)
    return Meaning(kind, message, retry_after)
