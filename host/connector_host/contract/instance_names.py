"""What an instance, an environment or a token may be called: the same for forms and for the store."""

import re
import unicodedata
from typing import Any

from .errors import InputInvalid, Problem

__all__ = ["NAME_RULE", "checked_name", "name_key"]

_LONGEST = 80
_SEPARATORS = r"\/\\"
_INVISIBLE = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    r"\ud800-\udfff\ue000-\uf8ff\ufeff\ufff9-\ufffb"
)
"""Controls, blanks other than the common one, direction marks, halves of pairs and private use, as a class of JSON
Schema's patterns."""

NAME_RULE: dict[str, Any] = {
    "title": "Name",
    "type": "string",
    "minLength": 1,
    "maxLength": _LONGEST,
    "pattern": rf"^(?! *\.{{0,2}} *$)[^{_SEPARATORS}{_INVISIBLE}]*$",
    "x-message": f"Give it a name of 1 to {_LONGEST} characters, without / and \\.",
}
"""The rule as JSON Schema, for forms."""

_IS_PATH = re.compile(rf"[{_SEPARATORS}]|\A\.{{1,2}}\Z")
_DOES_NOT_SHOW = re.compile(rf"[{_INVISIBLE}]")


def checked_name(name: str) -> str:
    """Return a name as it is kept: without surrounding blanks, composed (NFC).

    Raises InputInvalid unless it has 1 to 80 visible characters and could stand in a path.
    """
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept:
        raise _refused("name-empty", "the name is empty.", "Give it a name, such as the shop's.")
    if len(kept) > _LONGEST:
        raise _refused("name-too-long", f"the name has {len(kept)} characters.", f"Use at most {_LONGEST} characters.")
    if _DOES_NOT_SHOW.search(kept):
        raise _refused("name-invisible", "the name has characters that do not show.", "Use letters, digits and blanks.")
    if _IS_PATH.search(kept):
        raise _refused("name-like-a-path", "the name looks like a path.", "Leave out / and \\.")
    return kept


def name_key(name: str) -> str:
    """Return what makes a name unique: two names that differ in case only have the same."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def _refused(rule: str, sentence: str, fix: str) -> InputInvalid:
    return InputInvalid("The instance's name cannot be used.", problems=[Problem("name", rule, sentence, fix)])
