"""What the arguments of the Python API have to be, as a table: a wrong one is told before anything is done with it."""

from collections.abc import AsyncIterable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import httpx

from connector_host.contract.action_models import Action
from connector_host.contract.errors import InputInvalid, Problem
from connector_host.contract.manifest import BodyFormat
from connector_host.contract.schemas import kind_of
from connector_host.contract.stream_models import Stream

from .checkpoints import Cadence
from .door import Timeouts
from .preparation import Mode
from .retry import RetryLimits

__all__ = ["check_arguments"]


@dataclass(frozen=True, slots=True)
class _Takes:
    """What an argument takes: a test, its words after `This is a text, not`, what to give, and whether None will do."""

    fits: Callable[[Any], bool]
    wanted: str
    fix: str
    optional: bool = False


def check_arguments(message: str, /, **given: Any) -> None:
    """Raise InputInvalid with every argument that is of another kind than it takes, or a time without a zone.

    `message` says what cannot be done. No value stands in the error.
    """
    found = (_problem(name, value) for name, value in given.items())
    problems = [each for each in found if each is not None]
    if problems:
        raise InputInvalid(message, problems=problems)


def _problem(name: str, value: Any) -> Problem | None:
    takes = _TAKES[name]
    if value is None and takes.optional:
        return None
    if not takes.fits(value):
        return Problem(name, "argument", f"This is {_kind(value)}, not {takes.wanted}.", takes.fix)
    if isinstance(value, datetime) and value.utcoffset() is None:
        return Problem(name, "time-zone", "This time has no zone.", takes.fix)
    return None


def _kind(value: Any) -> str:
    return "None" if value is None else kind_of(value)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _has(*names: str) -> Callable[[Any], bool]:
    """Tell things by what they have: their classes are built on the engine, or come with an extra."""
    return lambda value: all(hasattr(value, name) for name in names)


def _is_connector(value: Any) -> bool:
    return isinstance(value, str) or _has("manifest", "check_credentials")(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _are_folders(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(each, Path) for each in value)


def _are_texts(value: Any) -> bool:
    fits = isinstance(value, Collection) and not isinstance(value, str | bytes | bytearray | Mapping)
    return fits and all(isinstance(each, str) for each in value)


def _are_filters(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for pair in value.items() for each in pair)


def _are_records(value: Any) -> bool:
    return isinstance(value, Iterable | AsyncIterable) and not isinstance(value, str | bytes | bytearray | Mapping)


def _are_encodings(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, BodyFormat) for each in value.values())


