"""The settings of a channel as `inventory.GetChannels` lists them: each is an object with its value."""

from typing import Any, Final

from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import NULL_DATE, guid

DIRECT: Final = "DIRECT"
"""The source of orders that no marketplace sends."""

_ERROR_COUNTS: Final = (
    "OrderDownloadErrorCount", "OrderDownloadGlobalErrorCount", "OrderDespatchErrorCount",
    "OrderDespatchGlobalErrorCount", "OrderCancellationCheckErrorCount", "OrderCancellationCheckGlobalErrorCount",
    "RmaDownloadErrorCount", "RmaDownloadGlobalErrorCount", "InvSyncErrorCount", "PriceChangeErrorCount",
)  # fmt: skip
_DATES: Final = (
    "OrderSyncDate", "OrderCancellationCheckDate", "ListingScanStartUpdateDate", "LastListingUpdateDate",
    "EstimatedInventoryScanComplete",
)  # fmt: skip
_VALUES: Final[dict[str, Any]] = {
    "SourceVersion": "1.0",
    "Enabled": True,
    "IsMultiLocation": False,
    "PriceChange": False,
    "AutoLinkBySku": True,
    "AutoPopulatedLocations": False,
    "CanModifyLocationsOnChannel": False,
    "BopisSupported": False,
    "ProcessPosOrders": False,
    "DeductPosOrdersStock": False,
    "DespatchNotes": True,
    "CancellationNotes": False,
    "AutoRespondCancellationRequests": False,
    "CancellationResponseType": "",
    "RefundNotes": False,
    "DownloadRefunds": False,
    "ReturnNotes": False,
    "DownloadReturns": False,
    "OrderSaveLocation": ref.LOCATIONS[0].id,
    "IsOrdersSiteSpecific": False,
    "ConfigDiscount": "AllEvenly",
    "HidesHeaderAttributes": False,
    "MaxListed": 0,
    "StockPercentage": 100.0,
    "EndWhen": 0,
    "AddInOrderBookStock": False,
    "ExtractInventory": False,
    "ExtractInventoryVariationMappingPropertyName": "",
    "IsInventorySyncTriggerEnabled": True,
    "IsListingScanRunning": False,
    **dict.fromkeys(_ERROR_COUNTS, 0),
    **dict.fromkeys(_DATES, NULL_DATE),
}
_MOST: Final = 100
"""Settings of one channel: their ids do not meet those of the next."""


def settings_of(channel: ref.Channel, number: int) -> dict[str, Any]:
    """Return the settings of the channel with this number: a few say what it is, the others are as they come."""
    sells = channel.source != DIRECT
    values = {**_VALUES, "ChannelTag": channel.source.lower(), "InventorySync": sells}
    return {
        **{name: _setting(number * _MOST + place, content) for place, (name, content) in enumerate(values.items())},
        "ChannelLocationBinding": {"Locations": []},
        "StockLocationBinding": {
            "Locations": [
                {"pkStockLocationId": each.id, "Deleted": False, "fkChannelLocationId": 0}
                for each in ref.LOCATIONS[: 1 if sells else 0]
            ]
        },
        "PostalServiceMapping": {"Mapping": [], "ChannelServices": [], "IsChanged": False},
        "PaymentMethodMapping": {"Mapping": [], "ChannelServices": [], "IsChanged": False},
        "ConfigDiscountTyped": "AllEvenly",
        "FulfillmentServiceEnabled": False,
        "FulfillmentLocation": ref.LOCATIONS[0].id,
        "ConcurrencyKey": guid("channel", number, "unchanged"),
        "Rules": [],
        "Buttons": [],
        "HeaderAuditValues": [],
    }


def _setting(number: int, content: Any) -> dict[str, Any]:
    return {"pkPropertyId": number, "Loaded": True, "IsChanged": False, "PropertyValue": content, "PropertyType": ""}
