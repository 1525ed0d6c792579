"""Adding an instance that another host has exported: its document, a look at what it adds, then the wizard."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector
from connector_host.contract.errors import ConnectorHostError, InputInvalid, NameTaken, Problem
from connector_host.contract.values import settings_of
from connector_host.set_up import add_without_secrets, read_document, values_of_document

from .drafts import Draft, Drafts, Step
from .host import WebHost, host_of
from .instances import labelled
from .pages import Filled, action, go, page, render, session_of

__all__ = ["routes"]

_LARGEST = 256 * 1024


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances/import", ask),
        action("/instances/import", take, files=1),
        page("/instances/import/{draft}", look),
        action("/instances/import/{draft}", add),
    ]


def ask(request: Request) -> Response:
    """Ask for the document."""
    return _ask(request)


def _ask(request: Request, failure: ConnectorHostError | None = None) -> Response:
    status = 200 if failure is None else 422
    return render(request, "import.html", status=status, failure=failure, hide=host_of(request).redactor)


async def take(request: Request, filled: Filled) -> Response:
    """Begin an instance from a document, and show what it has; nothing is saved."""
    upload = (await request.form()).get("file")
    text: str | bytes = (filled.get("document") or ("",))[-1]
    if isinstance(upload, UploadFile) and upload.filename:
        text = await upload.read(_LARGEST + 1)
    try:
        draft = await run_in_threadpool(_draft_of, request, text)
    except ConnectorHostError as error:
        return await run_in_threadpool(_ask, request, error)
    return go(f"/instances/import/{_drafts(request).put(draft)}")


def _draft_of(request: Request, text: str | bytes) -> Draft:
    host = host_of(request)
    if len(text) > _LARGEST:
        fix = f"It has at most {_LARGEST // 1024} kB."
        raise _refused(Problem("document", "size", "This is too large for an exported instance.", fix))
    if not text.strip():
        raise _refused(Problem("document", "required", "There is no document.", "Choose a file, or paste its text."))
    document = read_document(text)
    connector = host.connector(document["connector"])
    values = values_of_document(connector, document)
    host.learn_typed(connector, values["credentials"])
    draft = Draft(session_of(request), connector.name, values["name"], values["settings"], values["authentication"])
    draft.credentials[draft.method] = values["credentials"]
    draft.checked |= {Step.NAME, Step.DETAILS}
    return draft


def look(request: Request) -> Response:
    """Show what a document adds, and what is wrong with it here."""
    draft = _draft(request)
    if draft is None:
        return _gone(request)
    host = host_of(request)
    connector = host.connector(draft.connector)
    if draft.saved is not None:
        return go(f"/connectors/{connector.name}/add/{request.path_params['draft']}/{Step.SAVED.value}")
    return _look(request, host, connector, draft)


def _look(request: Request, host: WebHost, connector: Connector, draft: Draft) -> Response:
    method = connector.method(draft.method)
    given = draft.credentials.get(draft.method, {})
    problems = {step: draft.problems(connector, step) for step in (Step.NAME, Step.DETAILS)}
    if not problems[Step.NAME] and host.is_taken(draft.name):
        problems[Step.NAME] = [Problem("name", "name-taken", "There is an instance of this name already.")]
    return render(
        request,
        "import_look.html",
        draft=draft,
        connector=connector,
        manifest=connector.manifest,
        method=method,
        settings=labelled(draft.settings, settings_of(connector.manifest)),
        credentials=[(each.label, str(given.get(each.key, ""))) for each in method.credentials if not each.secret],
        secrets=[each.label for each in method.credentials if each.secret and not given.get(each.key)],
        problems=[(step, each) for step, found in problems.items() for each in found],
        wizard=f"/connectors/{connector.name}/add/{request.path_params['draft']}",
        hide=host.hiding(connector, given),
    )


async def add(request: Request, filled: Filled) -> Response:
    """Save the instance without its secrets; it says that they are to be entered."""
    del filled
    draft, host = _draft(request), host_of(request)
    if draft is None:
        return _gone(request)
    connector = await run_in_threadpool(host.connector, draft.connector)
    async with draft.lock:
        if draft.saved is None:
            try:
                draft.saved = await run_in_threadpool(add_without_secrets, host.store, connector, draft.given())
            except (NameTaken, InputInvalid):
                return go(request.url.path)
            draft.forget_secrets()
    instance = draft.saved.instance
    session_of(request).note(f'"{instance.name}" was added. {instance.state_message}'.strip())
    return go(f"/instances/{instance.id}")


def _refused(problem: Problem) -> InputInvalid:
    return InputInvalid("The document cannot be read.", problems=[problem])


def _gone(request: Request) -> Response:
    session_of(request).note("The document is not kept any longer. Please give it again.", "warning")
    return go("/instances/import")


def _drafts(request: Request) -> Drafts:
    drafts: Drafts = request.app.state.drafts
    return drafts


def _draft(request: Request) -> Draft | None:
    """Return the draft of this address if it is this session's."""
    draft = _drafts(request).get(request.path_params["draft"])
    return draft if draft is not None and draft.owner is session_of(request) else None
