"""What changes the state of orders: tag, payment, lock, printed, folder, location, processing, cancelling."""

from collections.abc import Callable
from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, nothing, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import unique
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid
from linnworks_connector.sandbox.shop.orders import PAID, PARKED_TAG, RESEND, UNPAID, Order, note

_TAGS: Final = range(1, PARKED_TAG + 1)
_STATUSES: Final = range(UNPAID, RESEND + 1)


def _open(call: Call, ids: list[str]) -> list[Order]:
    """Return those orders of `ids` that are open, to change."""
    found = (call.shop.orders.edit(key) for key in unique(ids))
    return [order for order in found if order is not None and order.head.is_open]


def open_order(call: Call, name: str = "orderId") -> Order:
    """Return the open order of an argument, to change; refuse when there is none."""
    order = call.shop.orders.edit(call.text(name))
    if order is None or not order.head.is_open:
        refuse(f"There is no open order {call.text(name)}.")
    return order


def change_order_tag(call: Call) -> Answer:
    """Tag orders 1 to 6; 7 parks; no tag takes the tag or the parking away."""
    tag = call.args.get("tag")
    if tag is not None and tag not in _TAGS:
        refuse(f"Tag {tag} does not exist: tags are 1 to 7, 7 parks.")
    orders = _open(call, call.rows("orderIds"))
    for order in orders:
        call.shop.orders.set_tag(order, tag)
    return value([order.head.id for order in orders])


def change_status(call: Call) -> Answer:
    """Set the payment state. A parked order stays as it is, while the answer looks like success: a quirk."""
    status = call.number("status", -1)
    if status not in _STATUSES:
        refuse(f"Status {status} does not exist: 0 unpaid, 1 paid, 2 return, 3 pending, 4 resend.")
    orders = _open(call, call.rows("orderIds"))
    for order in orders:
        if not order.parked:
            order.status = status
            order.head.paid = (order.head.paid or call.shop.now()) if status == PAID else None
            call.shop.orders.touch(order)
            call.shop.journal.record("order.status", f"{order.head.id}={status}")
    return value([order.head.id for order in orders])


def lock_order(call: Call) -> Answer:
    """Lock orders, which gives back their stock, or unlock them."""
    for order in _open(call, call.rows("orderIds")):
        call.shop.orders.lock(order, locked=call.flag("lockOrder"))
    return nothing()


def _marking(change: Callable[[Order, Call], None], *, answers_ids: bool = True, ids: str = "orderIds") -> Handler:
    """Make a handler that changes open orders, leaving out those that are locked or parked."""

    def handler(call: Call) -> Answer:
        orders = [order for order in _open(call, call.rows(ids)) if not (order.locked or order.parked)]
        for order in orders:
            change(order, call)
            call.shop.orders.touch(order)
        return value([order.head.id for order in orders]) if answers_ids else nothing()

    return handler


def _set(name: str, *, to: bool) -> Callable[[Order, Call], None]:
    return lambda order, _: setattr(order, name, to)


def _into_folder(order: Order, call: Call) -> None:
    folder = call.text("folder")
    if folder not in order.folders:
        order.folders = [*order.folders, folder]


def _out_of_folder(order: Order, call: Call) -> None:
    order.folders = [folder for folder in order.folders if folder != call.text("folder")]


def change_shipping_method(call: Call) -> Answer:
    """Set the postal service of orders by its name."""
    name = call.text("shippingMethod").lower()
    place = next((at for at, service in enumerate(ref.POSTAL_SERVICES) if service.name.lower() == name), None)
    if place is None:
        refuse(f"Shipping method {call.text('shippingMethod')} was not found.")
    orders = _open(call, call.rows("orderIds"))
    for order in orders:
        order.postal = place
        call.shop.orders.touch(order)
    return value([order.head.id for order in orders])


def move_to_location(call: Call) -> Answer:
    """Move orders to a location; their stock is allocated there."""
    where = call.text("pkStockLocationId", ZERO_GUID)
    if where not in call.shop.locations:
        refuse(f"Location {where} was not found.")
    orders = _open(call, call.rows("orderIds"))
    for order in orders:
        call.shop.orders.resize(order, lambda moved: setattr(moved, "location", where))
    return value({"Errors": [], "OrdersMoved": [order.head.id for order in orders], "KeyedErrors": {}})


def _process(call: Call, order_id: str) -> dict[str, Any]:
    order = call.shop.orders.edit(order_id)
    if order is None:
        problem = "The order was not found."
    elif not order.head.is_open:
        problem = "The order has been processed already."
    elif order.parked:
        problem = "The order is parked."
    elif order.status != PAID:
        problem = "The order is not paid."
    else:
        call.shop.orders.process(order)
        return {"OrderId": order_id, "Processed": True, "Error": None}
    return {"OrderId": order_id, "Processed": False, "Error": problem}


