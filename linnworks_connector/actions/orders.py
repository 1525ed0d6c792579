"""Sets an order's tracking number: the call takes the whole shipping of the order, and that is read first (decided)."""

from collections.abc import Mapping
from typing import Any, Final

from connector_host.contract.code import Calls
from connector_host.contract.errors import RecordRejected

__all__ = ["SetTrackingNumber"]

_KEPT: Final = ("PostalServiceId", "TotalWeight", "ItemWeight", "PostageCost", "ManualAdjust")
"""What the vendor takes of an order's shipping beside the tracking number."""


class SetTrackingNumber:
    """Reads an order's shipping, puts the tracking number into it, and sends it back."""

    async def push(self, calls: Calls, record: Mapping[str, Any]) -> Any:
        """Return the number as the vendor answers it. Raises RecordRejected where there is no such open order."""
        order_id = record["order_id"]
        asked = {"orderId": order_id, "loadItems": False, "loadAdditionalInfo": False}
        order = (await calls.call("orders.GetOrder", asked)).json()
        shipping = order.get("ShippingInfo") if isinstance(order, Mapping) else None
        if not isinstance(shipping, Mapping):
            raise RecordRejected(
                "Linnworks has no open order with this id.",
                next_step="Give the id of an open order; processed ones keep their shipping.",
            )
        info = {key: shipping[key] for key in _KEPT if shipping.get(key) is not None}
        info["TrackingNumber"] = record["tracking_number"]
        if "postal_service_id" in record:
            info["PostalServiceId"] = record["postal_service_id"]
        answer = (await calls.call("orders.SetOrderShippingInfo", {"orderId": order_id, "info": info})).json()
        answered = answer.get("ShippingInfo") if isinstance(answer, Mapping) else None
        number = answered.get("TrackingNumber") if isinstance(answered, Mapping) else None
        if number != info["TrackingNumber"]:
            raise RecordRejected(
                "Linnworks answered success, and the order has another tracking number than the one sent.",
                next_step="Look at the order in Linnworks.",
            )
        return {"TrackingNumber": number}
