"""What a Linnworks answer means, where its HTTP status alone would mislead.

The quota text comes with other statuses than 429, the end of a list is a 400, and a missing permission is told in
words (all observed).
"""

import re

from connector_host.contract.answers import Meaning, MeaningKind, RawAnswer, words_of
from connector_host.contract.catalogue import Operation

__all__ = ["read_answer", "says_quota_exceeded"]

_QUOTA = re.compile(r"api calls? quota exceeded", re.IGNORECASE)
_PERMISSION = re.compile(
    r"\bpermissions?\b|\baccess (?:is )?denied\b|\bnot (?:been )?authori[sz]ed to\b", re.IGNORECASE
)
_SHORT = 2048
_FIRST_ERROR = 400
_MAY_TELL_PERMISSION = {400, 401, 403}


def says_quota_exceeded(answer: RawAnswer) -> bool:
    """Tell whether the answer is the quota text; records are longer than it ever is."""
    return len(answer.body) <= _SHORT and bool(_QUOTA.search(answer.body.decode("utf-8", "replace")))


def read_answer(operation: Operation, answer: RawAnswer) -> Meaning | None:
    """Return what the answer means, None where its status says it."""
    if says_quota_exceeded(answer) and _is_error_text(answer):
        return Meaning(MeaningKind.QUOTA, words_of(answer))
    if answer.status < _FIRST_ERROR:
        return None
    words = words_of(answer)
    if _ends_list(operation, answer, words):
        return Meaning(MeaningKind.END_OF_LIST, words)
    if answer.status in _MAY_TELL_PERMISSION and _PERMISSION.search(words):
        return Meaning(MeaningKind.PERMISSION_MISSING, words)
    return None


def _is_error_text(answer: RawAnswer) -> bool:
    """Under a success status only a bare text or an error object counts, not a record that quotes the words."""
    if answer.status >= _FIRST_ERROR:
        return True
    return bool(_QUOTA.match(words_of(answer)))


def _ends_list(operation: Operation, answer: RawAnswer, words: str) -> bool:
    end = (operation.paging or {}).get("end")
    return end is not None and answer.status == end["status"] and words.rstrip(". ") == end["message"].rstrip(". ")
