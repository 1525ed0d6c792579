"""The pages of runs: a stream to pull, a run as it goes on, and what it leaves behind."""

import json
import math
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from connector_host.contract.errors import ConnectorHostError, InputInvalid, InUse, Problem
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.stream_models import Stream
from connector_host.forms import read_form, widget_of
from connector_host.instances import Instance
from connector_host.runs import (
    STREAM_PARAMETERS,
    EventKind,
    Run,
    RunEvent,
    RunKind,
    Runner,
    RunState,
    ScheduleStore,
    check_work,
)

from .host import WebHost, host_of
from .instances import instance_of, zone_of
from .pages import Filled, action, fragment, go, page, page_number, query_of, render, session_of

__all__ = ["routes"]

_PER_PAGE = 25
_LINES = 200
_LETTERS, _LONGEST_LETTER = 20, 4_000
_FORM: dict[str, Any] = {
    **STREAM_PARAMETERS,
    "properties": {
        key: {**rule, "title": title}
        for (key, rule), title in zip(
            STREAM_PARAMETERS["properties"].items(), ("From", "Until", "At most"), strict=True
        )
    },
}
_UI: dict[str, Any] = {
    "since": {
        "ui:help": "A date, a date with a time, or a span back from now such as 7d or 12h.",
        "ui:placeholder": "7d",
    },
    "until": {"ui:help": "The same; included."},
    "limit": {"ui:help": "Records."},
}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances/{id}/streams/{stream}", show_stream),
        action("/instances/{id}/streams/{stream}", start),
        action("/instances/{id}/streams/{stream}/schedules", plan),
        action("/instances/{id}/streams/{stream}/schedules/{schedule}", unplan),
        page("/instances/{id}/runs", list_of_instance),
        page("/runs", list_runs),
        page("/runs/{run}", show),
        page("/runs/{run}/live", live),
        page("/runs/{run}/files/{file}", download),
        action("/runs/{run}/stop", stop),
        action("/runs/{run}/resume", resume),
        action("/runs/{run}/again", again),
    ]


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner


def show_stream(request: Request) -> Response:
    """Show the form that begins a run; the address holds what was typed, and `check` asks what is wrong with it."""
    host, instance = host_of(request), instance_of(request)
    stream = _stream(host, instance, request)
    given = {key: value for key, value in request.query_params.items() if key in _FORM["properties"]}
    problems = _problems(host, instance, stream, given) if "check" in request.query_params else []
    return render(
        request,
        "instance_stream.html",
        instance=instance,
        stream=stream,
        widget=widget_of(_FORM, _UI, given, name="parameters", problems=problems),
        problems=problems,
        runs=_runner(request).store.list(instance_id=instance.id, what=stream.name, limit=5),
        schedules=[each for each in _schedules(host).list(instance_id=instance.id) if each.what == stream.name],
        zone=zone_of(instance),
        tab="streams",
        hide=host.redactor,
    )


