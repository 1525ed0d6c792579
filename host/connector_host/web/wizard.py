"""Adding an instance, in the platform's steps. Each step has its own address, and going back loses nothing."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector
from connector_host.contract.errors import ConnectorHostError, InputInvalid, NameTaken, Problem
from connector_host.forms import ABSENT, read_form
from connector_host.set_up import add_instance

from .drafts import Draft, Step, steps_of
from .host import WebHost, host_of
from .pages import Filled, action, go, page, render, session_of, zones
from .shelves import keep, kept, shelves_of

__all__ = ["routes"]


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/connectors/{name}/add", begin),
        page("/connectors/{name}/add/{draft}", begin),
        page("/connectors/{name}/add/{draft}/{step}", show),
        action("/connectors/{name}/add/{draft}/{step}", submit),
    ]


def begin(request: Request) -> Response:
    """Choose an address for a new draft; nothing is kept before something was typed."""
    connector = host_of(request).connector(request.path_params["name"])
    draft = request.path_params.get("draft") or shelves_of(request)[Draft].new_name()
    return go(_address(connector.name, draft, Step.NAME))


def show(request: Request) -> Response:
    """Show one step, filled with what was typed, and with its problems once it was submitted."""
    host = host_of(request)
    connector = host.connector(request.path_params["name"])
    steps = steps_of(connector)
    step = _step(request, steps)
    draft = _draft(request, connector)
    if draft is None and step is not Step.NAME:
        session_of(request).note("What was typed here is not kept any longer. Please begin again.", "warning")
        return go(_address(connector.name, request.path_params["draft"], Step.NAME))
    draft = draft or Draft.begin(connector)
    if draft.saved is not None and step is not Step.SAVED:
        return go(_address(connector.name, request.path_params["draft"], Step.SAVED))
    if step is Step.SAVED:
        return _show_saved(request, connector, draft)
    problems = _problems(host, connector, draft, step) if step in draft.checked else []
    at = steps.index(step)
    return render(
        request,
        f"wizard_{step.value}.html",
        connector=connector,
        manifest=connector.manifest,
        step=step,
        steps=steps[:-1],
        number=at + 1,
        draft=draft,
        method=connector.method(draft.method),
        widget=draft.widget(connector, step, problems),
        problems=problems,
        failure=draft.failure if step is Step.CREDENTIALS else None,
        previous=_address(connector.name, request.path_params["draft"], steps[at - 1]) if at else "",
        zones=zones() if step is Step.DETAILS else (),
        hide=host.hiding(connector, draft.credentials.get(draft.method, {})),
    )


async def submit(request: Request, filled: Filled) -> Response:
    """Keep what a step has, and go where its button leads: on, back, or to the saved instance."""
    host = host_of(request)
    connector = host.connector(request.path_params["name"])
    steps = steps_of(connector)
    step = _step(request, steps)
    name = request.path_params["draft"]
    draft = _draft(request, connector)
    if draft is None:
        draft = Draft.begin(connector)
        name = keep(request, draft, name=name)
    wish = (filled.get("go") or ("next",))[-1]
    if step is Step.SAVED or draft.saved is not None:
        return go(_address(connector.name, name, Step.SAVED))
    _take(host, connector, draft, step, filled)
    if wish == "keep":
        return Response(status_code=204)
    if wish == "back":
        return go(_address(connector.name, name, steps[max(steps.index(step) - 1, 0)]))
    draft.checked.add(step)
    if step is Step.CREDENTIALS:
        return await _save(request, connector, draft, name, untested=wish == "untested")
    after = step if _problems(host, connector, draft, step) else steps[steps.index(step) + 1]
    return go(_address(connector.name, name, after))


def _take(host: WebHost, connector: Connector, draft: Draft, step: Step, filled: Filled) -> None:
    """Put what was typed into the draft; it is checked later."""
    form = draft.form(connector)
    if step is Step.METHOD:
        wanted = (filled.get("authentication") or ("",))[-1]
        if any(method.name == wanted for method in connector.manifest.authentication):
            draft.method = wanted
        return
    section = {Step.NAME: "name", Step.DETAILS: "settings", Step.CREDENTIALS: "credentials"}[step]
    before: Any = draft.given()[section]
    value = read_form(
        form.schema["properties"][section], form.ui_schema.get(section, {}), filled, name=section, kept=before
    )
    if step is Step.NAME:
        draft.name = "" if value is ABSENT else str(value)
    elif step is Step.DETAILS:
        draft.settings = {} if value is ABSENT else value
    else:
        draft.credentials[draft.method] = {} if value is ABSENT else value
        host.learn_typed(connector, draft.credentials[draft.method])
        draft.failure = None


def _problems(host: WebHost, connector: Connector, draft: Draft, step: Step) -> list[Problem]:
    problems = draft.problems(connector, step)
    if step is Step.NAME and not problems and host.is_taken(draft.name):
        problems.append(Problem("name", "name-taken", "There is an instance of this name already.", "Choose another."))
    return problems


async def _save(request: Request, connector: Connector, draft: Draft, name: str, *, untested: bool) -> Response:
    """Test and save once, however often the button was pressed; on failure nothing is saved and all is kept."""
    host = host_of(request)
    async with draft.lock:
        if draft.saved is None:
            draft.failure = None
            try:
                draft.saved = await add_instance(host.store, connector, draft.given(), untested=untested)
            except InputInvalid as error:
                return go(_address(connector.name, name, _first_wrong(connector, error)))
            except NameTaken:
                draft.checked.add(Step.NAME)
                return go(_address(connector.name, name, Step.NAME))
            except ConnectorHostError as error:
                draft.failure = error
                return go(_address(connector.name, name, Step.CREDENTIALS))
            draft.forget_secrets()
    return go(_address(connector.name, name, Step.SAVED))


def _first_wrong(connector: Connector, error: InputInvalid) -> Step:
    """Return the first step that a problem belongs to; its page says what it is."""
    sections = {problem.where.partition(".")[0] for problem in error.problems}
    order = {"name": Step.NAME, "settings": Step.DETAILS, "authentication": Step.METHOD}
    steps = steps_of(connector)
    found = [step for section, step in order.items() if section in sections and step in steps]
    return found[0] if found else Step.CREDENTIALS


def _show_saved(request: Request, connector: Connector, draft: Draft) -> Response:
    if draft.saved is None:
        return go(_address(connector.name, request.path_params["draft"], Step.CREDENTIALS))
    return render(
        request,
        "wizard_saved.html",
        connector=connector,
        manifest=connector.manifest,
        set_up=draft.saved,
        instance=draft.saved.instance,
        hide=host_of(request).redactor,
    )


def _draft(request: Request, connector: Connector) -> Draft | None:
    """Return the draft of this address if it is this session's and this connector's."""
    draft = kept(request, Draft, request.path_params["draft"])
    return draft if draft is not None and draft.connector == connector.name else None


def _step(request: Request, steps: list[Step]) -> Step:
    asked = request.path_params["step"]
    return next((step for step in steps if step.value == asked), Step.NAME)


def _address(connector: str, draft: str, step: Step) -> str:
    return f"/connectors/{connector}/add/{draft}/{step.value}"
