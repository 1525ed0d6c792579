"""The JSON Schemas of what the API gives and takes."""

from typing import Any

from connector_host.instances import InstanceState
from connector_host.runs import OPERATION_PARAMETERS, STREAM_PARAMETERS, EventKind, RunKind, RunState, StartedBy
from connector_host.set_up import AreaOutcome

__all__ = ["COMPONENTS", "LIMIT", "NAME", "OFFSET", "RUN_PARAMETERS", "page_of", "record", "ref"]

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_NO_TIME = {"anyOf": [_TIME, {"type": "null"}]}
_NO_TEXT = {"anyOf": [_TEXT, {"type": "null"}]}
_NUMBER = {"type": "integer"}
_NO_NUMBER = {"anyOf": [_NUMBER, {"type": "null"}]}
_SECONDS = {"type": "number", "minimum": 0}
_OBJECT = {"type": "object"}

RUN_PARAMETERS: dict[str, Any] = {
    **STREAM_PARAMETERS,
    "properties": {**STREAM_PARAMETERS["properties"], **OPERATION_PARAMETERS["properties"]},
    "description": "Those of a stream's run, or the input of an operation's.",
}
NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 80}
OFFSET: dict[str, Any] = {
    "type": "integer",
    "minimum": 0,
    "maximum": 2**31,
    "default": 0,
    "description": "How many to pass over.",
}
LIMIT: dict[str, Any] = {
    "type": "integer",
    "minimum": 1,
    "maximum": 500,
    "default": 50,
    "description": "How many to give at most.",
}


