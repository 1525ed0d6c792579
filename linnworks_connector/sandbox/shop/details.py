"""The lists that hang on a stock item: titles, prices, descriptions, properties, images, suppliers, channel SKUs."""

from dataclasses import dataclass, field
from typing import Any, Final

from linnworks_connector.sandbox.draws import chance, generator
from linnworks_connector.sandbox.shop import reference as ref
from linnworks_connector.sandbox.shop.ids import NULL_DATE, moment
from linnworks_connector.sandbox.shop.items import Item
from linnworks_connector.sandbox.shop.orders import channel_sku

Rows = list[dict[str, Any]]

_MOST_LISTED: Final = 30


@dataclass(slots=True)
class Details:
    """Rows as the API writes them, with the field names of the vendor, misspelt ones included."""

    titles: Rows = field(default_factory=list)
    prices: Rows = field(default_factory=list)
    descriptions: Rows = field(default_factory=list)
    properties: Rows = field(default_factory=list)
    images: Rows = field(default_factory=list)
    suppliers: Rows = field(default_factory=list)
    channel_skus: Rows = field(default_factory=list)


def build_details(item: Item, seed: int) -> Details:
    """Build the rows of a seeded item; the same item gives the same rows."""
    rng = generator(seed * 7_919 + item.index)
    link = {"StockItemId": item.id, "StockItemIntId": item.int_id}
    details = Details()
    created, listed = moment(item.created), item.index % _MOST_LISTED
    for place, channel in enumerate(ref.CHANNELS):
        if not chance(rng, 0.25 if channel.site in ("DE", "US") else 0.6):
            continue
        about = {"Source": channel.source, "SubSource": channel.sub_source, **link}
        details.titles.append({"pkRowId": _row_id(item, 1, place), "Title": item.title, **about})
        details.prices.append(
            {
                "Rules": [],
                "pkRowId": _row_id(item, 2, place),
                "Price": round(item.retail_price * channel.fee, 2),
                "Tag": "",
                "UpdateStatus": "NoChange",
                "StartDate": NULL_DATE,
                "EndDate": NULL_DATE,
                **about,
            }
        )
        text = f"<p>{item.title}.</p><p>{ref.CATEGORIES[item.category].name} — made to last.</p>"
        details.descriptions.append({"pkRowId": _row_id(item, 3, place), "Description": text, **about})
        details.channel_skus.append(
            {
                "ChannelSKURowId": _row_id(item, 4, place),
                "SKU": channel_sku(item, channel),
                "Source": channel.source,
                "SubSource": channel.sub_source,
                "UpdateStatus": "Success",
                "ChannelReferenceId": f"B0{item.int_id:08d}",
                "LastUpdate": created,
                "MaxListedQuantity": 0,
                "EndWhenStock": 0,
                "SubmittedQuantity": listed,
                "ListedQuantity": listed,
                "StockPercentage": 100.0,
                "IgnoreSync": False,
                "IgnoreSyncMultiLocation": False,
                "IsMultiLocation": False,
                "StockItemId": item.id,
                "StockItemIntId": item.int_id,
            }
        )
    attributes = {"Material": rng.choice(ref.MATERIALS), "CountryOfOrigin": rng.choice(("GB", "DE", "CN", "IN"))}
    for place, (name, value) in enumerate(attributes.items()):
        details.properties.append(
            {
                "pkRowId": _row_id(item, 5, place),
                "fkStockItemId": item.id,
                "ProperyName": name,
                "PropertyValue": value,
                "PropertyType": "Attribute",
            }
        )
    for place in range(rng.choice((0, 1, 1, 2, 3))):
        details.images.append(_image(item, place, link))
    for place, entry in enumerate(rng.sample(ref.SUPPLIERS, rng.choice((1, 1, 2)))):
        details.suppliers.append(_supplier(item, entry, main=place == 0))
    return details


def _row_id(item: Item, kind: int, place: int) -> str:
    """Return the id of a row: the item's, with its last part saying which row. Cheaper than a digest for each."""
    return f"{item.id[:24]}{kind:04x}{place:08x}"


def _image(item: Item, place: int, link: dict[str, Any]) -> dict[str, Any]:
    row = _row_id(item, 6, place)
    checksum = row.replace("-", "")
    return {
        "Source": f"https://images.example.com/tumbnail_{row}.jpg",
        "FullSource": f"https://images.example.com/{row}.jpg",
        "CheckSumValue": checksum,
        "pkRowId": row,
        "IsMain": place == 0,
        "SortOrder": place,
        "ChecksumValue": checksum,
        "RawChecksum": checksum,
        **link,
    }


def _supplier(item: Item, entry: tuple[str, str, str, int], *, main: bool) -> dict[str, Any]:
    supplier, name, currency, lead = entry
    price = item.purchase_price
    return {
        "IsDefault": main,
        "Supplier": name,
        "SupplierID": supplier,
        "Code": f"{name[:2].upper()}{item.int_id}",
        "SupplierBarcode": "",
        "LeadTime": lead,
        "PurchasePrice": price,
        "MinPrice": round(price * 0.95, 2),
        "MaxPrice": round(price * 1.1, 2),
        "AveragePrice": price,
        "AverageLeadTime": float(lead),
        "SupplierMinOrderQty": 1,
        "SupplierPackSize": 1,
        "SupplierCurrency": currency,
        "StockItemId": item.id,
        "StockItemIntId": item.int_id,
    }
