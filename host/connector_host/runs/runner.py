"""Runs work on instances in this process, for pages, programs, schedules and the command line alike."""

import asyncio
import contextlib
import functools
import logging
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import anyio

from connector_host.connectors import load_connector
from connector_host.contract.clock import Clock, SystemClock
from connector_host.contract.errors import ConfigurationError, ConnectorHostError, InUse, UnknownName
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.secrets import Redactor
from connector_host.embedding import open_instance_async
from connector_host.engine import Connection
from connector_host.engine.files import make_folder
from connector_host.instances import EnvironmentStore, Home, Instance, InstanceStore, Lease

from . import calling, pulling
from .liveness import holding, is_held
from .parameters import check_work, wanted_of
from .recorder import Recorder
from .run import Run, RunFile, RunKind, RunState, StartedBy
from .states import StreamStates
from .store import RunStore
from .threads import in_thread

__all__ = ["Runner"]

_log = logging.getLogger("connector_host.runs")

_SHUT_DOWN = ("The host was shut down.", "Resume it.")
_KILLED = ("The host was killed, or its machine was.", "Resume it.")


@dataclass
class _Work:
    """A run that this process works on."""

    run: Run
    recorder: Recorder
    held: ExitStack
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    shutting_down: bool = False
    task: "asyncio.Task[Run] | None" = None