_MOMENT = "Give a datetime with a zone, such as datetime(2026, 1, 31, tzinfo=UTC)."
_SWITCH = "Give True or False."
_MODES: tuple[str, ...] = get_args(Mode)
_TAKES = {
    "action": _Takes(_is(str, Action), "the name of an action", "Give its name as a text."),
    "allow_unknown": _Takes(_is(bool), "a bool", _SWITCH),
    "authentication": _Takes(
        _is(str), "the name of a method", "Give its name as a text, or leave it out.", optional=True
    ),
    "cadence": _Takes(
        _is(Cadence), "a Cadence", "Give one, such as Cadence(seconds=10), or leave it out.", optional=True
    ),
    "clock": _Takes(
        _has("time", "monotonic", "sleep"), "a clock", "Leave it out for the connection's own.", optional=True
    ),
    "columns": _Takes(
        _are_texts, "a list of texts", 'Give names of fields, such as ["id"], or leave it out for all.', optional=True
    ),
    "connection": _Takes(
        _has("connector", "surroundings", "stream", "ask"),
        "a Connection",
        "Give what connect_async or open_instance_async has opened.",
    ),
    "connector": _Takes(
        _is_connector, "a connector", "Give the name of an installed one, or what load_connector has returned."
    ),
    "credentials": _Takes(_is(Mapping), "a dict", 'Give the values by key, such as {"token": "…"}.'),
    "dead_letters": _Takes(
        _has("open", "put", "commit", "close"),
        "a place for dead letters",
        'Give one, such as DeadLetterFile(Path("orders.dead.jsonl")), or leave it out.',
        optional=True,
    ),
    "dedupe": _Takes(_is(bool), "a bool", _SWITCH),
    "dry_run": _Takes(_is(bool), "a bool", _SWITCH),
    "encodings": _Takes(
        _are_encodings,
        "a dict of body formats",
        "Give a BodyFormat for each operation's id, such as BodyFormat.FORM.",
        optional=True,
    ),
    "filters": _Takes(
        _are_filters,
        "a dict of texts",
        'Give each filter\'s value as a text by its name, such as {"status": "open"}, or leave it out.',
        optional=True,
    ),
    "folders": _Takes(_are_folders, "a list of paths", 'Give a list of Path, such as [Path("my-connector")].'),
    "given": _Takes(
        _is(Mapping), "a dict", 'Give the operation\'s fields by name, such as {"page": 1}.', optional=True
    ),
    "home": _Takes(
        _has("create", "database_url"),
        "a Home",
        'Give one, such as Home(Path("data")), or leave it out.',
        optional=True,
    ),
    "limit": _Takes(
        _is_count, "a whole number from 0 on", "Give one, such as 100, or leave it out for all records.", optional=True
    ),
    "limits": _Takes(
        _is(RetryLimits), "RetryLimits", "Give them, such as RetryLimits(attempts=2), or leave them out.", optional=True
    ),
    "load": _Takes(
        callable, "a function", "Give one that returns a connector for its name, or leave it out.", optional=True
    ),
    "mode": _Takes(
        lambda value: isinstance(value, str) and value in _MODES, "a mode", f"Give one of: {', '.join(_MODES)}."
    ),
    "name": _Takes(_is(str), "the name of an instance", "Give its name as a text."),
    "normalise": _Takes(_is(bool), "a bool", _SWITCH),
    "observer": _Takes(
        callable, "a function", "Give one that takes the facts of a call, or leave it out.", optional=True
    ),
    "operation_id": _Takes(_is(str), "the id of an operation", "Give it as a text: its area, a dot and its name."),
    "progress": _Takes(callable, "a function", "Give one that takes the progress, or leave it out.", optional=True),
    "records": _Takes(
        _are_records, "a list of records", "Give them in a list or an iterator; a single one as [record]."
    ),
    "results": _Takes(
        _is(Path), "a path", 'Give a Path, such as Path("results.jsonl"), or leave it out.', optional=True
    ),
    "resume": _Takes(_is(bool), "a bool", _SWITCH),
    "settings": _Takes(_is(Mapping), "a dict", 'Give the values by key, such as {"time_zone": "UTC"}.', optional=True),
    "since": _Takes(_is(datetime), "a datetime", _MOMENT, optional=True),
    "sink": _Takes(
        _has("open", "write", "commit", "finish", "close"),
        "a sink",
        'Give one, such as JsonLinesSink(Path("orders.jsonl")).',
    ),
    "state": _Takes(
        _has("keeps", "keys", "load", "save"),
        "a place for the state",
        'Give one, such as FolderState(Path(".state"), "orders"), or MemoryState() for a run that stands alone.',
    ),
    "stream": _Takes(_is(str, Stream), "the name of a stream", "Give its name as a text."),
    "timeouts": _Takes(
        _is(Timeouts), "Timeouts", "Give them, such as Timeouts(read=60), or leave them out.", optional=True
    ),
    "total_timeout": _Takes(
        _is_seconds, "a number above 0", "Give seconds, such as 30, or leave it out.", optional=True
    ),
    "transport": _Takes(
        _is(httpx.AsyncBaseTransport),
        "a transport",
        "Give an httpx.AsyncBaseTransport, or leave it out.",
        optional=True,
    ),
    "until": _Takes(_is(datetime), "a datetime", _MOMENT, optional=True),
}
