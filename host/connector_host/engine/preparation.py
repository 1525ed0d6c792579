"""Decides what a run is about: which mode, which window, and whether it goes on with one that was broken off."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from connector_host.contract.clock import Clock
from connector_host.contract.errors import ConfigurationError, InputInvalid, Problem
from connector_host.contract.stream_models import Stream

from .keys import KeyStore
from .plan import Window, window_of
from .selection import Selection, selection_of
from .state import FolderState, RunState, StateStore, SyncState

__all__ = ["Mode", "Prepared", "is_incremental", "limited_by", "prepare"]

_CLOCKS_DIFFER = datetime.timedelta(minutes=5)

Mode = Literal["auto", "full", "incremental", "changes"]


@dataclass(slots=True)
class Prepared:
    """A run as it will be made. `begins` tells that it does not go on with one that was broken off.

    `settled` is the time before which nothing new comes into the vendor's lists; None where they are not limited in
    time.
    """

    state: SyncState
    run: RunState
    window: Window
    selection: Selection
    begins: bool
    settled: datetime.datetime | None


def is_incremental(stream: Stream, streams: Mapping[str, Stream]) -> bool:
    """Tell whether the vendor can list only what changed of a stream, or of one that it takes its values from."""
    return limited_by(stream, streams).incremental


def limited_by(stream: Stream, streams: Mapping[str, Stream]) -> Stream:
    """Return the stream whose times a pull is limited by: the stream itself, or the one it takes its values from."""
    if stream.incremental:
        return stream
    parents = (limited_by(streams[name], streams) for name in stream.parents)
    return next((parent for parent in parents if parent.incremental), stream)


def prepare(
    stream: Stream,
    streams: Mapping[str, Stream],
    store: StateStore,
    clock: Clock,
    asked: Mapping[str, Any],
    *,
    keys: KeyStore | None = None,
) -> Prepared:
    """Return the run that is to be made for what was `asked`; without `keys` nothing is opened or repaired.

    Raises UnknownName and InputInvalid for what cannot be pulled like this, and ConfigurationError for a state that
    cannot be used.
    """
    selection = selection_of(stream, asked["filters"])
    mode = _mode_of(stream, streams, store, asked["mode"])
    state = _state_of(store, keys)
    if state is not None:
        _check_same(stream, state, mode, asked)
    state = state or SyncState.new(
        stream.name, mode, dict(asked["filters"]), columns=_columns(asked), normalise=asked["normalise"]
    )
    request = msgspec.json.encode({**asked, "mode": mode}).decode()
    overlap = datetime.timedelta(seconds=_overlap_of(stream, streams))
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.UTC)
    if state.run is not None and state.run.request == request:
        window = Window(state.run.since, state.run.until)
        return Prepared(state, state.run, window, selection, False, state.run.started - overlap)
    limited = is_incremental(stream, streams)
    window = _window(stream, streams, state, asked, now=now, overlap=overlap if limited else None)
    run = RunState(state.runs + 1, request, now, window.since, window.until)
    if state.mode != "full":
        run.gone = [*state.waiting, *(state.run.gone if state.run is not None else ())]
    state.waiting = []
    if state.run is not None:
        run.number = state.run.number + 1
        if asked["since"] is not None:
            # What the run that was broken off has not read is still to come.
            state.until = state.until or state.run.since
    return Prepared(state, run, window, selection, True, now - overlap)


def _state_of(store: StateStore, keys: KeyStore | None) -> SyncState | None:
    if keys is not None:
        return store.load(keys)
    return store.peek() if isinstance(store, FolderState) else None


def _mode_of(
    stream: Stream, streams: Mapping[str, Stream], store: StateStore, mode: Mode
) -> Literal["full", "incremental", "changes"]:
    incremental = is_incremental(stream, streams)
    if mode == "incremental" and not incremental:
        raise _invalid(stream, "mode", "The vendor cannot list only what changed.", "Choose changes, full or auto.")
    if mode in ("incremental", "changes") and not store.keeps:
        raise _invalid(stream, "mode", f"The mode {mode} needs a place for its state.", "Choose a folder.")
    if mode != "auto":
        return mode
    if not store.keeps:
        return "full"
    return "incremental" if incremental else "changes"


def _check_same(stream: Stream, state: SyncState, mode: str, asked: Mapping[str, Any]) -> None:
    """Refuse what would mix two kinds of content in one place."""
    if state.mode != mode:
        sentence = f"What is there was pulled with the mode {state.mode}."
        raise _invalid(stream, "mode", sentence, f"Use --mode {state.mode}, or another folder.")
    if mode != "full" and state.filters != asked["filters"]:
        kept = ", ".join(f"{name}={value}" for name, value in state.filters.items()) or "none"
        sentence = f"What is there was pulled with other filters: {kept}."
        raise _invalid(stream, "filters", sentence, "Use the same filters, or another folder.")
    written = {"columns": _columns(asked), "normalise": asked["normalise"]}
    for name, value in written.items() if mode != "full" else ():
        before = getattr(state, name)
        if before not in (None, value):
            told = ", ".join(before) or "all" if isinstance(before, list) else "yes" if before else "no"
            sentence = f"What is there was pulled with another choice of {name}: {told}."
            raise _invalid(stream, name, sentence, "Use the same, or another folder.")
    if mode == "full":
        state.filters = dict(asked["filters"])
    state.columns, state.normalise = _columns(asked), asked["normalise"]


def _columns(asked: Mapping[str, Any]) -> list[str]:
    return sorted(set(asked["columns"]))


def _window(
    stream: Stream,
    streams: Mapping[str, Stream],
    state: SyncState,
    asked: Mapping[str, Any],
    *,
    now: datetime.datetime,
    overlap: datetime.timedelta | None,
) -> Window:
    """Return the times to read: those asked for, or from a little before where the last run had read up to."""
    since, until = asked["since"], asked["until"]
    window = window_of(limited_by(stream, streams), since, until, now.timestamp())
    if overlap is None:
        return window
    if state.mode == "incremental" and since is None:
        before = state.until
        if before is not None:
            _check_clock(stream, before, now, overlap)
            window = Window(before - overlap, window.until)
    return Window(window.since, window.until or now)


def _check_clock(
    stream: Stream, before: datetime.datetime, now: datetime.datetime, overlap: datetime.timedelta
) -> None:
    """Refuse a state of a clock that was ahead: nothing says from when on changes would be missing."""
    if before - max(overlap, _CLOCKS_DIFFER) > now:
        raise ConfigurationError(
            f"The state of {stream.name} says that it was read up to {before:%Y-%m-%d %H:%M:%S} UTC, "
            f"and this computer's clock shows {now:%Y-%m-%d %H:%M:%S} UTC.",
            next_step="Correct the clock. If it was ahead at the last pull, pull once with a since before that pull.",
        )


def _overlap_of(stream: Stream, streams: Mapping[str, Stream]) -> int:
    times = [stream.code.time] if stream.code is not None else [each.time for each in stream.lists]
    own = [time.overlap for time in times if time is not None]
    return max([*own, *(_overlap_of(streams[name], streams) for name in stream.parents)], default=0)


def _invalid(stream: Stream, where: str, sentence: str, fix: str) -> InputInvalid:
    problem = Problem(where, "pull", sentence, fix)
    return InputInvalid(f"{stream.name} cannot be pulled like this.", problems=[problem])
