"""Changing an instance: name, details and credentials, a copy, out of use and back, and as a document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector
from connector_host.contract.errors import ConnectorHostError, InputInvalid, NameTaken, Problem, SecretsUnreadable
from connector_host.contract.manifest import AuthenticationMethod
from connector_host.forms import ABSENT, Form, Widget, form_for, read_form, widget_of
from connector_host.instances import Instance, InstanceState
from connector_host.set_up import (
    disable_instance,
    duplicate_instance,
    edit_instance,
    enable_instance,
    export_instance,
)

from .host import WebHost, host_of
from .instances import instance_of, keep_outcome, words_of, zone_of
from .pages import Filled, action, go, page, render, session_of, zones
from .sessions import Session, Shelf

__all__ = ["EDIT_SECONDS", "MOST_EDITS", "routes"]

MOST_EDITS = 200
EDIT_SECONDS = 1800.0
_SECTIONS = {"name": "Name", "settings": "Details", "credentials": "Credentials"}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances/{id}/edit", overview),
        page("/instances/{id}/edit/{section}", show),
        action("/instances/{id}/edit/{section}", submit),
        page("/instances/{id}/export", export),
        action("/instances/{id}/duplicate", duplicate),
        action("/instances/{id}/disable", disable),
        action("/instances/{id}/enable", enable),
    ]


@dataclass(frozen=True)
class Edit:
    """A change that was not saved: what was given, secrets among it, and why it was not saved."""

    owner: Session = field(repr=False)
    instance_id: str
    section: str
    method: str
    given: Any = field(repr=False)
    problems: tuple[Problem, ...] = ()
    failure: ConnectorHostError | None = None


def overview(request: Request) -> Response:
    """Show what can be changed."""
    instance = instance_of(request)
    settings = len(instance.settings)
    return render(
        request,
        "instance_edit.html",
        instance=instance,
        sections=_SECTIONS,
        now={
            "name": instance.name,
            "settings": f"{settings} setting{'s' if settings != 1 else ''}, dates in {zone_of(instance)}",
            "credentials": instance.authentication,
        },
        tab="edit",
        hide=host_of(request).redactor,
    )


def show(request: Request) -> Response:
    """Show one part as a form, filled with what is saved, or with what was not."""
    host, instance = host_of(request), instance_of(request)
    section = _section(request)
    connector = host.connector(instance.connector)
    edit = _edit_of(request, instance, section)
    wanted = edit.method if edit else request.query_params.get("method", instance.authentication)
    method = _method(connector, wanted, instance)
    form = form_for(connector.folder, method)
    saved = _saved(host, instance, method, section)
    given = {**saved, **edit.given} if edit and section != "name" else edit.given if edit else saved
    return render(
        request,
        "instance_edit_section.html",
        instance=instance,
        connector=connector,
        manifest=connector.manifest,
        section=section,
        title=_SECTIONS[section],
        method=method,
        widget=_widget(form, section, given, edit.problems if edit else ()),
        problems=edit.problems if edit else (),
        failure=edit.failure if edit else None,
        zones=zones() if section == "settings" else (),
        hide=host.hiding(connector, edit.given if edit and section == "credentials" else {}),
        tab="edit",
    )


async def submit(request: Request, filled: Filled) -> Response:
    """Test the new values, and save them when the vendor lets them in; the old ones stay otherwise."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    section = _section(request)
    connector = await run_in_threadpool(host.connector, instance.connector)
    method = _method(connector, (filled.get("method") or ("",))[-1], instance)
    before = _edit_of(request, instance, section, name=(filled.get("draft") or ("",))[-1])
    given = _given(form_for(connector.folder, method), section, filled, before, method)
    if section == "credentials":
        host.learn_typed(connector, given)
    untested = (filled.get("go") or ("",))[-1] == "untested"
    values: dict[str, Any] = {"authentication": method.name, section: given}
    edit = Edit(session_of(request), instance.id, section, method.name, given)
    try:
        set_up = await edit_instance(host.store, connector, instance.name, values, untested=untested)
    except InputInvalid as error:
        return _again(request, instance, replace(edit, problems=error.problems))
    except NameTaken as error:
        problem = Problem("name", "name-taken", error.message, error.next_step)
        return _again(request, instance, replace(edit, problems=(problem,)))
    except ConnectorHostError as error:
        return _again(request, instance, replace(edit, failure=error))
    told = f" {words_of(set_up.signed_in)}" if set_up.signed_in else ""
    session_of(request).note(host.redactor(f"{_SECTIONS[section]} saved.{told}"))
    return go(f"/instances/{instance.id}{keep_outcome(request, set_up)}")


def _again(request: Request, instance: Instance, edit: Edit) -> Response:
    name = _edits(request).put(edit)
    return go(f"/instances/{instance.id}/edit/{edit.section}?draft={name}")


