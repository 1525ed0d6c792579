"""Changing an instance: name, details and credentials, a copy, out of use and back, and as a document."""

from collections.abc import Mapping
from functools import partial
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
from .instances import Outcome, instance_of, keep_outcome, words_of, zone_of
from .pages import Filled, action, go, page, render, session_of, zones
from .refused import REFUSED, Refused, problems_at, refuse, refused_of
from .shelves import kept

__all__ = ["routes"]

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


def overview(request: Request) -> Response:
    """Show what can be changed."""
    instance = instance_of(request)
    settings = len(instance.settings)
    return render(
        request,
        "instance_edit.html",
        instance=instance,
        copy=refused_of(request, f"/instances/{instance.id}/duplicate"),
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
    refused = refused_of(request, request.url.path)
    wanted = refused.typed.get("method", request.query_params.get("method", instance.authentication))
    method = _method(connector, wanted, instance)
    form = form_for(connector.folder, method)
    given: Any = _saved(host, instance, method, section)
    typed: Any = refused.typed.get("given", given)
    given = typed if section == "name" else {**given, **typed}
    return render(
        request,
        "instance_edit_section.html",
        instance=instance,
        connector=connector,
        manifest=connector.manifest,
        section=section,
        title=_SECTIONS[section],
        method=method,
        widget=_widget(form, section, given, refused.problems),
        refused=refused,
        zones=zones() if section == "settings" else (),
        hide=host.hiding(connector, typed if section == "credentials" and refused.form else {}),
        tab="edit",
    )


async def submit(request: Request, filled: Filled) -> Response:
    """Test the new values, and save them when the vendor lets them in; the old ones stay otherwise."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    section = _section(request)
    connector = await run_in_threadpool(host.connector, instance.connector)
    method = _method(connector, (filled.get("method") or ("",))[-1], instance)
    given = _given(form_for(connector.folder, method), section, filled, _kept(request, filled, method))
    if section == "credentials":
        host.learn_typed(connector, given)
    untested = (filled.get("go") or ("",))[-1] == "untested"
    values: dict[str, Any] = {"authentication": method.name, section: given}
    again = partial(refuse, request, request.url.path, {"method": method.name, "given": given})
    try:
        set_up = await edit_instance(host.store, connector, instance.name, values, untested=untested)
    except InputInvalid as error:
        return again(problems=error.problems)
    except NameTaken as error:
        return again(problems=problems_at("name", error))
    except ConnectorHostError as error:
        return again(failure=error)
    told = f" {words_of(set_up.signed_in)}" if set_up.signed_in else ""
    session_of(request).note(host.redactor(f"{_SECTIONS[section]} saved.{told}"))
    return go(keep_outcome(request, Outcome(instance.id, set_up)))


def _given(form: Form, section: str, filled: Filled, before: Any) -> Any:
    """Return what was submitted: emptied fields as None, secrets that were left empty as they were before, or not."""
    rules, ui = form.schema["properties"][section], form.ui_schema.get(section, {})
    value = read_form(rules, ui, filled, name=section, kept=before)
    if section == "name":
        return "" if value is ABSENT else value
    given = {} if value is ABSENT else dict(value)
    for key in rules["properties"]:
        hints = ui.get(key, {})
        secret = hints.get("ui:widget") == "password"
        if key not in given and not hints.get("ui:readonly") and (not secret or f"{section}.{key}.clear" in filled):
            given[key] = None
    return given


def _kept(request: Request, filled: Filled, method: AuthenticationMethod) -> Any:
    """Return what this form held when it was refused, with its secrets; ABSENT if it was not, or for another method."""
    before = kept(request, Refused, (filled.get(REFUSED) or ("",))[-1])
    same = before is not None and before.form == request.url.path and before.typed["method"] == method.name
    return before.typed["given"] if before is not None and same else ABSENT


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
        return refuse(request, f"/instances/{instance.id}/edit", {"name": name}, problems=problems_at("name", error))
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
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    if instance.state is not InstanceState.DISABLED:
        return go(f"/instances/{instance.id}")
    try:
        set_up = await enable_instance(host.home, instance.name, host.options.folders)
    except ConnectorHostError as error:
        return go(keep_outcome(request, Outcome(instance.id, failure=error, enabled=True)))
    session_of(request).note(host.redactor(f'"{instance.name}" is enabled. {words_of(set_up.signed_in)}'))
    return go(keep_outcome(request, Outcome(instance.id, set_up)))


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
