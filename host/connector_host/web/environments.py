"""The pages of virtual environments: which there are, and which instance stands in for which."""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.contract.errors import InputInvalid, NameTaken, Problem, UnknownName
from connector_host.instances import Environment, EnvironmentStore

from .host import host_of
from .pages import Filled, action, go, page, render, session_of
from .refused import problems_at, refuse, refused_of

__all__ = ["routes"]

_MOST_SUGGESTED = 50


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/environments", list_environments),
        action("/environments", add),
        page("/environments/instances", suggest),
        page("/environments/{id}", show),
        action("/environments/{id}/replacements", put),
        page("/environments/{id}/replacements/{instance}/remove", ask_to_drop),
        action("/environments/{id}/replacements/{instance}/remove", drop),
        page("/environments/{id}/remove", ask_to_remove),
        action("/environments/{id}/remove", remove),
    ]


def list_environments(request: Request) -> Response:
    """List the environments with their replacements."""
    found = _environments(request).list()
    return render(request, "environments.html", environments=found, refused=refused_of(request, request.url.path))


async def add(request: Request, filled: Filled) -> Response:
    """Add an environment, and show it: its replacements come next."""
    name = _one(filled, "name")
    try:
        made = await run_in_threadpool(_environments(request).add, name)
    except (InputInvalid, NameTaken) as error:
        return refuse(request, request.url.path, {"name": name}, problems=problems_at("name", error))
    return go(f"/environments/{made.id}")


def suggest(request: Request) -> Response:
    """Return the names of the first instances that fit what is being typed, as options of a list."""
    typed = (request.query_params.get("instance") or request.query_params.get("replacement") or "").strip()[:200]
    found = host_of(request).store.list(typed, limit=_MOST_SUGGESTED)
    return render(request, "_instance_names.html", instances=found, label=host_of(request).label)


def show(request: Request) -> Response:
    """Show which instance stands in for which, and what adds another replacement."""
    host, environment = host_of(request), _environment(request)
    named = {*environment.replacements, *environment.replacements.values()}
    return render(
        request,
        "environment.html",
        environment=environment,
        ids={name: host.store.get(name).id for name in named},
        refused=refused_of(request, f"/environments/{environment.id}/replacements"),
        instances=host.store.list(limit=_MOST_SUGGESTED),
        label=host.label,
    )


async def put(request: Request, filled: Filled) -> Response:
    """Let one instance stand in for another."""
    environment = await run_in_threadpool(_environment, request)
    typed = {name: _one(filled, name) for name in ("instance", "replacement")}
    problems = await run_in_threadpool(_put, request, environment, typed)
    if problems:
        return refuse(request, f"/environments/{environment.id}", typed, problems=problems)
    told = f'In "{environment.name}", "{typed["replacement"]}" stands in for "{typed["instance"]}".'
    session_of(request).note(told)
    return go(f"/environments/{environment.id}")


def _put(request: Request, environment: Environment, typed: Mapping[str, str]) -> list[Problem]:
    """Keep a replacement, or return what is wrong with it."""
    store, problems = host_of(request).store, list[Problem]()
    for field, name in typed.items():
        try:
            store.get(name)
        except UnknownName as error:
            empty = Problem(field, "required", "Write the name of an instance.")
            problems += problems_at(field, error) if name else [empty]
    if problems:
        return problems
    try:
        _environments(request).put(environment.name, **typed)
    except InputInvalid as error:
        return list(problems_at("replacement", error))
    return []


def ask_to_drop(request: Request) -> Response:
    """Ask once before an instance stands for itself again."""
    environment, name = _environment(request), _replaced(request)
    replacement = environment.replacements.get(name)
    if replacement is None:
        return go(f"/environments/{environment.id}")
    return render(request, "replacement_remove.html", environment=environment, name=name, replacement=replacement)


async def drop(request: Request, filled: Filled) -> Response:
    """Let an instance stand for itself again."""
    del filled
    environment = await run_in_threadpool(_environment, request)
    name = await run_in_threadpool(_replaced, request)
    if name in environment.replacements:
        await run_in_threadpool(_environments(request).drop, environment.name, name)
        session_of(request).note(f'In "{environment.name}", "{name}" stands for itself again.')
    return go(f"/environments/{environment.id}")


def _replaced(request: Request) -> str:
    """Return the name of the address's instance. Raises UnknownName."""
    return host_of(request).store.get_by_id(request.path_params["instance"]).name


def ask_to_remove(request: Request) -> Response:
    """Ask once before the environment is removed."""
    return render(request, "environment_remove.html", environment=_environment(request))


async def remove(request: Request, filled: Filled) -> Response:
    """Remove the environment; the instances stay."""
    del filled
    environment = await run_in_threadpool(_environment, request)
    await run_in_threadpool(_environments(request).remove, environment.name)
    session_of(request).note(f'The environment "{environment.name}" was removed; its instances are still there.')
    return go("/environments")


def _environments(request: Request) -> EnvironmentStore:
    return EnvironmentStore(host_of(request).store)


def _environment(request: Request) -> Environment:
    """Return the environment of the address. Raises UnknownName."""
    return _environments(request).get_by_id(request.path_params["id"])


def _one(filled: Filled, name: str) -> str:
    return (filled.get(name) or ("",))[-1].strip()
