"""The input of a stream's requests: its template, filled with the times that a pull is limited to."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_host.contract.errors import ConfigurationError, InputInvalid, Problem
from connector_host.contract.paths import set_path
from connector_host.contract.stream_models import Stream, StreamList
from connector_host.contract.variables import render, variables_in

__all__ = ["Window", "days_needed", "filled", "input_of", "limits_of", "takes_since", "takes_until", "window_of"]


@dataclass(frozen=True, slots=True)
class Window:
    """The times that a pull is limited to, both ends included, in UTC; None where it is open."""

    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


def window_of(stream: Stream, since: datetime.datetime | None, until: datetime.datetime | None, now: float) -> Window:
    """Return the times to ask for: those given, or the stream's default where the vendor refuses to list without.

    The times given have a zone. Raises InputInvalid for an empty window, and limits that the stream does not know.
    """
    problems = []
    knows_since, knows_until = limits_of(stream)
    for name, moment, known in (("since", since, knows_since), ("until", until, knows_until)):
        if moment is not None and not known:
            sentence = f"{stream.title} cannot be limited by this: the vendor has no such filter."
            problems.append(Problem(name, "no-time-filter", sentence, "Leave it out."))
    if not problems and since is not None and until is not None and since > until:
        problems.append(Problem("since", "empty-window", "This is later than until.", "Swap the two."))
    if problems:
        raise InputInvalid(f"{stream.name} cannot be pulled like this.", problems=problems)
    since, until = (moment.astimezone(datetime.UTC) if moment else None for moment in (since, until))
    days = days_needed(stream)
    if days is not None:
        until = until or datetime.datetime.fromtimestamp(now, datetime.UTC)
        since = since or until - datetime.timedelta(days=days)
    return Window(since, until)


def days_needed(stream: Stream) -> int | None:
    """Return how many days are read where no times are given and the vendor lists nothing without; None where it does.

    Which way will be read is not known yet: times that one of them needs do no harm to the other.
    """
    listed = [each.time for lists, _ in stream.ways for each in lists]
    every = listed if stream.code is None else [stream.code.time]
    return max((time.default_days for time in every if time is not None and time.required), default=None)


def limits_of(stream: Stream) -> tuple[bool, bool]:
    """Tell whether a pull of a stream can be limited by its earliest time, and whether by its latest."""
    if stream.code is not None:
        time = stream.code.time
        return time is not None, time is not None and time.until
    return any(map(takes_since, stream.lists)), any(map(takes_until, stream.lists))


def takes_since(each: StreamList) -> bool:
    """Tell whether a list can be limited by its earliest time."""
    return each.time is not None or "since" in variables_in(each.input)


def takes_until(each: StreamList) -> bool:
    """Tell whether a list can be limited by its latest time."""
    return (each.time is not None and each.time.until is not None) or "until" in variables_in(each.input)


def input_of(
    each: StreamList, window: Window, settings: Mapping[str, Any], fields: Mapping[str, Any], date_format: str
) -> dict[str, Any]:
    """Return the input of one page: the list's template with its variables, times and the page's `fields`.

    A field of the template that is nothing but a variable without a value is left out.
    """
    since = _written(window.since, date_format)
    until = _written(_rounded_up(window.until, date_format), date_format)
    values = {**settings, "since": since, "until": until, "page": next(iter(fields.values()), 1)}
    value = filled(each.input, values)
    if each.time is not None:
        for path, text in ((each.time.since, since), (each.time.until, until)):
            if path is not None and text is not None:
                set_path(value, path, text)
    for path, field in fields.items():
        set_path(value, path, field)
    return value


def filled(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a template with its variables filled in, without the fields whose variable has no value.

    Raises ConfigurationError for a variable that stands inside a text and has no value.
    """
    try:
        found: dict[str, Any] = _filled(dict(template), values)
    except KeyError as error:
        raise ConfigurationError(
            f"The stream uses the variable {error}, which has no value.",
            next_step="Set it in the instance's settings.",
        ) from None
    return found


def _written(moment: datetime.datetime | None, date_format: str) -> str | None:
    return None if moment is None else moment.strftime(date_format)


def _rounded_up(moment: datetime.datetime | None, date_format: str) -> datetime.datetime | None:
    """Move the end to the next second where the vendor takes no fractions, so that none of the window is lost."""
    if moment is None or not moment.microsecond or "%f" in date_format:
        return moment
    return moment.replace(microsecond=0) + datetime.timedelta(seconds=1)


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    """Return a copy with the variables filled in, without the fields whose variable has no value."""
    if not isinstance(template, dict):
        return render(template, values)
    filled = {key: _filled(each, values) for key, each in template.items()}
    return {key: each for key, each in filled.items() if each is not None or template[key] is None}