def _given(form: Form, section: str, filled: Filled, before: Edit | None, method: AuthenticationMethod) -> Any:
    """Return what was submitted: emptied fields as None, secrets that were left empty not at all."""
    rules, ui = form.schema["properties"][section], form.ui_schema.get(section, {})
    kept = before.given if before is not None and before.method == method.name else ABSENT
    value = read_form(rules, ui, filled, name=section, kept=kept)
    if section == "name":
        return "" if value is ABSENT else value
    given = {} if value is ABSENT else dict(value)
    for key in rules["properties"]:
        hints = ui.get(key, {})
        secret = hints.get("ui:widget") == "password"
        if key not in given and not hints.get("ui:readonly") and (not secret or f"{section}.{key}.clear" in filled):
            given[key] = None
    return given


def _saved(host: WebHost, instance: Instance, method: AuthenticationMethod, section: str) -> Any:
    """Return what is saved; a secret is there as a mark that there is one."""
    if section == "name":
        return instance.name
    if section == "settings":
        return dict(instance.settings)
    try:
        credentials = host.store.credentials(instance.name, method.secret_keys)
    except SecretsUnreadable:
        return {}
    host.redactor.add(*credentials.secret_values)
    return credentials.shown()


def _widget(form: Form, section: str, value: Any, problems: tuple[Problem, ...]) -> Widget:
    filled: Mapping[str, Any] | str = value
    if section == "credentials":
        filled = {**form.form_data["credentials"], **{key: each for key, each in value.items() if each is not None}}
    return widget_of(
        form.schema["properties"][section],
        form.ui_schema.get(section, {}),
        filled,
        name=section,
        required=section == "name",
        problems=problems,
    )


async def duplicate(request: Request, filled: Filled) -> Response:
    """Add a copy without the secrets, and ask for them."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    connector = await run_in_threadpool(host.connector, instance.connector)
    name = (filled.get("name") or ("",))[-1].strip() or f"{instance.name} copy"
    try:
        copy = await run_in_threadpool(duplicate_instance, host.store, connector, instance.name, name)
    except (NameTaken, InputInvalid) as error:
        words = " ".join(f"{each.sentence} {each.fix}" for each in error.problems) or error.next_step
        session_of(request).note(f"{error.message} {words}", "warning")
        return go(f"/instances/{instance.id}/edit")
    session_of(request).note(f'"{copy.name}" was added without secrets; enter them now.')
    return go(f"/instances/{copy.id}/edit/credentials")


async def disable(request: Request, filled: Filled) -> Response:
    """Take the instance out of use."""
    del filled
    instance = await run_in_threadpool(instance_of, request)
    await run_in_threadpool(disable_instance, host_of(request).store, instance.name)
    session_of(request).note(f'"{instance.name}" is disabled.')
    return go(f"/instances/{instance.id}")


async def enable(request: Request, filled: Filled) -> Response:
    """Let the instance be used again, and test it."""
    del filled
    host, session = host_of(request), session_of(request)
    instance = await run_in_threadpool(instance_of, request)
    if instance.state is not InstanceState.DISABLED:
        return go(f"/instances/{instance.id}")
    try:
        set_up = await enable_instance(host.home, instance.name, host.options.folders)
    except ConnectorHostError as error:
        session.note(host.redactor(f"It is enabled, but its test failed: {error.message} {error.next_step}"), "warning")
        return go(f"/instances/{instance.id}")
    session.note(host.redactor(f'"{instance.name}" is enabled. {words_of(set_up.signed_in)}'))
    return go(f"/instances/{instance.id}{keep_outcome(request, set_up)}")


def export(request: Request) -> Response:
    """Return the instance as a document without secrets."""
    host, instance = host_of(request), instance_of(request)
    document = export_instance(host.store, host.connector(instance.connector), instance.name)
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    headers = {"Content-Disposition": f'attachment; filename="instance-{instance.id}.json"'}
    return Response(text, media_type="application/json", headers=headers)


def _section(request: Request) -> str:
    section: str = request.path_params["section"]
    if section not in _SECTIONS:
        raise HTTPException(404)
    return section


def _method(connector: Connector, name: str, instance: Instance) -> AuthenticationMethod:
    known = {method.name: method for method in connector.manifest.authentication}
    return known.get(name) or connector.method(instance.authentication)


def _edits(request: Request) -> Shelf[Edit]:
    edits: Shelf[Edit] = request.app.state.edits
    return edits


def _edit_of(request: Request, instance: Instance, section: str, *, name: str = "") -> Edit | None:
    edit = _edits(request).get(name or request.query_params.get("draft", ""))
    if edit is None or edit.owner is not session_of(request):
        return None
    return edit if (edit.instance_id, edit.section) == (instance.id, section) else None
