"""Stock transfers: the active ones, the archive, and one with its lines."""

from typing import Any, Final

from linnworks_connector.sandbox.answers import Answer, refuse, value
from linnworks_connector.sandbox.calls import Call, Handler
from linnworks_connector.sandbox.paging import paged
from linnworks_connector.sandbox.shop import Shop
from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid, moment, read_moment
from linnworks_connector.sandbox.shop.transfers import STATUSES, Transfer, TransferLine

_STATUS_CHANGE: Final = "TransferStatusChange"


def _basic(transfer: Transfer) -> dict[str, Any]:
    """Return a transfer as the lists show it: without what is in it."""
    return {
        "PkTransferId": transfer.id,
        "FromLocationId": transfer.source.id,
        "ToLocationId": transfer.target.id,
        "FromLocation": transfer.source.name,
        "ToLocation": transfer.target.name,
        "Status": transfer.status,
        "nStatus": STATUSES.index(transfer.status),
        "ReferenceNumber": transfer.reference,
        "OrderDate": moment(transfer.ordered, len(transfer.lines)),
        "NumberOfItems": len(transfer.lines),
        "NumberOfNotes": 1 if transfer.note else 0,
        "fkOriginalTransferId": ZERO_GUID,
        "OriginalTransferReference": "",
        "IsDiscrepancyTransfer": False,
        "BLogicalDelete": False,
        "Bins": [],
        "Notes": [],
        "AuditTrail": [],
        "TransferProperties": [],
        "UpdateStatus": dict.fromkeys(("Notes", "Items", "Properties", "Information", "Status"), False),
    }


def _with_lines(shop: Shop, transfer: Transfer) -> dict[str, Any]:
    box = guid(transfer.id, "bin")
    return {
        **_basic(transfer),
        "Bins": [
            {
                "PkBinId": box,
                "BinName": "Bin 1",
                "BinReference": f"{transfer.reference}-1",
                "BinBarcode": "",
                "BinNotes": [],
                "BinItems": [_line(shop, transfer, line, box) for line in transfer.lines],
            }
        ],
        "Notes": _notes(transfer),
        "AuditTrail": [
            {
                "PkTransferAuditId": guid(transfer.id, "audit", place),
                "AuditType": _STATUS_CHANGE,
                "nAuditType": 0,
                "AuditDate": moment(transfer.ordered, place),
                "AuditNote": f"Status set to {status}",
            }
            for place, status in enumerate(STATUSES[: STATUSES.index(transfer.status) + 1])
        ],
    }


def _notes(transfer: Transfer) -> list[dict[str, Any]]:
    if not transfer.note:
        return []
    return [
        {
            "PkTransferNoteId": guid(transfer.id, "note"),
            "NoteUser": "Shop Keeper",
            "Note": transfer.note,
            "NoteDateTime": moment(transfer.ordered),
            "NoteRead": True,
        }
    ]


def _line(shop: Shop, transfer: Transfer, line: TransferLine, box: str) -> dict[str, Any]:
    item = shop.stock.items[line.item]
    levels = shop.stock.levels(item)
    source, target = levels.get(transfer.source.id), levels.get(transfer.target.id)
    return {
        "PkTransferItemId": line.id,
        "FkStockItemId": item.id,
        "SKU": item.sku,
        "Barcode": item.barcode,
        "ItemTitle": item.title,
        "RequestedQuantity": line.requested,
        "SentQuantity": line.sent,
        "ReceivedQuantity": line.received,
        "InFromLocationQuantity": source.on_hand if source else 0,
        "DueFromLocationQuantity": source.due if source else 0,
        "InToLocationQuantity": target.on_hand if target else 0,
        "ItemNoteCount": 0,
        "BinRackNumber": target.bin_rack if target else "",
        "PkBinId": box,
        "ItemNotes": [],
    }


def active(call: Call) -> Answer:
    """List the transfers that have not come yet, of all locations or of one."""
    where = call.args.get("locationId")
    return value(
        [
            _basic(transfer)
            for transfer in call.shop.transfers.values()
            if not transfer.archived and where in (None, transfer.source.id, transfer.target.id)
        ]
    )


def archived(call: Call) -> Answer:
    """List the transfers in the archive, a page at a time; between two dates of their creation if these are given."""
    start, end = read_moment(call.args.get("start")), read_moment(call.args.get("end"))
    found = [
        transfer
        for transfer in call.shop.transfers.values()
        if transfer.archived
        and (start is None or transfer.ordered >= start)
        and (end is None or transfer.ordered <= end)
    ]
    return value(paged(found, call.number("pageNumber", 1), call.number("entriesPerPage", 50), _basic))


def show(call: Call) -> Answer:
    """Show one transfer with its lines."""
    transfer = call.shop.transfers.get(call.text("pkTransferId"))
    return value(_with_lines(call.shop, transfer)) if transfer else refuse("The transfer does not exist.")


def show_many(call: Call) -> Answer:
    """Show transfers by id as the lists do."""
    found = (call.shop.transfers.get(key) for key in call.rows("ids"))
    return value([_basic(transfer) for transfer in found if transfer is not None])


HANDLERS: Final[dict[str, Handler]] = {
    "warehousetransfer.GetActiveTransfersAllLocations": active,
    "warehousetransfer.GetActiveTransfersForLocation": active,
    "warehousetransfer.GetArchivedTransfers": archived,
    "warehousetransfer.GetArchivedTransfersBetweenDates": archived,
    "warehousetransfer.GetTransferWithItems": show,
    "warehousetransfer.GetListTransfers": show_many,
}
