"""Operations to try on an instance: a form made from the catalogue, one question before a write, the real answer."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector
from connector_host.contract.catalogue import Operation
from connector_host.contract.errors import ConnectorHostError
from connector_host.instances import Instance

from .answers import Trial
from .connectors import facts_of, operations_of
from .host import WebHost, host_of
from .instances import instance_of, zone_of
from .pages import Filled, action, asked, go, page, render
from .sheets import Sheet, checked, draw, read_sheet
from .shelves import keep, kept

__all__ = ["routes"]

_CALL_SECONDS = 120.0
_INPUT_GONE = "The input is not kept any longer. Please write it again."


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances/{id}/operations", list_operations),
        page("/instances/{id}/operations/{operation}", show),
        action("/instances/{id}/operations/{operation}", submit),
        page("/instances/{id}/calls/{trial}", show_trial),
        action("/instances/{id}/calls/{trial}", confirm),
        page("/instances/{id}/calls/{trial}/answer", download),
    ]


def list_operations(request: Request) -> Response:
    """List the operations that can be tried on the instance."""
    host, instance = host_of(request), instance_of(request)
    connector = host.connector(instance.connector)
    part = request.headers.get("hx-target") == "operations"
    return render(
        request,
        "_operations.html" if part else "instance_operations.html",
        instance=instance,
        connector=connector,
        manifest=connector.manifest,
        listed=operations_of(connector, request),
        base=f"/instances/{instance.id}/operations",
        tab="operations",
    )


def show(request: Request) -> Response:
    """Show an operation's form: empty, as it was left under the name `sheet`, or with the input of a `call`."""
    host, instance = host_of(request), instance_of(request)
    connector, operation = _operation(host, instance, request)
    trial = asked(request, Trial, "call", gone=_INPUT_GONE, fits=lambda each: each.operation_id == operation.id)
    sheet = asked(request, Sheet, "sheet", gone=_INPUT_GONE)
    return _page(request, instance, connector, operation, sheet or Sheet(trial.given if trial else {}))


async def submit(request: Request, filled: Filled) -> Response:
    """Keep both views in step, or call the operation; a write is asked about first."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    connector, operation = await run_in_threadpool(_operation, host, instance, request)
    sheet = read_sheet(operation, filled)
    calling = (filled.get("go") or ("",))[-1] == "call"
    if calling:
        sheet = checked(operation, sheet)
    if "hx-request" in request.headers and not calling:
        part = "_call_json.html" if request.headers.get("hx-target") == "json-pane" else "_call_fields.html"
        return _page(request, instance, connector, operation, sheet, template=part)
    if not calling or sheet.problems or sheet.undecided:
        return go(f"/instances/{instance.id}/operations/{operation.id}?sheet={keep(request, sheet)}#call")
    trial = Trial(instance.id, operation.id, sheet.value)
    if operation.kind == "read":
        await _make(host, instance, trial)
    name = keep(request, trial)
    return go(f"/instances/{instance.id}/calls/{name}")


def show_trial(request: Request) -> Response:
    """Show what came of a call; ask first where it was not made yet."""
    host, instance = host_of(request), instance_of(request)
    trial = _trial(request, instance)
    connector = host.connector(instance.connector)
    operation = connector.catalogue.get(trial.operation_id)
    name = request.path_params["trial"]
    return render(
        request,
        "call_answer.html" if trial.made else "call_confirm.html",
        instance=instance,
        connector=connector,
        manifest=connector.manifest,
        operation=operation,
        trial=trial,
        address=f"/instances/{instance.id}/calls/{name}",
        again=f"/instances/{instance.id}/operations/{operation.id}?call={name}#call",
        zone=zone_of(instance),
        hide=host.redactor,
        tab="operations",
    )


async def confirm(request: Request, filled: Filled) -> Response:
    """Make a call that was asked about, once, however often the button was pressed."""
    del filled
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    trial = _trial(request, instance)
    await _make(host, instance, trial)
    keep(request, trial, name=request.path_params["trial"])
    return go(request.url.path)


def download(request: Request) -> Response:
    """Return the answer's bytes as they came."""
    instance = instance_of(request)
    trial = _trial(request, instance)
    if trial.answer is None:
        raise HTTPException(404)
    name = f"{trial.operation_id}-{trial.answer.request_id}".replace('"', "")
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(trial.answer.body, media_type="application/json", headers=headers)


async def _make(host: WebHost, instance: Instance, trial: Trial) -> None:
    async with trial.lock:
        if trial.made:
            return
        try:
            async with host.open(instance) as connection:
                answer = await connection.call(trial.operation_id, trial.given, total_timeout=_CALL_SECONDS)
                await run_in_threadpool(trial.keep, answer)
        except ConnectorHostError as error:
            trial.error = error


def _operation(host: WebHost, instance: Instance, request: Request) -> tuple[Connector, Operation]:
    connector = host.connector(instance.connector)
    return connector, connector.catalogue.get(request.path_params["operation"])


def _page(
    request: Request,
    instance: Instance,
    connector: Connector,
    operation: Operation,
    sheet: Sheet,
    *,
    template: str = "call.html",
) -> Response:
    return render(
        request,
        template,
        instance=instance,
        connector=connector,
        manifest=connector.manifest,
        operation=operation,
        facts=facts_of(operation),
        drawn=draw(operation, sheet),
        address=f"/instances/{instance.id}/operations/{operation.id}",
        hide=host_of(request).redactor,
        tab="operations",
    )


def _trial(request: Request, instance: Instance) -> Trial:
    """Return the call of this address if it is this session's and this instance's."""
    trial = kept(request, Trial, request.path_params["trial"])
    if trial is None or trial.instance_id != instance.id:
        raise HTTPException(410, "This call is not kept any longer. Open the operation and call it again.")
    return trial
