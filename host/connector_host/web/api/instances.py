"""Instances: added, shown, changed, tested, removed, carried elsewhere, and called."""

import datetime
from dataclasses import asdict
from typing import Any

from connector_host.embedding import open_instance_async, quota_in_use
from connector_host.instances import Instance
from connector_host.set_up import (
    SetUp,
    add_instance,
    disable_instance,
    duplicate_instance,
    edit_instance,
    enable_instance,
    export_instance,
    import_instance,
    retest_instance,
)

from .endpoint import Call, Endpoint
from .schemas import LIMIT, NAME, OFFSET, page_of, record, ref

__all__ = ["ENDPOINTS"]

_TEXT = {"type": "string", "maxLength": 200}
_WORD = {"type": "string", "minLength": 1, "maxLength": 128}
_OBJECT = {"type": "object"}
_FLAG = {"type": "boolean", "default": False, "description": "Save without asking the vendor."}
_ENVIRONMENT = {"environment": {**NAME, "description": "Virtual environment whose replacements are used."}}


def list_instances(call: Call) -> Any:
    """List instances by name."""
    search, connector = call.query.get("search"), call.query.get("connector")
    found = call.host.store.list(search, connector, call.query["offset"], call.query["limit"])
    return {"total": call.host.store.count(search, connector), "items": [_facts(each) for each in found]}


async def create_instance(call: Call) -> Any:
    """Add an instance; the vendor is asked first."""
    given = dict(call.body)
    connector = call.host.connector(given.pop("connector"))
    untested = given.pop("untested", False)
    return _set_up(await add_instance(call.host.store, connector, given, untested=untested))


def show_instance(call: Call) -> Any:
    """Show an instance; nothing of its credentials."""
    return _facts(_instance(call))


async def change_instance(call: Call) -> Any:
    """Change what is given; new credentials are tested before they replace the old ones."""
    given = dict(call.body)
    untested = given.pop("untested", False)
    instance = _instance(call)
    connector = call.host.connector(instance.connector)
    return _set_up(await edit_instance(call.host.store, connector, instance.name, given, untested=untested))


def remove_instance(call: Call) -> Any:
    """Remove an instance with its credentials and past runs."""
    call.host.store.remove(_instance(call).name)


async def test_instance(call: Call) -> Any:
    """Sign in now and read one thing of each area."""
    return _set_up(await retest_instance(call.host.home, _instance(call).name, call.host.folders))


def copy_instance(call: Call) -> Any:
    """Add a copy without secrets."""
    instance = _instance(call)
    connector = call.host.connector(instance.connector)
    return _facts(duplicate_instance(call.host.store, connector, instance.name, call.body["name"]))


def switch_off_instance(call: Call) -> Any:
    """Keep an instance from being used."""
    return _facts(disable_instance(call.host.store, _instance(call).name))


async def switch_on_instance(call: Call) -> Any:
    """Let an instance be used again, and test it."""
    untested = call.body.get("untested", False)
    return _set_up(await enable_instance(call.host.home, _instance(call).name, call.host.folders, untested=untested))


def export_one(call: Call) -> Any:
    """Give an instance as a document without secrets."""
    instance = _instance(call)
    return export_instance(call.host.store, call.host.connector(instance.connector), instance.name)


async def import_one(call: Call) -> Any:
    """Add the instance of a document, with its secrets."""
    document = call.body["document"]
    connector = call.host.connector(document["connector"])
    return _set_up(
        await import_instance(
            call.host.store,
            connector,
            document,
            secrets=call.body.get("secrets"),
            name=call.body.get("name"),
            untested=call.body.get("untested", False),
        )
    )


def show_quota(call: Call) -> Any:
    """Show how much of the quota is in use now, by operation, whoever has called."""
    instance, host = _instance(call), call.host
    used = quota_in_use(host.store, instance, host.connector(instance.connector), host.home)
    return {"taken_at": datetime.datetime.now(datetime.UTC), **asdict(used)}


async def call_operation(call: Call) -> Any:
    """Call an operation now and give its answer."""
    instance = _instance(call)
    async with open_instance_async(instance.name, home=call.host.home, folders=call.host.folders) as connection:
        operation = connection.connector.catalogue.get(call.body["operation"])
        answer = await connection.call(operation.id, call.body.get("input") or {}, total_timeout=60.0)
        return {
            "status": answer.status,
            "request_id": answer.request_id,
            "attempts": answer.attempts,
            "elapsed": answer.elapsed,
            "data": answer.data,
        }


