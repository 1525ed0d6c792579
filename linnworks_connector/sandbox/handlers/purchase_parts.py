"""What hangs on a purchase order: notes and extended properties."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.handlers.purchase_orders import purchase_order
from linnworks_connector.sandbox.shop.ids import guid, moment


def _note(row: dict[str, Any]) -> dict[str, Any]:
    text = moment(row["when"])
    return {
        "pkPurchaseOrderNoteId": row["id"],
        "Note": row["text"],
        "NoteDateTime": text,
        "UserName": "Sandbox",
        "NoteDate": text[:10],
        "NoteTime": text[11:16],
    }


def get_notes(call: Call) -> Answer:
    """List the notes of a purchase order."""
    return value([_note(row) for row in purchase_order(call).notes])


def add_note(call: Call) -> Answer:
    """Add a note."""
    order = purchase_order(call)
    when = call.shop.now()
    order.notes.append({"id": guid(order.id, "note", when), "text": call.text("Note"), "when": when})
    return value(_note(order.notes[-1]))


def delete_note(call: Call) -> Answer:
    """Delete a note; the answer is how many are left."""
    order = purchase_order(call)
    order.notes = [row for row in order.notes if row["id"] != call.text("pkPurchaseOrderNoteId")]
    return value(len(order.notes))


def get_properties(call: Call) -> Answer:
    """List the extended properties of a purchase order."""
    return value({"Items": purchase_order(call, "PurchaseId").properties})


def add_properties(call: Call) -> Answer:
    """Add extended properties."""
    order = purchase_order(call, "PurchaseId")
    for row in call.rows("ExtendedPropertyItems"):
        order.properties.append(
            {
                "RowId": max((known["RowId"] for known in order.properties), default=0) + 1,
                "PurchaseID": order.id,
                "AddedDateTime": moment(call.shop.now()),
                "UserName": "Sandbox",
                "PropertyName": str(row.get("PropertyName") or ""),
                "PropertyValue": str(row.get("PropertyValue") or ""),
            }
        )
    return value({"Items": order.properties})


def delete_properties(call: Call) -> Answer:
    """Delete extended properties."""
    order, gone = purchase_order(call, "PurchaseId"), set(call.rows("RowIds"))
    order.properties = [row for row in order.properties if row["RowId"] not in gone]
    return nothing()


HANDLERS: Final[dict[str, Handler]] = {
    "purchaseorder.Get_PurchaseOrderNote": get_notes,
    "purchaseorder.Add_PurchaseOrderNote": add_note,
    "purchaseorder.Delete_PurchaseOrderNote": delete_note,
    "purchaseorder.Get_PurchaseOrderExtendedProperty": get_properties,
    "purchaseorder.Add_PurchaseOrderExtendedProperty": add_properties,
    "purchaseorder.Delete_PurchaseOrderExtendedProperty": delete_properties,
}
