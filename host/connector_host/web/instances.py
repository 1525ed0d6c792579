"""The pages of instances: all of them, and one with its state, test, quota and settings."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connector_host.connectors import Connector
from connector_host.contract.errors import ConnectorHostError, CredentialsRejected, InUse, Problem
from connector_host.contract.manifest import Setting
from connector_host.contract.values import settings_of
from connector_host.engine import SignedIn
from connector_host.instances import Instance
from connector_host.set_up import SetUp, retest_instance

from .host import WebHost, host_of
from .pages import Filled, action, asked, go, page, page_number, render, session_of
from .quota import quota_now
from .refused import refuse, refused_of
from .shelves import keep

__all__ = ["Outcome", "connector_of", "instance_of", "keep_outcome", "labelled", "routes", "words_of", "zone_of"]

_PER_PAGE = 25
_TEST_GONE = "How this test went is not kept any longer. Test it again to see it."


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        page("/instances", list_instances),
        page("/instances/{id}", show),
        page("/instances/{id}/quota", show_quota),
        action("/instances/{id}/test", test),
        page("/instances/{id}/remove", ask_to_remove),
        action("/instances/{id}/remove", remove),
    ]


@dataclass(frozen=True)
class Outcome:
    """How a test of an instance went: what it has shown, or why it did not get through.

    `enabled` tells that the instance was taken into use again with it.
    """

    instance_id: str
    set_up: SetUp | None = None
    failure: ConnectorHostError | None = None
    enabled: bool = False

    @property
    def heading(self) -> str:
        """What happened, in case of a failure."""
        what = "The vendor rejects its credentials" if isinstance(self.failure, CredentialsRejected) else ""
        what = what or "The test did not get through"
        return f"It is enabled, but {what[0].lower()}{what[1:]}" if self.enabled else what


def instance_of(request: Request) -> Instance:
    """Return the instance of the address. Raises UnknownName."""
    return host_of(request).store.get_by_id(request.path_params["id"])


def connector_of(host: WebHost, instance: Instance) -> tuple[Connector | None, ConnectorHostError | None]:
    """Return the instance's connector, or what keeps it from being used: the instance is shown in any case."""
    try:
        return host.connector(instance.connector), None
    except ConnectorHostError as problem:
        return None, problem


def zone_of(instance: Instance) -> str:
    """Return the time zone that an instance's dates are shown in."""
    return str(instance.settings.get("time_zone", "UTC"))


def list_instances(request: Request) -> Response:
    """List the instances by page; only the list itself where a part of the page is asked for."""
    host = host_of(request)
    search = request.query_params.get("search", "").strip()[:200]
    connector = request.query_params.get("connector", "")
    total = host.store.count(search, connector or None)
    pages = max(1, math.ceil(total / _PER_PAGE))
    number = min(page_number(request), pages)
    shown = host.store.list(search, connector or None, offset=(number - 1) * _PER_PAGE, limit=_PER_PAGE)
    part = request.headers.get("hx-target") == "instances"
    return render(
        request,
        "_instances.html" if part else "instances.html",
        instances=shown,
        total=total,
        page=number,
        pages=pages,
        search=search,
        connector=connector,
        connectors=[each for each in host.find() if each.usable],
        label=host.label,
        last=request.app.state.runner.store.latest([each.id for each in shown]),
        hide=host.redactor,
        base="/instances",
    )


async def show(request: Request) -> Response:
    """Show an instance: its state, what can be done with it, and its quota."""
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    connector, problem = await run_in_threadpool(connector_of, host, instance)
    outcome = asked(request, Outcome, "test", gone=_TEST_GONE, fits=lambda each: each.instance_id == instance.id)
    quota, shown = None, {}
    if connector is not None:
        try:
            method = connector.method(instance.authentication)
            credentials = await run_in_threadpool(host.store.credentials, instance.name, method.secret_keys)
            shown = {each.label: credentials.shown().get(each.key, "not given") for each in method.credentials}
            quota = await run_in_threadpool(quota_now, host, instance)
        except ConnectorHostError as error:
            problem = error
    return await run_in_threadpool(
        render,
        request,
        "instance.html",
        instance=instance,
        connector=connector,
        manifest=connector.manifest if connector else None,
        label=host.label(instance.connector),
        problem=problem,
        outcome=outcome,
        quota=quota,
        credentials=shown,
        settings=labelled(instance.settings, settings_of(connector.manifest) if connector else ()),
        zone=zone_of(instance),
        hide=host.redactor,
        tab="overview",
    )


def show_quota(request: Request) -> Response:
    """Show how much of the quota is in use, for the part of the instance's page that refreshes by itself."""
    instance = instance_of(request)
    if "hx-request" not in request.headers:
        return go(f"/instances/{instance.id}#quota")
    host = host_of(request)
    quota, zone = quota_now(host, instance), zone_of(instance)
    return render(request, "_quota.html", quota=quota, zone=zone, hide=host.redactor)


def labelled(settings: Mapping[str, Any], declared: Iterable[Setting]) -> list[tuple[str, str]]:
    """Return settings under their labels, in the order of the form; under their keys where they are not known."""
    labels = {each.key: each.label for each in declared}
    words = {True: "Yes", False: "No"}
    order = [*(key for key in labels if key in settings), *(key for key in settings if key not in labels)]
    return [
        (labels.get(key, key), words[settings[key]] if isinstance(settings[key], bool) else str(settings[key]))
        for key in order
    ]


async def test(request: Request, filled: Filled) -> Response:
    """Sign in now, remember how it went, and say so on the instance's page."""
    del filled
    host = host_of(request)
    instance = await run_in_threadpool(instance_of, request)
    try:
        set_up = await retest_instance(host.home, instance.name, host.options.folders)
    except ConnectorHostError as error:
        return go(keep_outcome(request, Outcome(instance.id, failure=error)))
    return go(keep_outcome(request, Outcome(instance.id, set_up)))


def keep_outcome(request: Request, outcome: Outcome) -> str:
    """Keep how a test went, and return the address of the instance's page that shows it."""
    page = f"/instances/{outcome.instance_id}"
    tested = outcome.failure is not None or (outcome.set_up is not None and outcome.set_up.signed_in is not None)
    return f"{page}?test={keep(request, outcome)}" if tested else page


def words_of(signed_in: SignedIn | None) -> str:
    """Return the sentence that tells how a test went."""
    if signed_in is None:
        return "It is untested."
    if not signed_in.verified:
        return "It opens no session, so its first call will show whether the credentials are right."
    return f"Signed in to {signed_in.account}." if signed_in.account else "Signed in."


def ask_to_remove(request: Request) -> Response:
    """Ask for the word that removes the instance."""
    instance, refused = instance_of(request), refused_of(request, request.url.path)
    hide = host_of(request).redactor
    return render(request, "instance_remove.html", instance=instance, refused=refused, hide=hide, tab="edit")


async def remove(request: Request, filled: Filled) -> Response:
    """Remove the instance when the word is right."""
    instance = await run_in_threadpool(instance_of, request)
    typed = {"word": (filled.get("word") or ("",))[-1].strip()}
    if typed["word"].lower() != "confirm":
        problem = Problem("word", "confirm", "Type the word confirm to remove it.")
        return refuse(request, request.url.path, typed, problems=[problem])
    try:
        await run_in_threadpool(host_of(request).store.remove, instance.name)
    except InUse as error:
        return refuse(request, request.url.path, typed, failure=error)
    session_of(request).note(f'"{instance.name}" was removed with its credentials.')
    return go("/instances")