def process_order(call: Call) -> Answer:
    """Process an order that is paid and not parked; otherwise say why not, under 200."""
    return value(_process(call, call.text("orderId")))


def process_orders_in_batch(call: Call) -> Answer:
    """Process orders, one result each."""
    return value([_process(call, key) for key in unique(call.rows("ordersIds"))])


def process_order_by_reference(call: Call) -> Answer:
    """Process the open order of an order number or reference."""
    wanted, book = call.text("OrderOrReferenceId"), call.shop.orders
    for head in book.open.values():
        order = book.read(head)
        if wanted and wanted in (str(head.number), head.id, order.reference, order.external_reference):
            result = _process(call, head.id)
            state = "PROCESSED" if result["Processed"] else "NOT_PROCESSED"
            return value({"ProcessedState": state, "Message": result["Error"] or "", "OrderId": head.id})
    return value({"ProcessedState": "NOT_FOUND", "Message": f"{wanted} was not found.", "OrderId": ZERO_GUID})


def cancel_order(call: Call) -> Answer:
    """Cancel an open order; the answer is a bare text."""
    order = open_order(call)
    text = call.text("note")
    if text:
        order.notes.append(note(order, text, call.shop.now(), "Sandbox", internal=True))
    call.shop.orders.cancel(order)
    return value("Order cancelled")


def delete_order(call: Call) -> Answer:
    """Delete an open order for good."""
    call.shop.orders.delete(open_order(call))
    return nothing()


def _assign_identifier(call: Call, *, assigned: bool) -> Answer:
    tag = call.text("Tag").upper()
    number = next((key for key, known, _, _ in ref.IDENTIFIERS if known == tag), None)
    if number is None:
        refuse(f"Identifier {tag} does not exist.")
    changed, same = [], []
    for key in unique(call.rows("OrderIds")):
        order = call.shop.orders.edit(key)
        if order is None or (number in order.identifiers) == assigned:
            same.append(key)
            continue
        order.identifiers = (
            [*order.identifiers, number] if assigned else [at for at in order.identifiers if at != number]
        )
        call.shop.orders.touch(order)
        changed.append(key)
    return value({"Changed": changed, "NotChanged": same})


def assign_identifier(call: Call) -> Answer:
    """Put an identifier on orders."""
    return _assign_identifier(call, assigned=True)


def unassign_identifier(call: Call) -> Answer:
    """Take an identifier off orders."""
    return _assign_identifier(call, assigned=False)


def get_available_folders(call: Call) -> Answer:
    """List the folders."""
    return value([{"pkFolderId": guid("folder", name), "FolderName": name} for name in call.shop.folders])


def set_available_folders(call: Call) -> Answer:
    """Replace the list of folders."""
    call.shop.folders[:] = [str(row.get("FolderName") or "") for row in call.rows("folders")]
    return get_available_folders(call)


HANDLERS: Final[dict[str, Handler]] = {
    "orders.ChangeOrderTag": change_order_tag,
    "orders.ChangeStatus": change_status,
    "orders.LockOrder": lock_order,
    "orders.SetLabelsPrinted": _marking(_set("label_printed", to=True)),
    "orders.SetInvoicesPrinted": _marking(_set("invoice_printed", to=True)),
    "orders.SetPickListPrinted": _marking(_set("pick_list_printed", to=True), answers_ids=False, ids="OrderIds"),
    "orders.ClearInvoicePrinted": _marking(_set("invoice_printed", to=False)),
    "orders.ClearPickListPrinted": _marking(_set("pick_list_printed", to=False)),
    "orders.AssignToFolder": _marking(_into_folder),
    "orders.UnassignToFolder": _marking(_out_of_folder),
    "orders.GetAvailableFolders": get_available_folders,
    "orders.SetAvailableFolders": set_available_folders,
    "orders.ChangeShippingMethod": change_shipping_method,
    "orders.MoveToLocation": move_to_location,
    "orders.ProcessOrder": process_order,
    "orders.ProcessOrdersInBatch": process_orders_in_batch,
    "orders.ProcessOrderByOrderOrReferenceId": process_order_by_reference,
    "orders.CancelOrder": cancel_order,
    "orders.DeleteOrder": delete_order,
    "openorders.AssignOrderIdentifier": assign_identifier,
    "openorders.UnassignOrderIdentifier": unassign_identifier,
}
