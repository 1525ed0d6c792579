"""The registers of scheduled imports and exports."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.shop.ids import moment
from linnworks_connector.sandbox.shop.registers import Register


def _imported(entry: Register) -> dict[str, Any]:
    return {
        "Id": entry.id,
        "Type": entry.kind,
        "FriendlyName": entry.name,
        "Started": moment(entry.started, entry.id),
        "Completed": moment(entry.completed, entry.id + 1),
        "IsQueued": False,
        "LastFileChecksum": "",
        "justOnce": False,
        "Enabled": entry.enabled,
        "Executing": False,
        "ImportSkipped": False,
        "ImportStatus": "" if entry.completed is None else "Completed",
        "IsNew": entry.started is None,
        "AllSchedulesDisabled": not entry.enabled,
        "TimeZoneOffset": 0.0,
        "NextSchedule": moment(None),
    }


def _exported(entry: Register) -> dict[str, Any]:
    return {
        "LastQueryExecuted": moment(entry.started, entry.id),
        "LastExportStatus": entry.completed is not None,
        "Id": entry.id,
        "Type": entry.kind,
        "FriendlyName": entry.name,
        "Executing": False,
        "justOnce": False,
        "Started": moment(entry.started, entry.id),
        "Completed": moment(entry.completed, entry.id + 1),
        "IsQueued": False,
        "Enabled": entry.enabled,
        "IsNew": entry.started is None,
        "AllSchedulesDisabled": not entry.enabled,
        "TimeZoneOffset": 0.0,
        "NextSchedule": moment(None),
    }


def _found(registers: dict[int, Register], key: int) -> Register:
    entry = registers.get(key)
    if entry is None:
        refuse(f"There is no import or export {key}.")
    return entry


def _run(call: Call, entry: Register) -> Answer:
    entry.started = entry.completed = call.shop.now()
    call.shop.journal.record("register.run", f"{entry.kind}:{entry.id}")
    return nothing()


def list_imports(call: Call) -> Answer:
    """List the imports."""
    return value({"register": [{**_imported(entry), "Schedules": []} for entry in call.shop.imports.values()]})


def list_exports(call: Call) -> Answer:
    """List the exports."""
    return value({"register": [{**_exported(entry), "Schedules": []} for entry in call.shop.exports.values()]})


def get_import(call: Call) -> Answer:
    """Show one import."""
    entry = _found(call.shop.imports, call.number("id", 0))
    specification: dict[str, Any] = {"ColumnMappings": [], "ExecutionOptions": []}
    return value({"Specification": specification, "Register": _imported(entry), "Schedules": []})


def get_export(call: Call) -> Answer:
    """Show one export."""
    entry = _found(call.shop.exports, call.number("id", 0))
    specification = {"ExportColumnNames": True, "Delimiter": ",", "ColumnMappings": [], "ExecutionOptions": []}
    return value({"Specification": specification, "Register": _exported(entry), "Schedules": []})


def enable_import(call: Call) -> Answer:
    """Switch an import on or off."""
    entry = _found(call.shop.imports, call.number("importId", 0))
    entry.enabled = call.flag("enable")
    return value(_imported(entry))


def enable_export(call: Call) -> Answer:
    """Switch an export on or off."""
    entry = _found(call.shop.exports, call.number("exportId", 0))
    entry.enabled = call.flag("enable")
    return value(_exported(entry))


def run_import(call: Call) -> Answer:
    """Run an import; here it is done at once."""
    return _run(call, _found(call.shop.imports, call.number("importId", 0)))


def run_export(call: Call) -> Answer:
    """Run an export; here it is done at once."""
    return _run(call, _found(call.shop.exports, call.number("exportId", 0)))


def delete_import(call: Call) -> Answer:
    """Delete an import."""
    del call.shop.imports[_found(call.shop.imports, call.number("id", 0)).id]
    return nothing()


def delete_export(call: Call) -> Answer:
    """Delete an export."""
    del call.shop.exports[_found(call.shop.exports, call.number("id", 0)).id]
    return nothing()


HANDLERS: Final[dict[str, Handler]] = {
    "importexport.GetImportList": list_imports,
    "importexport.GetExportList": list_exports,
    "importexport.GetImport": get_import,
    "importexport.GetExport": get_export,
    "importexport.EnableImport": enable_import,
    "importexport.EnableExport": enable_export,
    "importexport.RunNowImport": run_import,
    "importexport.RunNowExport": run_export,
    "importexport.DeleteImport": delete_import,
    "importexport.DeleteExport": delete_export,
}