class Runner:
    """The runs of this process, for `async with`; leaving it interrupts those that are still under way.

    Methods raise UnknownName for instances, streams, operations and runs that are not there, InputInvalid for
    parameters that are not taken, ConfigurationError for an instance that cannot be used, and InUse when the stream is
    already being run on the instance, in any process.
    """

    def __init__(self, home: Home, folders: Sequence[Path] = (), *, clock: Clock | None = None) -> None:
        self._home = home.create()
        self._folders = tuple(folders)
        self._clock = clock or SystemClock()
        self._instances = InstanceStore.open(self._home, clock=clock)
        self._environments = EnvironmentStore(self._instances, clock=clock)
        self.store = RunStore(self._instances.database, clock=clock)
        self.states = StreamStates(home.states, home.runs, self.store)
        self._works: dict[str, _Work] = {}

    async def __aenter__(self) -> Self:
        await in_thread(self.mark_interrupted)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Interrupt what is under way, so that it can be resumed, and close the database."""
        works = list(self._works.values())
        for work in works:
            work.shutting_down = True
            work.scope.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.gather(*(work.task for work in works if work.task), return_exceptions=True)
        self._instances.close()

    async def start(
        self,
        instance: str,
        kind: RunKind,
        what: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        environment: str | None = None,
        started_by: StartedBy = StartedBy.PERSON,
        schedule_id: str | None = None,
    ) -> Run:
        """Begin a run and return at once; the work goes on in the event loop.

        A schedule's run on an instance that cannot be used begins and fails: who reads the runs later sees it there.
        """
        given = dict(parameters or {})
        found = await in_thread(self._environments.resolve, instance, environment)
        if started_by is not StartedBy.SCHEDULE:
            found.check_usable()
        name = await in_thread(self._check, found, kind, what, given)
        run_id = str(uuid.uuid4())
        held = await in_thread(self._hold, run_id, kind, found.id, name)
        try:
            run = await in_thread(
                self.store.add,
                found,
                kind,
                name,
                given,
                run_id=run_id,
                started_by=started_by,
                schedule_id=schedule_id,
            )
        except BaseException:
            held.close()
            raise
        return self._begin(run, held)

    async def resume(self, run_id: str) -> Run:
        """Let a run that ended early go on: from its checkpoint where it has one, from its beginning where not.

        Raises ConfigurationError also when there is nothing to go on with, or a later run has done so.
        """
        before = await in_thread(self.store.get, run_id)
        held = await in_thread(self._hold, run_id, before.kind, before.instance_id, before.what)
        try:
            run = await in_thread(self._restart, before)
        except BaseException:
            held.close()
            raise
        return self._begin(run, held)

    async def again(self, run_id: str, *, started_by: StartedBy = StartedBy.PERSON) -> Run:
        """Begin a new run of the same work."""
        before = await in_thread(self.store.get, run_id)
        return await self.start(before.instance, before.kind, before.what, before.parameters, started_by=started_by)

    async def reset(self, instance: str, stream: str, *, environment: str | None = None) -> int:
        """Let the next incremental run of a stream read everything; return how many states were forgotten.

        Past runs and their files stay.
        """
        found = await in_thread(self._environments.resolve, instance, environment)
        return await in_thread(self._reset, found, stream)

    async def stop(self, run_id: str) -> Run:
        """Ask a run to stop, whichever process works on it; one of this process has stopped when this returns."""
        run = await in_thread(self.store.request_stop, run_id)
        work = self._works.get(run_id)
        if work is None or work.task is None:
            return run
        work.scope.cancel()
        return await self.wait(run_id)

    async def wait(self, run_id: str) -> Run:
        """Wait until a run of this process has ended, and return it; one of another process as it is now."""
        work = self._works.get(run_id)
        if work is not None and work.task is not None:
            return await asyncio.shield(work.task)
        return await in_thread(self.store.get, run_id)

    def mark_interrupted(self) -> tuple[Run, ...]:
        """Mark the runs whose process has died, here or elsewhere, and return them."""
        dead = [run for run in self.store.list(state=RunState.STARTED) if self._is_dead(run)]
        marked = []
        for run in dead:
            message, next_step = _KILLED
            folder = self.folder_of(run.id)
            files = _files_in(folder, {}) if folder.is_dir() else None
            if self.store.mark_interrupted(run.id, message=message, next_step=next_step, files=files):
                self._lease(run.kind, run.instance_id, run.what, run.id).end()
                marked.append(self.store.get(run.id))
        return tuple(marked)

    def folder_of(self, run_id: str) -> Path:
        """Return the folder with the files of a run."""
        return self._home.runs / run_id

    def _is_dead(self, run: Run) -> bool:
        if run.id in self._works:
            return False
        held = is_held(self.folder_of(run.id))
        return self._lease(run.kind, run.instance_id, run.what, run.id).is_over if held is None else not held

    def _restart(self, run: Run) -> Run:
        self._instances.get_by_id(run.instance_id).check_usable()
        if self.states.taken_over_by(run):
            sentence = "A later run has gone on from where this one broke off."
            raise ConfigurationError(sentence, next_step="Run it again.")
        return self.store.restart(run.id)

    def _reset(self, instance: Instance, stream: str) -> int:
        known = {each.stream for each in self.states.list(instance.id)}
        if stream not in known:
            connector = load_connector(instance.connector, self._folders)
            names = [each.name for each in connector.manifest.streams]
            if stream not in names:
                raise UnknownName(
                    f'{connector.manifest.label} has no stream "{stream}".',
                    next_step=did_you_mean(stream, names) or f"It has: {', '.join(names) or 'none'}.",
                )
        self.mark_interrupted()
        with self._lease(RunKind.STREAM, instance.id, stream, "").held_at_once() as is_held_now:
            if not is_held_now:
                raise _in_use(stream, instance.name)
            return self.states.reset(instance.id, stream)

    def _check(self, instance: Instance, kind: RunKind, what: str, parameters: Mapping[str, Any]) -> str:
        connector = load_connector(instance.connector, self._folders)
        return check_work(connector, kind, what, parameters)

    def _lease(self, kind: RunKind, instance_id: str, what: str, run_id: str) -> Lease:
        name = f"run:{instance_id}:{what}" if kind is RunKind.STREAM else f"run:{run_id}"
        return Lease(self._instances.database, name, clock=self._clock, longest_hold=None)

    def _hold(self, run_id: str, kind: RunKind, instance_id: str, what: str) -> ExitStack:
        """Take what keeps two runs apart and tells that this one is alive. Raises InUse."""
        self.mark_interrupted()
        lease = self._lease(kind, instance_id, what, run_id).held_at_once()
        if not lease.__enter__():
            raise _in_use(what, self._instances.get_by_id(instance_id).name)
        stack = ExitStack()
        stack.push(lease)
        try:
            folder = self.folder_of(run_id)
            make_folder(folder, mode=0o700)
            stack.enter_context(holding(folder))
        except BaseException:
            stack.close()
            raise
        return stack

    def _begin(self, run: Run, held: ExitStack) -> Run:
        work = _Work(run, Recorder(self.store, run.id, Redactor(), self._clock, reach=run.reach), held)
        self._works[run.id] = work
        work.task = asyncio.get_running_loop().create_task(self._perform(work), name=f"run {run.id}")
        return run

    async def _perform(self, work: _Work) -> Run:
        """Do the work of a run from its beginning to its end, however it ends."""
        flushing = asyncio.get_running_loop().create_task(work.recorder.keep_flushing())
        flushing.add_done_callback(lambda task: work.scope.cancel() if not task.cancelled() else None)
        ending: dict[str, Any] = {}
        try:
            with work.scope:
                ending = await self._attempt(work)
        except asyncio.CancelledError:
            work.shutting_down = True
        finally:
            flushing.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectorHostError):
                await flushing
        if not ending:
            message, next_step = _SHUT_DOWN if work.shutting_down else ("", "Resume it, or run it again.")
            state = RunState.INTERRUPTED if work.shutting_down else RunState.STOPPED
            ending = {"state": state, "message": message, "next_step": next_step}
        return await self._end(work, ending)

    async def _attempt(self, work: _Work) -> dict[str, Any]:
        """Return how the work ended, as the store keeps it; errors are endings too."""
        run, recorder = work.run, work.recorder
        try:
            instance = await in_thread(self._instances.get_by_id, run.instance_id)
            async with open_instance_async(
                instance.name,
                home=self._home,
                folders=self._folders,
                redactor=recorder.redactor,
                observer=recorder.called,
            ) as connection:
                recorder.stats = connection.stats
                done = await self._do(connection, instance, run, recorder)
        except ConnectorHostError as error:
            recorder.note("error", error.message, request_id=error.call.request_id, operation=error.call.operation)
            return {
                "state": RunState.FAILURE,
                "message": recorder.redactor(error.message),
                "next_step": recorder.redactor(error.next_step),
                "request_id": error.call.request_id,
            }
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run must end and say so
            _log.exception("The run %s ended with a fault of the host.", run.id)
            message = f"Something went wrong inside connector-host ({type(error).__name__})."
            return {"state": RunState.FAILURE, "message": message, "next_step": "Report it with the host's log."}
        return {
            "state": RunState.PARTIAL_SUCCESS if done.partial else RunState.SUCCESS,
            "message": recorder.redactor(done.message),
            "next_step": recorder.redactor(done.next_step),
            "request_id": done.request_id,
            "records": done.records,
        }

    async def _do(self, connection: Connection, instance: Instance, run: Run, recorder: Recorder) -> pulling.Pulled:
        folder = self.folder_of(run.id)
        if run.kind is RunKind.OPERATION:
            return await calling.call(connection, run.what, folder, run.parameters.get("input") or {}, recorder)
        streams = connection.surroundings.streams
        zone = str(instance.settings.get("time_zone", "UTC"))
        stream = connection.stream(run.what)
        wanted = wanted_of(stream, streams, run.parameters, zone=zone, now=run.started_at)
        recorder.reads(mode=wanted.mode)
        if wanted.mode == "full":
            return await pulling.pull(connection, run.what, folder, wanted, recorder)
        claimed = await in_thread(self.states.claim, run, wanted.mode)
        recorder.reads(after=claimed.after)
        if claimed.warning:
            recorder.note("warning", claimed.warning)
        await recorder.flush()
        return await pulling.pull(
            connection,
            run.what,
            folder,
            wanted,
            recorder,
            state=claimed.state,
            counts=run.counts if claimed.appends else None,
            up_to_now=claimed.goes_on,
        )

    async def _end(self, work: _Work, ending: dict[str, Any]) -> Run:
        """Keep how the run ended, and let go of what it held; nothing interrupts this."""
        run = work.run
        records = ending.pop("records", {})
        finish = functools.partial(
            self.store.finish,
            run.id,
            events=work.recorder.pending(),
            counts=work.recorder.counts,
            checkpoint=work.recorder.checkpoint,
            files=_files_in(self.folder_of(run.id), records),
            reach=work.recorder.reach,
            **ending,
        )

        async def end() -> Run:
            try:
                return await in_thread(finish)
            finally:
                self._works.pop(run.id, None)
                await in_thread(work.held.close)

        return await asyncio.shield(asyncio.ensure_future(end()))


def _in_use(what: str, instance: str) -> InUse:
    return InUse(f'A run of {what} on "{instance}" is under way already.', next_step="Wait for it, or stop it first.")


def _files_in(folder: Path, records: Mapping[str, int]) -> list[RunFile]:
    return [
        RunFile(path.name, path.stat().st_size, records.get(path.name))
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "lock"
    ]