def _instance(call: Call) -> Instance:
    return call.host.instance(call.path["instance"], call.query.get("environment"))


def _facts(instance: Instance) -> dict[str, Any]:
    return asdict(instance)


def _set_up(set_up: SetUp) -> dict[str, Any]:
    signed_in = set_up.signed_in
    return {
        "instance": _facts(set_up.instance),
        "account": signed_in.account if signed_in else "",
        "addresses": dict(signed_in.addresses) if signed_in else {},
        "warnings": list(set_up.warnings),
        "checks": [asdict(check) for check in set_up.checks],
    }


_TAG = "instances"
_ONE = "/instances/{instance}"
_FORM = {"name": NAME, "authentication": _WORD, "settings": _OBJECT, "credentials": _OBJECT, "untested": _FLAG}
_ASKS_VENDOR = (409, 502, 503)
ENDPOINTS = (
    Endpoint(
        "GET",
        "/instances",
        list_instances,
        "List instances",
        _TAG,
        gives=page_of("Instance"),
        query={"search": _TEXT, "connector": _WORD, "offset": OFFSET, "limit": LIMIT},
    ),
    Endpoint(
        "POST",
        "/instances",
        create_instance,
        "Add an instance",
        _TAG,
        gives=ref("SetUp"),
        status=201,
        body=record(
            connector=_WORD,
            name=NAME,
            credentials=_OBJECT,
            optional={"authentication": _WORD, "settings": _OBJECT, "untested": _FLAG},
        ),
        errors=(404, *_ASKS_VENDOR),
    ),
    Endpoint(
        "POST",
        "/instances/import",
        import_one,
        "Import an instance",
        _TAG,
        gives=ref("SetUp"),
        status=201,
        body=record(
            document={
                "type": "object",
                "properties": {"connector": _WORD},
                "required": ["connector"],
                "description": "What an export gave.",
            },
            optional={
                "secrets": {"type": "object", "additionalProperties": {"type": "string"}},
                "name": NAME,
                "untested": _FLAG,
            },
        ),
        errors=(404, *_ASKS_VENDOR),
    ),
    Endpoint("GET", _ONE, show_instance, "Show an instance", _TAG, gives=ref("Instance"), query=_ENVIRONMENT),
    Endpoint(
        "PATCH",
        _ONE,
        change_instance,
        "Change an instance",
        _TAG,
        gives=ref("SetUp"),
        query=_ENVIRONMENT,
        body=record(optional=_FORM),
        errors=_ASKS_VENDOR,
    ),
    Endpoint("DELETE", _ONE, remove_instance, "Remove an instance", _TAG, status=204, errors=(409,)),
    Endpoint(
        "POST",
        f"{_ONE}/test",
        test_instance,
        "Test an instance",
        _TAG,
        gives=ref("SetUp"),
        query=_ENVIRONMENT,
        errors=_ASKS_VENDOR,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/duplicate",
        copy_instance,
        "Copy an instance without its secrets",
        _TAG,
        gives=ref("Instance"),
        status=201,
        body=record(name=NAME),
        errors=(409,),
    ),
    Endpoint("POST", f"{_ONE}/disable", switch_off_instance, "Disable an instance", _TAG, gives=ref("Instance")),
    Endpoint(
        "POST",
        f"{_ONE}/enable",
        switch_on_instance,
        "Enable an instance",
        _TAG,
        gives=ref("SetUp"),
        body=record(optional={"untested": _FLAG}),
        errors=_ASKS_VENDOR,
    ),
    Endpoint(
        "GET",
        f"{_ONE}/quota",
        show_quota,
        "Show how much of the quota is in use",
        _TAG,
        gives=ref("Quota"),
        query=_ENVIRONMENT,
        errors=(409,),
    ),
    Endpoint(
        "GET",
        f"{_ONE}/export",
        export_one,
        "Export an instance",
        _TAG,
        gives=ref("Document"),
        query=_ENVIRONMENT,
        errors=(409,),
    ),
    Endpoint(
        "POST",
        f"{_ONE}/calls",
        call_operation,
        "Call an operation",
        _TAG,
        gives=ref("Answer"),
        query=_ENVIRONMENT,
        body=record(operation=_WORD, optional={"input": _OBJECT}),
        errors=_ASKS_VENDOR,
    ),
)
