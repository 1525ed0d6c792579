"""Runs and what happens in them, and schedules."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse

from connector_host.contract.errors import UnknownName
from connector_host.instances import Instance
from connector_host.runs import (
    SCHEDULE_TIMES,
    EventKind,
    RunKind,
    RunState,
    StartedBy,
    check_work,
)

from .endpoint import Call, Endpoint
from .schemas import LIMIT, NAME, OFFSET, RUN_PARAMETERS, page_of, record, ref

__all__ = ["ENDPOINTS"]

_WORD = {"type": "string", "minLength": 1, "maxLength": 200}
_SEARCH = {
    "type": "string",
    "maxLength": 200,
    "description": "Words that stand in the name of the stream, the id of the operation or the instance's name.",
}
_KIND = {"type": "string", "enum": [each.value for each in RunKind], "default": "stream"}
_AFTER = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0, "description": "Number of the last one."}


def list_runs(call: Call) -> Any:
    """List runs, the newest first."""
    query, store = call.query, call.host.runner.store
    instance = call.host.instance(query["instance"]).id if "instance" in query else None
    state = RunState(query["state"]) if "state" in query else None
    search = query.get("search", "")
    found = store.list(instance_id=instance, state=state, search=search, offset=query["offset"], limit=query["limit"])
    total = store.count(instance_id=instance, state=state, search=search)
    return {"total": total, "items": [asdict(each) for each in found]}


async def start_run(call: Call) -> Any:
    """Begin a run, and answer at once."""
    body = call.body
    run = await call.host.runner.start(
        body["instance"],
        RunKind(body.get("kind", "stream")),
        body["what"],
        body.get("parameters"),
        environment=body.get("environment"),
        started_by=StartedBy.PROGRAM,
    )
    return asdict(run)


def show_run(call: Call) -> Any:
    """Show a run."""
    return asdict(call.host.runner.store.get(call.path["run"]))


async def stop_run(call: Call) -> Any:
    """Stop a run where everything is safe."""
    return asdict(await call.host.runner.stop(call.path["run"]))


async def resume_run(call: Call) -> Any:
    """Let a run that ended early go on."""
    return asdict(await call.host.runner.resume(call.path["run"]))


async def repeat_run(call: Call) -> Any:
    """Begin a new run of the same work."""
    return asdict(await call.host.runner.again(call.path["run"], started_by=StartedBy.PROGRAM))


def list_events(call: Call) -> Any:
    """List what happened in a run after an event."""
    kinds = [EventKind(call.query["kind"])] if "kind" in call.query else []
    store = call.host.runner.store
    found = store.events(call.path["run"], after=call.query["after"], limit=call.query["limit"], kinds=kinds)
    return {"total": len(found), "items": [asdict(each) for each in found]}


async def follow_run(call: Call) -> Response:
    """Send what happens in a run as server-sent events, until it has ended."""
    store, run_id = call.host.runner.store, call.path["run"]
    await run_in_threadpool(store.get, run_id)

    async def sent() -> AsyncIterator[bytes]:
        async for event in store.follow(run_id, after=call.query["after"]):
            yield f"id: {event.number}\nevent: {event.kind.value}\ndata: ".encode()
            yield msgspec.json.encode(event.data) + b"\n\n"

    return StreamingResponse(sent(), media_type="text/event-stream")


def download_file(call: Call) -> Response:
    """Give a file that a run has left."""
    run = call.host.runner.store.get(call.path["run"])
    name = call.path["file"]
    path = call.host.runner.folder_of(run.id) / name
    if name not in {file.name for file in run.files} or not path.is_file():
        known = ", ".join(file.name for file in run.files) or "none"
        raise UnknownName(f'The run has no file "{name}".', next_step=f"It has: {known}.")
    return FileResponse(path, media_type="application/octet-stream", filename=name)


def list_states(call: Call) -> Any:
    """List how far the incremental runs of an instance's streams have come."""
    found = call.host.runner.states.list(_instance_of(call).id, call.query.get("stream"))
    return {"total": len(found), "items": [asdict(each) for each in found]}


async def reset_state(call: Call) -> Any:
    """Let the next incremental run of a stream read everything."""
    instance = await run_in_threadpool(_instance_of, call)
    await call.host.runner.reset(instance.name, call.path["stream"])


def _instance_of(call: Call) -> Instance:
    return call.host.instance(call.path["instance"], call.query.get("environment"))


def list_schedules(call: Call) -> Any:
    """List schedules."""
    instance = call.host.instance(call.query["instance"]).id if "instance" in call.query else None
    found = call.host.schedules.list(instance_id=instance)
    return {"total": len(found), "items": [asdict(each) for each in found]}


