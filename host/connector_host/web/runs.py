"""The pages of runs: lists of them, a run as it goes on, and what it leaves behind."""

import json
import math
from collections.abc import AsyncIterator
from typing import Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from connector_host.contract.errors import ConnectorHostError
from connector_host.instances import Instance
from connector_host.runs import (
    EventKind,
    Run,
    RunEvent,
    RunKind,
    Runner,
    RunState,
    parameters_in_words,
    reach_in_words,
)

from . import pulls
from .host import WebHost, host_of
from .instances import instance_of, zone_of
from .pages import Filled, action, fragment, go, page, page_number, render, session_of, when
from .refused import refuse, refused_of

__all__ = ["routes"]

_PER_PAGE = 25
_LINES = 200
_LETTERS, _LONGEST_LETTER = 20, 4_000


def routes() -> list[BaseRoute]:
    """Return the routes of this module, and of the page that begins runs."""
    return [
        *pulls.routes(),
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
    search = request.query_params.get("search", "").strip()[:200]
    wanted: dict[str, Any] = {"instance_id": instance.id if instance else None, "state": state, "search": search}
    total = store.count(**wanted)
    pages = max(1, math.ceil(total / _PER_PAGE))
    number = min(page_number(request), pages)
    found = store.list(**wanted, offset=(number - 1) * _PER_PAGE, limit=_PER_PAGE)
    part = request.headers.get("hx-target") == "runs"
    return render(
        request,
        "_runs.html" if part else template,
        instance=instance,
        runs=found,
        states=[each.value for each in RunState],
        state=state.value if state else "",
        search=search,
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
        **_status_of(request, run, instance),
        refused=refused_of(request, f"/runs/{run.id}/resume", f"/runs/{run.id}/again"),
        parameters=parameters_in_words(run.parameters),
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


def _status_of(request: Request, run: Run, instance: Instance) -> dict[str, Any]:
    zone = zone_of(instance)
    taken_over_by = _runner(request).states.taken_over_by(run) if run.state.can_resume else None
    return {
        "run": run,
        "reach": reach_in_words(run, _filled_in, lambda moment: when(moment, zone), _link),
        "taken_over_by": taken_over_by,
        "instance": instance,
        "zone": zone,
        "hide": host_of(request).redactor,
    }


def _filled_in(sentence: str, /, **parts: Any) -> Markup:
    return Markup(sentence).format(**parts)  # noqa: S704 -- sentences are the program's own; parts are escaped


def _link(run_id: str) -> Markup:
    return Markup('<a href="/runs/{}">an earlier run</a>').format(run_id)


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
    status = await run_in_threadpool(_status_of, request, run, instance)
    return fragment(request, "_run_status.html", **status)


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
        return refuse(request, f"/runs/{run_id}", failure=error)
    return go(f"/runs/{run.id}")