async def start(request: Request, filled: Filled) -> Response:
    """Begin a run and show it."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    stream = await run_in_threadpool(_stream, host, instance, request)
    given = read_form(_FORM, _UI, filled, name="parameters")
    parameters: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    back = f"/instances/{instance.id}/streams/{stream.name}"
    try:
        run = await _runner(request).start(instance.name, RunKind.STREAM, stream.name, parameters)
    except InputInvalid:
        return go(f"{back}?{query_of({key: str(value) for key, value in parameters.items()}, check=1)}")
    except InUse as error:
        session_of(request).note(f"{error.message} {error.next_step}", "warning")
        return go(back)
    return go(f"/runs/{run.id}")


async def plan(request: Request, filled: Filled) -> Response:
    """Let runs of the stream begin by themselves."""
    host, session = host_of(request), session_of(request)
    instance = await run_in_threadpool(instance_of, request)
    stream = await run_in_threadpool(_stream, host, instance, request)
    text = (filled.get("when") or ("",))[-1].strip()
    times: dict[str, Any] = {"every_minutes": int(text)} if re.fullmatch("[0-9]{1,9}", text) else {"cron": text}
    try:
        await run_in_threadpool(lambda: _schedules(host).add(instance, RunKind.STREAM, stream.name, **times))
    except InputInvalid as error:
        session.note(" ".join(f"{each.sentence} {each.fix}".strip() for each in error.problems), "warning")
    else:
        session.note("It is planned; it runs while this host is up.")
    return go(f"/instances/{instance.id}/streams/{stream.name}#schedules")


async def unplan(request: Request, filled: Filled) -> Response:
    """Remove a schedule; its runs stay."""
    del filled
    instance = await run_in_threadpool(instance_of, request)
    await run_in_threadpool(_schedules(host_of(request)).remove, request.path_params["schedule"])
    session_of(request).note("The schedule is removed.")
    return go(f"/instances/{instance.id}/streams/{request.path_params['stream']}#schedules")


def _schedules(host: WebHost) -> ScheduleStore:
    return ScheduleStore(host.store.database)


def _problems(host: WebHost, instance: Instance, stream: Stream, given: Mapping[str, str]) -> list[Problem]:
    value = read_form(_FORM, _UI, {key: [text] for key, text in given.items()}, name="")
    try:
        check_work(host.connector(instance.connector), RunKind.STREAM, stream.name, dict(value or {}))
    except InputInvalid as error:
        return list(error.problems)
    return []


def list_of_instance(request: Request) -> Response:
    """List the runs of one instance."""
    instance = instance_of(request)
    return _list(request, "instance_runs.html", instance=instance, tab="runs")


def list_runs(request: Request) -> Response:
    """List the runs of all instances."""
    return _list(request, "runs.html", instance=None)


def _list(request: Request, template: str, *, instance: Instance | None, **context: Any) -> Response:
    host, store = host_of(request), _runner(request).store
    state = next((each for each in RunState if each.value == request.query_params.get("state")), None)
    instance_id = instance.id if instance else None
    total = store.count(instance_id=instance_id, state=state)
    pages = max(1, math.ceil(total / _PER_PAGE))
    number = min(page_number(request), pages)
    found = store.list(instance_id=instance_id, state=state, offset=(number - 1) * _PER_PAGE, limit=_PER_PAGE)
    part = request.headers.get("hx-target") == "runs"
    return render(
        request,
        "_runs.html" if part else template,
        instance=instance,
        runs=found,
        states=[each.value for each in RunState],
        state=state.value if state else "",
        total=total,
        page=number,
        pages=pages,
        base=f"/instances/{instance.id}/runs" if instance else "/runs",
        zone_of=_zones(host, found),
        hide=host.redactor,
        **context,
    )


def _zones(host: WebHost, runs: tuple[Run, ...]) -> dict[str, str]:
    return {each: zone_of(host.store.get_by_id(each)) for each in {run.instance_id for run in runs}}


def show(request: Request) -> Response:
    """Show a run: its state, counts, log from `after` on, samples and files."""
    host, store = host_of(request), _runner(request).store
    run = store.get(request.path_params["run"])
    instance = host.store.get_by_id(run.instance_id)
    text = request.query_params.get("after", "0")
    after = int(text) if text.isascii() and text.isdigit() and len(text) < len("1234567890") else 0
    lines = store.events(run.id, after=after, limit=_LINES + 1, kinds=(EventKind.LOG, EventKind.STATE))
    return render(
        request,
        "run.html",
        **_status_of(host, run, instance),
        lines=lines[:_LINES],
        more=lines[_LINES - 1].number if len(lines) > _LINES else 0,
        dead=_dead_letters(request, run),
        samples=store.events(run.id, limit=5, kinds=(EventKind.SAMPLE,)),
        live=f"/runs/{run.id}/live?after={lines[-1].number if lines else after}",
        tab="runs",
    )


def _dead_letters(request: Request, run: Run) -> list[str]:
    """Return the first records that could not be read, each with its reason, for people."""
    path = _runner(request).folder_of(run.id) / f"{run.what}.dead.jsonl"
    if run.kind is not RunKind.STREAM or not path.is_file():
        return []
    with path.open("rb") as file:
        lines = [file.readline()[:_LONGEST_LETTER] for _ in range(_LETTERS)]
    return [line.decode("utf-8", "replace").strip() for line in lines if line.strip()]


def _status_of(host: WebHost, run: Run, instance: Instance) -> dict[str, Any]:
    return {"run": run, "instance": instance, "zone": zone_of(instance), "hide": host.redactor}


async def live(request: Request) -> Response:
    """Send a run's progress as server-sent events, until it has ended; each is a piece of the page."""
    host, runner = host_of(request), _runner(request)
    run = await run_in_threadpool(runner.store.get, request.path_params["run"])
    instance = await run_in_threadpool(host.store.get_by_id, run.instance_id)
    last = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    after = int(last) if last.isascii() and last.isdigit() else 0

    async def pieces() -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        kinds = (EventKind.LOG, EventKind.STATE, EventKind.PROGRESS)
        async for event in runner.store.follow(run.id, after=after, kinds=kinds):
            if event.kind is not EventKind.PROGRESS:
                yield _message("line", event.number, await _line(request, event, zone_of(instance)))
            if event.kind is not EventKind.LOG:
                yield _message("status", event.number, await _status(request, run.id, instance))
        yield _message("status", after, await _status(request, run.id, instance))
        yield "event: end\ndata: {}\n\n"

    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(pieces(), media_type="text/event-stream", headers=headers)


