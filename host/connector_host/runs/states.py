"""How far the incremental runs of a stream have come, so that the next one goes on from there.

Runs of one stream on one instance with the same parameters are a chain. A chain's folder has the engine's state and
keys, and `claim.json`, which says whose file the state's marks are of. A run claims the chain before it reads: from
then on what it writes moves the state. Records of a run that failed, was stopped or was interrupted are copied into
the file of the run that claims the chain next, so that the files of the runs that ended well have every record.
"""

import datetime
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connector_host.contract.errors import ConfigurationError, InUse, UnknownName
from connector_host.engine.files import make_file, make_folder, sync_folder, write_whole
from connector_host.engine.keys import KeyStore
from connector_host.engine.state import FolderState, SyncState

from .pulling import files_of
from .run import DELIVERED, Run
from .store import RunStore

__all__ = ["Claimed", "StreamState", "StreamStates"]

_CLAIM = "claim.json"
_KEPT_PARAMETERS = ("since", "until", "filters", "columns", "normalise")
_START_OVER = "Restore it, or start the stream over, which reads everything again."


class _Claim(msgspec.Struct):
    """Which run the marks of a chain's state are of, from the checkpoint behind `sequence` on.

    Marks up to there are of another run's file, and count only where that file was copied (`copied`). `after` is the
    run that had the chain before.
    """

    run: str
    stream: str
    mode: str
    parameters: dict[str, Any]
    after: str | None = None
    sequence: int = 0
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A chain that a run has claimed. `after` is the run that it goes on from, None where it is the first.

    `goes_on` tells that another run was broken off, which this one has taken over; `appends`, that this one had come
    to its end before, and reads what has come since. `warning` is a sentence about a state that could not be used.
    """

    state: FolderState
    after: str | None
    goes_on: bool = False
    appends: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where a chain of runs has come to. `run_id` is its last run; `until` is up to when changes have been read.

    `until` is None for streams whose changes are found by comparison; `unfinished` tells that the last run has left
    something for the next.
    """

    stream: str
    mode: str
    parameters: Mapping[str, Any]
    run_id: str
    until: datetime.datetime | None
    unfinished: bool


