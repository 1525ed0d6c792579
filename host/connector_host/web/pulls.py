"""The page of one stream on an instance: pulled once or by itself, and started over."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.contract.errors import ConfigurationError, InputInvalid, InUse, Problem
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.stream_models import Stream
from connector_host.instances import Instance
from connector_host.runs import RunKind, Runner, Schedule, ScheduleStore, check_times, check_work, parameters_in_words

from .host import WebHost, host_of
from .instances import instance_of, zone_of
from .pages import Filled, action, go, page, render, session_of
from .refused import refuse, refused_of
from .stream_form import StreamForm, Typed

__all__ = ["routes"]

_WHEN = "parameters.when"


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances/{id}/streams/{stream}", show),
        action("/instances/{id}/streams/{stream}", begin),
        page("/instances/{id}/streams/{stream}/reset", ask_to_reset),
        action("/instances/{id}/streams/{stream}/reset", reset),
        page("/instances/{id}/streams/{stream}/schedules/{schedule}/remove", ask_to_unplan),
        action("/instances/{id}/streams/{stream}/schedules/{schedule}/remove", unplan),
    ]


def show(request: Request) -> Response:
    """Show the form that begins a run, empty or as it was refused."""
    host, instance = host_of(request), instance_of(request)
    stream = _stream(host, instance, request)
    form = _form(host, instance, stream)
    refused = refused_of(request, request.url.path)
    runner = _runner(request)
    return render(
        request,
        "instance_stream.html",
        instance=instance,
        stream=stream,
        widget=form.widget(Typed(**refused.typed), refused.problems),
        refused=refused,
        states=runner.states.list(instance.id, stream.name),
        runs=runner.store.list(instance_id=instance.id, what=stream.name, limit=5),
        schedules=_schedules_of(host, instance, stream.name),
        in_words=parameters_in_words,
        zone=zone_of(instance),
        tab="streams",
        hide=host.redactor,
    )


async def begin(request: Request, filled: Filled) -> Response:
    """Begin a run and show it, or let runs begin by themselves."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    stream = await run_in_threadpool(_stream, host, instance, request)
    form = await run_in_threadpool(_form, host, instance, stream)
    typed = form.read(filled)
    again = partial(refuse, request, request.url.path, {"parameters": typed.parameters, "when": typed.when})
    try:
        if typed.when:
            instance.check_usable()
            await run_in_threadpool(_plan, host, instance, stream, typed)
            session_of(request).note("It is planned; it runs while this host is up.")
            return go(_place_of_schedules(request, instance))
        run = await _runner(request).start(instance.name, RunKind.STREAM, stream.name, typed.parameters)
    except InputInvalid as error:
        problems = await run_in_threadpool(_problems, host, instance, stream, typed)
        return again(problems=problems or error.problems)
    except (InUse, ConfigurationError) as error:
        return again(failure=error)
    return go(f"/runs/{run.id}")


def ask_to_reset(request: Request) -> Response:
    """Ask once before a stream is started over."""
    host, instance = host_of(request), instance_of(request)
    stream = _stream(host, instance, request)
    return render(
        request,
        "instance_stream_reset.html",
        instance=instance,
        stream=stream,
        refused=refused_of(request, request.url.path),
        tab="streams",
        hide=host.redactor,
    )


async def reset(request: Request, filled: Filled) -> Response:
    """Let the next incremental run read everything."""
    del filled
    instance = await run_in_threadpool(instance_of, request)
    name = request.path_params["stream"]
    try:
        await _runner(request).reset(instance.name, name)
    except InUse as error:
        return refuse(request, request.url.path, failure=error)
    session_of(request).note("The next run reads everything.")
    return go(f"/instances/{instance.id}/streams/{name}")


def ask_to_unplan(request: Request) -> Response:
    """Ask once before a schedule is removed."""
    host, instance = host_of(request), instance_of(request)
    stream, schedule = _stream(host, instance, request), _schedule(request, instance)
    if schedule is None:
        return go(_place_of_schedules(request, instance))
    return render(
        request,
        "schedule_remove.html",
        instance=instance,
        stream=stream,
        schedule=schedule,
        in_words=parameters_in_words,
        zone=zone_of(instance),
        tab="streams",
        hide=host.redactor,
    )


async def unplan(request: Request, filled: Filled) -> Response:
    """Remove a schedule; its runs stay."""
    del filled
    instance = await run_in_threadpool(instance_of, request)
    schedule = await run_in_threadpool(_schedule, request, instance)
    if schedule is not None:
        await run_in_threadpool(_schedules(host_of(request)).remove, schedule.id)
        session_of(request).note("The schedule is removed.")
    return go(_place_of_schedules(request, instance))


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner


def _schedules(host: WebHost) -> ScheduleStore:
    return ScheduleStore(host.store.database)


def _schedules_of(host: WebHost, instance: Instance, stream: str) -> list[Schedule]:
    return [each for each in _schedules(host).list(instance_id=instance.id) if each.what == stream]


def _schedule(request: Request, instance: Instance) -> Schedule | None:
    """Return the schedule of the address; None when it is removed already."""
    planned = _schedules_of(host_of(request), instance, request.path_params["stream"])
    return next((each for each in planned if each.id == request.path_params["schedule"]), None)


def _place_of_schedules(request: Request, instance: Instance) -> str:
    return f"/instances/{instance.id}/streams/{request.path_params['stream']}#schedules"


def _form(host: WebHost, instance: Instance, stream: Stream) -> StreamForm:
    return StreamForm(host.connector(instance.connector), stream, zone_of(instance))


def _plan(host: WebHost, instance: Instance, stream: Stream, typed: Typed) -> None:
    check_work(host.connector(instance.connector), RunKind.STREAM, stream.name, typed.parameters)
    times = _times_of(typed.when)
    _schedules(host).add(instance, RunKind.STREAM, stream.name, typed.parameters, **times)


def _times_of(text: str) -> Mapping[str, Any]:
    return {"every_minutes": int(text)} if re.fullmatch("[0-9]{1,9}", text) else {"cron": text}


def _problems(host: WebHost, instance: Instance, stream: Stream, typed: Typed) -> list[Problem]:
    found: list[Problem] = []
    try:
        check_work(host.connector(instance.connector), RunKind.STREAM, stream.name, typed.parameters)
    except InputInvalid as error:
        found += error.problems
    if typed.when:
        try:
            check_times({**_times_of(typed.when), "time_zone": zone_of(instance)})
        except InputInvalid as error:
            found += [Problem(_WHEN, each.rule, each.sentence, each.fix) for each in error.problems]
    return found


def _stream(host: WebHost, instance: Instance, request: Request) -> Stream:
    streams = {stream.name: stream for stream in host.connector(instance.connector).manifest.streams}
    name = request.path_params["stream"]
    if name not in streams:
        raise HTTPException(404, did_you_mean(name, streams))
    return streams[name]
