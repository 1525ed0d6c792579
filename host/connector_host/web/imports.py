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

from .drafts import Draft, Step
from .host import WebHost, host_of
from .instances import labelled
from .pages import Filled, action, go, page, render, session_of
from .refused import refuse, refused_of
from .shelves import keep, kept

__all__ = ["routes"]

_LARGEST = 256 * 1024
_LONGEST_NAME = 100


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances/import", ask),
        action("/instances/import", take, files=1),
        page("/instances/import/{draft}", look),
        action("/instances/import/{draft}", add),
    ]


def ask(request: Request) -> Response:
    """Ask for the document; of one that was not taken, say which and why."""
    refused = refused_of(request, request.url.path)
    return render(request, "import.html", refused=refused, hide=host_of(request).redactor)


async def take(request: Request, filled: Filled) -> Response:
    """Begin an instance from a document, and show what it has; nothing is saved."""
    upload = (await request.form()).get("file")
    file = (upload.filename or "") if isinstance(upload, UploadFile) else ""
    text: str | bytes = (filled.get("document") or ("",))[-1]
    if isinstance(upload, UploadFile) and file:
        text = await upload.read(_LARGEST + 1)
    try:
        draft = await run_in_threadpool(_draft_of, request, text)
    except ConnectorHostError as error:
        return refuse(request, request.url.path, problems=[_not_taken(file, len(text))], failure=error)
    return go(f"/instances/import/{keep(request, draft)}")


def _not_taken(file: str, length: int) -> Problem:
    """Return what stands beside the field that was used; a text is not kept, as it may have secrets in it."""
    if file:
        return Problem(
            "file", "refused", f"“{file[:_LONGEST_NAME]}” was not taken.", "Choose it again when it is mended."
        )
    if length:
        fix = "It is not shown again, as it may hold secrets; paste it when it is mended."
        return Problem(
            "document", "refused", f"The text of {length:,} character{'s' if length > 1 else ''} was not taken.", fix
        )
    return Problem("file", "required", "Choose a file, or paste its text.")


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
    draft = Draft(connector.name, values["name"], values["settings"], values["authentication"])
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


def _draft(request: Request) -> Draft | None:
    """Return the draft of this address if it is this session's."""
    return kept(request, Draft, request.path_params["draft"])