class StreamStates:
    """The states of a host's instances below a folder. The caller keeps two runs of one stream apart."""

    def __init__(self, folder: Path, runs_folder: Path, runs: RunStore) -> None:
        self._folder = folder
        self._runs_folder = runs_folder
        self._runs = runs

    def claim(self, run: Run, mode: str) -> Claimed:
        """Give a run the chain that it belongs to; one that has it already keeps it.

        Raises ConfigurationError for a state that cannot be used.
        """
        chain = self._chain_of(run, mode)
        own = self._runs_folder / run.id
        claim = _read(chain)
        if claim is not None and claim.run == run.id:
            state = _ClaimedState(chain, claim)
            known = _load(state)
            if not claim.copied and (known is None or known.sequence <= claim.sequence):
                _clear(own, run.what)
                return Claimed(state, claim.after)
            return Claimed(state, claim.after, appends=known is not None and known.run is None)
        _clear(own, run.what)
        known = _load(FolderState(chain, run.what))
        new, warning = _Claim(run.id, run.what, mode, _kept(run.parameters)), ""
        if known is not None and (claim is None or not self._hand_over(claim, known, new)):
            warning = "The files of the run before are not there any more, so that everything is read again."
            new = _Claim(run.id, run.what, mode, _kept(run.parameters))
            shutil.rmtree(chain)
            _clear(own, run.what)
            known = None
        make_folder(chain, mode=0o700)
        write_whole(chain / _CLAIM, msgspec.json.encode(new))
        goes_on = known is not None and known.run is not None
        return Claimed(_ClaimedState(chain, new), new.after, goes_on, warning=warning)

    def taken_over_by(self, run: Run) -> str | None:
        """Return the id of a later run that has gone on from where this one broke off, None where there is none."""
        mode = run.reach.get("mode")
        try:
            claim = _read(self._chain_of(run, mode)) if mode else None
        except ConfigurationError:
            return None
        owner = self._run_of(claim) if claim is not None and claim.run != run.id else None
        return owner.id if owner is not None and owner.started_at > run.started_at else None

    def list(self, instance_id: str, stream: str | None = None) -> tuple[StreamState, ...]:
        """Return the states of an instance's streams; those that cannot be read are left out."""
        found = []
        for chain in sorted(self._folder.glob(f"{instance_id}/*/")):
            try:
                claim = _read(chain)
                known = FolderState(chain, claim.stream).peek() if claim is not None else None
            except ConfigurationError:
                continue
            if claim is not None and stream in (None, claim.stream):
                found.append(
                    StreamState(
                        claim.stream,
                        claim.mode,
                        claim.parameters,
                        claim.run,
                        known.until if known is not None else None,
                        known is None or known.run is not None,
                    )
                )
        return tuple(found)

    def reset(self, instance_id: str, stream: str) -> int:
        """Forget how far a stream's runs have come, whatever their parameters; return how many chains there were."""
        chains = [each for each in self._folder.glob(f"{instance_id}/*/") if each.name.rpartition("-")[0] == stream]
        for chain in chains:
            shutil.rmtree(chain)
        return len(chains)

    def owners(self) -> frozenset[str]:
        """Return the ids of the runs that have a chain; what those that did not end well have read is still needed."""
        found = set()
        for chain in self._folder.glob("*/*/"):
            try:
                claim = _read(chain)
            except ConfigurationError:
                continue
            if claim is not None:
                found.add(claim.run)
        return frozenset(found)

    def instance_ids(self) -> frozenset[str]:
        """Return the ids of the instances that have states."""
        return frozenset(folder.name for folder in self._folder.glob("*/"))

    def forget(self, instance_id: str) -> None:
        """Remove the states of an instance that is no more."""
        shutil.rmtree(self._folder / instance_id, ignore_errors=True)

    def _chain_of(self, run: Run, mode: str) -> Path:
        text = msgspec.json.encode([mode, _kept(run.parameters)], order="sorted")
        digest = hashlib.sha256(text).hexdigest()[:16]
        return self._folder / run.instance_id / f"{run.what}-{digest}"

    def _run_of(self, claim: _Claim | None) -> Run | None:
        if claim is None:
            return None
        try:
            return self._runs.get(claim.run)
        except UnknownName:
            return None

    def _hand_over(self, claim: _Claim, state: SyncState, new: _Claim) -> bool:
        """Say in the new claim what it goes on from; False where what it needs for that is not there any more."""
        new.sequence = state.sequence
        before = self._run_of(claim)
        if before is not None and before.state in DELIVERED:
            new.after = claim.run
            return True
        if state.sequence <= claim.sequence and not claim.copied:
            # It has not come to a checkpoint of its own.
            new.after = claim.after
            return True
        new.after, new.copied = claim.run, True
        records, letters = files_of(claim.stream)
        marks = {records: state.sink.offset if state.sink is not None else 0, letters: state.dead_offset}
        own = self._runs_folder / new.run
        make_folder(own, mode=0o700)
        return all(
            _copied(self._runs_folder / claim.run / name, own / name, size) for name, size in marks.items() if size
        )


class _ClaimedState(FolderState):
    """The state of a chain for the run that has claimed it: marks of files that it has not got do not count."""

    def __init__(self, folder: Path, claim: _Claim) -> None:
        super().__init__(folder, claim.stream)
        self._claim = claim

    def load(self, keys: KeyStore) -> SyncState | None:
        """See StateStore."""
        state = super().load(keys)
        if state is not None and state.sequence <= self._claim.sequence and not self._claim.copied:
            state.sink, state.dead_offset = None, 0
            if state.run is not None:
                state.run.counts = {}
        return state


def _copied(source: Path, target: Path, size: int) -> bool:
    """Copy the beginning of a file, so that it is safe; False where it is not as long as that."""
    if not source.is_file() or source.stat().st_size < size:
        return False
    make_file(target)
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
    sync_folder(target.parent)
    return True


def _load(store: FolderState) -> SyncState | None:
    """Return the state of the last checkpoint, also where a crash has left the file one behind."""
    if not store.folder.is_dir():
        return None
    try:
        keys = store.keys()
        try:
            return store.load(keys)
        finally:
            keys.close()
    except InUse:
        raise
    except ConfigurationError as error:
        raise ConfigurationError(error.message, next_step=_START_OVER) from error


def _kept(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that say what a run reads, without which it would be another chain."""
    kept = {name: parameters[name] for name in _KEPT_PARAMETERS if parameters.get(name)}
    return {**kept, "columns": sorted(kept["columns"])} if "columns" in kept else kept


def _read(chain: Path) -> _Claim | None:
    path = chain / _CLAIM
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Claim)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The state in {path} cannot be used: {error}.", next_step=_START_OVER) from error


def _clear(folder: Path, stream: str) -> None:
    """Remove what an earlier attempt has written and no checkpoint counts."""
    for name in files_of(stream):
        (folder / name).unlink(missing_ok=True)