def ref(name: str) -> dict[str, Any]:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(optional: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these properties, all required, and with optional ones."""
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def page_of(name: str) -> dict[str, Any]:
    """Return the schema of a part of a list, with how many there are in all."""
    return record(total=_NUMBER, items={"type": "array", "items": ref(name)})


def _one_of(kind: Any) -> dict[str, Any]:
    return {"type": "string", "enum": [each.value for each in kind]}


COMPONENTS: dict[str, dict[str, Any]] = {
    "Problem": {
        **record(
            type=_TEXT,
            title=_TEXT,
            status=_NUMBER,
            detail=_TEXT,
            next_step=_TEXT,
            request_id=_TEXT,
            problems={"type": "array", "items": record(where=_TEXT, rule=_TEXT, sentence=_TEXT, fix=_TEXT)},
            optional={"error": _TEXT, "remedy": _TEXT, "vendor_request_id": _TEXT},
        ),
        "description": "What happened, where, and what to do next; without secrets.",
    },
    "Connector": record(
        name=_TEXT,
        label=_TEXT,
        version={"anyOf": [_NUMBER, {"type": "null"}]},
        version_name=_TEXT,
        description=_TEXT,
        problem=_TEXT,
        streams={"type": "array", "items": record(name=_TEXT, title=_TEXT, description=_TEXT)},
        authentication={"type": "array", "items": _TEXT},
    ),
    "Form": record(schema=_OBJECT, uiSchema=_OBJECT, formData=_OBJECT),
    "Operation": {"type": "object", "properties": {"id": _TEXT}, "required": ["id"]},
    "Instance": record(
        id=_TEXT,
        name=_TEXT,
        connector=_TEXT,
        connector_version=_NUMBER,
        authentication=_TEXT,
        settings=_OBJECT,
        account=_TEXT,
        state=_one_of(InstanceState),
        state_message=_TEXT,
        tested_at=_NO_TIME,
        created_at=_TIME,
        updated_at=_TIME,
    ),
    "Usage": {
        **record(
            used=_NUMBER,
            limit={**_NO_NUMBER, "description": "Null where calls count in the instance's limit only."},
            closed_for={**_SECONDS, "description": "The vendor has closed it for so many seconds."},
            room_in={**_SECONDS, "description": "Seconds until there is room for another call."},
            free_in={**_SECONDS, "description": "Seconds until no call that was made so far counts any more."},
        ),
        "description": "How many calls count now, whoever has made them.",
    },
    "Quota": record(
        taken_at=_TIME,
        instance={"anyOf": [ref("Usage"), {"type": "null"}], "description": "Of all operations together."},
        operations={"type": "object", "additionalProperties": ref("Usage"), "description": "By id, those in use."},
    ),
    "SetUp": record(
        instance=ref("Instance"),
        account=_TEXT,
        addresses={"type": "object", "additionalProperties": _TEXT},
        warnings={"type": "array", "items": _TEXT},
        checks={
            "type": "array",
            "items": record(
                area=_TEXT,
                operation=_TEXT,
                outcome=_one_of(AreaOutcome),
                message=_TEXT,
                permissions={"type": "array", "items": _TEXT},
                request_id=_TEXT,
            ),
        },
    ),
    "Answer": record(status=_NUMBER, request_id=_TEXT, attempts=_NUMBER, elapsed={"type": "number"}, data={}),
    "Run": record(
        id=_TEXT,
        instance_id=_TEXT,
        instance=_TEXT,
        connector=_TEXT,
        kind=_one_of(RunKind),
        what=_TEXT,
        parameters=_OBJECT,
        started_by=_one_of(StartedBy),
        schedule_id={"anyOf": [_TEXT, {"type": "null"}]},
        state=_one_of(RunState),
        attempt=_NUMBER,
        counts={"type": "object", "additionalProperties": _NUMBER},
        message=_TEXT,
        next_step=_TEXT,
        request_id=_TEXT,
        checkpoint=_TEXT,
        files={
            "type": "array",
            "items": record(name=_TEXT, size=_NUMBER, records={"anyOf": [_NUMBER, {"type": "null"}]}),
        },
        stop_requested={"type": "boolean"},
        started_at=_TIME,
        finished_at=_NO_TIME,
        reach=ref("Reach"),
    ),
    "Reach": {
        **record(
            {
                "mode": {"type": "string", "enum": ["incremental", "changes", "full"]},
                "after": {**_NO_TEXT, "description": "Id of the run that it goes on from."},
                "since": {**_NO_TIME, "description": "The earliest time that is read; null where there is no limit."},
                "until": {**_NO_TIME, "description": "The latest time that is read, likewise."},
                "read_up_to": {**_NO_TIME, "description": "From where the next run goes on."},
                "complete": {"type": "boolean", "description": "Whether it has come to its end."},
            }
        ),
        "description": "What the run of a stream reads, as far as it is known.",
    },
    "StreamState": {
        **record(
            stream=_TEXT,
            mode={"type": "string", "enum": ["incremental", "changes"]},
            parameters=_OBJECT,
            run_id=_TEXT,
            until=_NO_TIME,
            unfinished={"type": "boolean"},
        ),
        "description": "How far the runs of a stream with the same parameters have come; run_id is the last of them.",
    },
    "Parameters": RUN_PARAMETERS,
    "Event": record(run_id=_TEXT, number=_NUMBER, at=_TIME, kind=_one_of(EventKind), data=_OBJECT),
    "Schedule": record(
        id=_TEXT,
        instance_id=_TEXT,
        instance=_TEXT,
        kind=_one_of(RunKind),
        what=_TEXT,
        parameters=_OBJECT,
        every_minutes={"anyOf": [_NUMBER, {"type": "null"}]},
        cron={"anyOf": [_TEXT, {"type": "null"}]},
        time_zone=_TEXT,
        enabled={"type": "boolean"},
        due_at=_NO_TIME,
        created_at=_TIME,
    ),
    "Environment": record(
        id=_TEXT, name=_TEXT, replacements={"type": "object", "additionalProperties": _TEXT}, created_at=_TIME
    ),
    "Retention": record(log_days=_NUMBER, sample_hours=_NUMBER),
    "Key": record(id=_TEXT, writes={"type": "boolean"}),
    "Rotation": {
        **record(key_id=_TEXT, rewritten=_NUMBER, unreadable={"type": "array", "items": _TEXT}),
        "description": "The key that writes now, how many secrets were written anew, and which no key at hand opens.",
    },
    "Token": record(id=_TEXT, name=_TEXT, created_at=_TIME, last_used_at=_NO_TIME),
    "Document": _OBJECT,
}
"""Named schemas of the document."""