def create_schedule(call: Call) -> Any:
    """Plan work."""
    body, host = call.body, call.host
    instance = host.instance(body["instance"], body.get("environment"))
    kind, parameters = RunKind(body.get("kind", "stream")), body.get("parameters") or {}
    what = check_work(host.connector(instance.connector), kind, body["what"], parameters)
    times = {key: body[key] for key in SCHEDULE_TIMES if key in body}
    return asdict(host.schedules.add(instance, kind, what, parameters, **times))


def show_schedule(call: Call) -> Any:
    """Show a schedule."""
    return asdict(call.host.schedules.get(call.path["schedule"]))


def change_schedule(call: Call) -> Any:
    """Let a schedule rest, or begin runs again."""
    return asdict(call.host.schedules.set_enabled(call.path["schedule"], call.body["enabled"]))


def remove_schedule(call: Call) -> Any:
    """Remove a schedule; its runs stay."""
    call.host.schedules.remove(call.path["schedule"])


_ENVIRONMENT = {"environment": {**NAME, "description": "Virtual environment whose replacements are used."}}
_WORK = {"kind": _KIND, "parameters": RUN_PARAMETERS, "environment": NAME}
_RUNS, _SCHEDULES = "runs", "schedules"
ENDPOINTS = (
    Endpoint(
        "GET",
        "/runs",
        list_runs,
        "List runs",
        _RUNS,
        gives=page_of("Run"),
        query={
            "instance": NAME,
            "state": {"type": "string", "enum": [each.value for each in RunState]},
            "search": _SEARCH,
            "offset": OFFSET,
            "limit": LIMIT,
        },
        errors=(404,),
    ),
    Endpoint(
        "POST",
        "/runs",
        start_run,
        "Start a run",
        _RUNS,
        gives=ref("Run"),
        status=201,
        body=record(instance=NAME, what=_WORD, optional=_WORK),
        errors=(404, 409),
    ),
    Endpoint("GET", "/runs/{run}", show_run, "Show a run", _RUNS, gives=ref("Run")),
    Endpoint("POST", "/runs/{run}/stop", stop_run, "Stop a run", _RUNS, gives=ref("Run")),
    Endpoint("POST", "/runs/{run}/resume", resume_run, "Resume a run", _RUNS, gives=ref("Run"), errors=(409,)),
    Endpoint("POST", "/runs/{run}/again", repeat_run, "Run again", _RUNS, gives=ref("Run"), status=201, errors=(409,)),
    Endpoint(
        "GET",
        "/runs/{run}/events",
        list_events,
        "List events",
        _RUNS,
        gives=page_of("Event"),
        query={
            "after": _AFTER,
            "limit": LIMIT,
            "kind": {"type": "string", "enum": [each.value for each in EventKind]},
        },
    ),
    Endpoint(
        "GET",
        "/runs/{run}/stream",
        follow_run,
        "Follow a run",
        _RUNS,
        gives={"type": "string"},
        media_type="text/event-stream",
        query={"after": _AFTER},
    ),
    Endpoint(
        "GET",
        "/runs/{run}/files/{file}",
        download_file,
        "Download a file",
        _RUNS,
        gives={"type": "string", "format": "binary"},
        media_type="application/octet-stream",
    ),
    Endpoint(
        "GET",
        "/instances/{instance}/states",
        list_states,
        "List how far runs have come",
        _RUNS,
        gives=page_of("StreamState"),
        query={"stream": _WORD, **_ENVIRONMENT},
    ),
    Endpoint(
        "DELETE",
        "/instances/{instance}/states/{stream}",
        reset_state,
        "Start a stream over",
        _RUNS,
        status=204,
        query=_ENVIRONMENT,
        errors=(409,),
    ),
    Endpoint(
        "GET",
        "/schedules",
        list_schedules,
        "List schedules",
        _SCHEDULES,
        gives=page_of("Schedule"),
        query={"instance": NAME},
        errors=(404,),
    ),
    Endpoint(
        "POST",
        "/schedules",
        create_schedule,
        "Add a schedule",
        _SCHEDULES,
        gives=ref("Schedule"),
        status=201,
        body=record(instance=NAME, what=_WORD, optional={**_WORK, **SCHEDULE_TIMES}),
        errors=(404,),
    ),
    Endpoint("GET", "/schedules/{schedule}", show_schedule, "Show a schedule", _SCHEDULES, gives=ref("Schedule")),
    Endpoint(
        "PATCH",
        "/schedules/{schedule}",
        change_schedule,
        "Enable or disable a schedule",
        _SCHEDULES,
        gives=ref("Schedule"),
        body=record(enabled={"type": "boolean"}),
    ),
    Endpoint("DELETE", "/schedules/{schedule}", remove_schedule, "Remove a schedule", _SCHEDULES, status=204),
)
