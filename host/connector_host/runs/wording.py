"""What a run was asked for and what it reads, in words for people; every face tells it in these."""

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .run import Run, RunState

__all__ = ["MODE_WORDS", "parameters_in_words", "reach_in_words"]

MODE_WORDS: dict[str, str] = {
    "auto": "What changed since the last run",
    "incremental": "What changed since the last run",
    "changes": "What differs from the last run: created, updated, removed",
    "full": "Everything",
}
"""What each mode of a stream's run reads."""

_NAMES = {"since": "From", "until": "Until", "limit": "At most"}

_FULL = "It reads everything."
_FIRST = {
    "incremental": "No run with the same parameters came before it, so it reads everything.",
    "changes": "No run with the same parameters came before it, so every record counts as created.",
}
_AFTER = {
    "incremental": "It goes on from {after} and reads what changed.",
    "changes": "It compares with what was known after {after}.",
}
_BETWEEN = {
    (True, True): "The times are from {since} until {until}.",
    (True, False): "The times are from {since} on.",
    (False, True): "The times are until {until}.",
}
_ENDED = {
    "incremental": "The next run goes on from {read_up_to}.",
    "changes": "The next run compares with what this one has seen.",
}
_LEFT = "It has not come to its end; the next run goes on from there."

_Text = TypeVar("_Text", bound=str)


def parameters_in_words(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a run was asked for, as names and values; what has no word of its own is shown as JSON."""
    told = []
    for name, value in parameters.items():
        match name:
            case "mode":
                told.append(("Reads", MODE_WORDS.get(value, str(value))))
            case "filters":
                told += [(f"Only {key}", str(each)) for key, each in value.items()]
            case "columns":
                told.append(("Fields", ", ".join(value)))
            case "normalise":
                told += [("Dates", "RFC 3339 in UTC")] if value else []
            case _:
                text = value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)
                told.append((_NAMES.get(name, name.capitalize()), str(text)))
    return told


def reach_in_words(
    run: Run, formats: Callable[..., _Text], at: Callable[[datetime.datetime], Any], link: Callable[[str], Any]
) -> list[_Text]:
    """Return sentences about from where a run goes on, what it reads, and where the next one begins.

    `formats` fills the parts, given by name, into a sentence; `at` tells a time and `link` a run's id, as the face
    does. A run that has not begun to read has no sentence.
    """
    reach, mode = run.reach, run.reach.get("mode")
    if mode is None:
        return []
    times = {
        name: at(datetime.datetime.fromisoformat(reach[name]))
        for name in ("since", "until", "read_up_to")
        if reach.get(name)
    }
    after = reach.get("after")
    begins = _FULL if mode == "full" else _AFTER[mode] if after else _FIRST[mode]
    told = [formats(begins, after=link(after) if after else "")]
    if between := _BETWEEN.get(("since" in times, "until" in times)):
        told.append(formats(between, **times))
    if mode == "full" or run.state is RunState.STARTED or "complete" not in reach:
        return told
    if not reach["complete"]:
        told.append(formats(_LEFT))
    elif mode == "changes" or "read_up_to" in times:
        told.append(formats(_ENDED[mode], **times))
    return told
