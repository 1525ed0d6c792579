"""What an instance is: a connector, set up with one account at the vendor."""

import datetime
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector_host.contract.errors import InputInvalid, Problem

__all__ = ["LONGEST_NAME", "Instance", "InstanceState", "checked_name", "name_key"]

LONGEST_NAME = 80


class InstanceState(StrEnum):
    """Whether an instance can be used, as far as is known."""

    OK = "ok"
    UNTESTED = "untested"
    INCOMPLETE = "incomplete"
    REJECTED = "rejected"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Instance:
    """One set-up of a connector, without its credentials: nothing in it is secret.

    `account` is who answered at the last test, `tested_at` when that was (aware, UTC). `state_message` says why the
    vendor rejects the credentials, or which secrets are missing.
    """

    id: str
    name: str
    connector: str
    connector_version: int
    authentication: str
    settings: Mapping[str, Any]
    account: str
    tested_at: datetime.datetime | None
    state: InstanceState
    state_message: str
    created_at: datetime.datetime
    updated_at: datetime.datetime


def checked_name(name: str) -> str:
    """Return the name of an instance as it is kept: without surrounding blanks, composed (NFC).

    Raises InputInvalid unless it has 1 to 80 visible characters and could stand in a path.
    """
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept:
        raise _refused("name-empty", "the name is empty.", "Give it a name, such as the shop's.")
    if len(kept) > LONGEST_NAME:
        raise _refused(
            "name-too-long", f"the name has {len(kept)} characters.", f"Use at most {LONGEST_NAME} characters."
        )
    if not kept.isprintable():
        raise _refused("name-invisible", "the name has characters that do not show.", "Use letters, digits and blanks.")
    if any(separator in kept for separator in "/\\") or kept in {".", ".."}:
        raise _refused("name-like-a-path", "the name looks like a path.", "Leave out / and \\.")
    return kept


def name_key(name: str) -> str:
    """Return what makes a name unique: two names that differ in case only have the same."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def _refused(rule: str, sentence: str, fix: str) -> InputInvalid:
    return InputInvalid("The instance's name cannot be used.", problems=[Problem("name", rule, sentence, fix)])