async def _line(request: Request, event: RunEvent, zone: str) -> str:
    return fragment(request, "_run_line.html", event=event, zone=zone, hide=host_of(request).redactor)


async def _status(request: Request, run_id: str, instance: Instance) -> str:
    run = await run_in_threadpool(_runner(request).store.get, run_id)
    return fragment(request, "_run_status.html", **_status_of(host_of(request), run, instance))


def _message(kind: str, number: int, html: str) -> str:
    return f"event: {kind}\nid: {number}\ndata: {json.dumps(html)}\n\n"


def download(request: Request) -> Response:
    """Return a file of a run."""
    runner = _runner(request)
    run = runner.store.get(request.path_params["run"])
    name = request.path_params["file"]
    path = runner.folder_of(run.id) / name
    if name not in {file.name for file in run.files} or not path.is_file():
        raise HTTPException(404)
    kind = "application/x-ndjson" if name.endswith(".jsonl") else "application/octet-stream"
    return FileResponse(path, media_type=kind, filename=name)


async def stop(request: Request, filled: Filled) -> Response:
    """Stop a run; what it has so far is kept."""
    del filled
    run = await _runner(request).stop(request.path_params["run"])
    if run.state is RunState.STARTED:
        session_of(request).note("It is asked to stop.")
    return go(f"/runs/{run.id}")


async def resume(request: Request, filled: Filled) -> Response:
    """Let a run that ended early go on."""
    del filled
    return await _begun(request, _runner(request).resume)


async def again(request: Request, filled: Filled) -> Response:
    """Begin a new run of the same work."""
    del filled
    return await _begun(request, _runner(request).again)


async def _begun(request: Request, begin: Any) -> Response:
    run_id = request.path_params["run"]
    try:
        run: Run = await begin(run_id)
    except ConnectorHostError as error:
        session_of(request).note(host_of(request).redactor(f"{error.message} {error.next_step}"), "warning")
        return go(f"/runs/{run_id}")
    return go(f"/runs/{run.id}")


def _stream(host: WebHost, instance: Instance, request: Request) -> Stream:
    streams = {stream.name: stream for stream in host.connector(instance.connector).manifest.streams}
    name = request.path_params["stream"]
    if name not in streams:
        raise HTTPException(404, did_you_mean(name, streams))
    return streams[name]
