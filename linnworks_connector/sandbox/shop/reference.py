"""The fixed parts of the invented shop: locations, channels, services, categories, people's names and places."""

from dataclasses import dataclass
from typing import Final

from linnworks_connector.sandbox.shop.ids import ZERO_GUID, guid


@dataclass(frozen=True, slots=True)
class Location:
    """A stock location; the first is Default, whose id is all zeros."""

    id: str
    int_id: int
    name: str
    tag: str
    fulfilment_center: bool
    warehouse_managed: bool


LOCATIONS: Final = (
    Location(ZERO_GUID, 1, "Default", "", fulfilment_center=False, warehouse_managed=False),
    Location(guid("location", 2), 2, "Leeds Warehouse", "LDS", fulfilment_center=False, warehouse_managed=False),
    Location(guid("location", 3), 3, "Rotterdam 3PL", "RTM", fulfilment_center=True, warehouse_managed=False),
    Location(guid("location", 4), 4, "Returns Room", "RET", fulfilment_center=False, warehouse_managed=False),
)


@dataclass(frozen=True, slots=True)
class Channel:
    """A sales channel with one account (sub-source), its share of the orders and where its buyers live."""

    source: str
    sub_source: str
    site: str
    weight: int
    countries: tuple[tuple[str, int], ...]
    fee: float
    reference: str


CHANNELS: Final = (
    Channel("AMAZON", "Amazon UK", "UK", 30, (("GB", 97), ("IE", 3)), 1.04, "{a:03d}-{b:07d}-{c:07d}"),
    Channel("AMAZON", "Amazon DE", "DE", 9, (("DE", 88), ("AT", 8), ("NL", 4)), 1.08, "{a:03d}-{b:07d}-{c:07d}"),
    Channel("AMAZON", "Amazon US", "US", 7, (("US", 100),), 1.10, "{a:03d}-{b:07d}-{c:07d}"),
    Channel(
        "EBAY", "EBAY0_UK", "UK", 22, (("GB", 90), ("IE", 4), ("FR", 3), ("DE", 3)), 1.02, "{a:02d}-{c:05d}-{b:05d}"
    ),
    Channel("EBAY", "EBAY1_DE", "DE", 4, (("DE", 95), ("AT", 5)), 1.05, "{a:02d}-{c:05d}-{b:05d}"),
    Channel(
        "SHOPIFY",
        "hearth-and-field",
        "",
        17,
        (("GB", 70), ("US", 12), ("FR", 8), ("NL", 5), ("SE", 5)),
        1.0,
        "#{c:07d}",
    ),
    Channel("WOOCOMMERCE", "trade-shop", "", 5, (("GB", 80), ("IE", 12), ("FR", 8)), 0.9, "WC-{c:07d}"),
    Channel("DIRECT", "", "", 6, (("GB", 94), ("IE", 6)), 0.95, "DIR{c:07d}"),
)


@dataclass(frozen=True, slots=True)
class Country:
    """A country with its tax rate in percent and how many pounds its currency is worth (as ConversionRate)."""

    code: str
    name: str
    continent: str
    currency: str
    rate: float
    tax: float
    phone: str
    places: tuple[tuple[str, str, str], ...]

    @property
    def id(self) -> str:
        """The id of the country."""
        return guid("country", self.code)


COUNTRIES: Final[dict[str, Country]] = {
    country.code: country
    for country in (
        Country("GB", "United Kingdom", "Europe", "GBP", 1.0, 20.0, "07700 900{n:03d}", (
            ("Leeds", "West Yorkshire", "LS{d} {e}AB"), ("Bristol", "Avon", "BS{d} {e}QT"),
            ("Manchester", "Greater Manchester", "M{d} {e}WX"), ("Glasgow", "Lanarkshire", "G{d} {e}DH"),
            ("London", "Greater London", "SE{d} {e}NP"), ("Cardiff", "South Glamorgan", "CF{d} {e}LJ"),
            ("Norwich", "Norfolk", "NR{d} {e}RU"), ("Belfast", "County Antrim", "BT{d} {e}GH"),
        )),
        Country("IE", "Ireland", "Europe", "EUR", 0.85, 23.0, "+353 20 910 0{n:03d}", (
            ("Dublin", "County Dublin", "D0{d} X{e}A2"), ("Cork", "County Cork", "T1{d} Y{e}K4"),
        )),
        Country("DE", "Germany", "Europe", "EUR", 0.85, 19.0, "+49 30 23125 {n:03d}", (
            ("Berlin", "Berlin", "10{e}{d}5"), ("München", "Bayern", "80{e}{d}7"),
            ("Köln", "Nordrhein-Westfalen", "50{e}{d}9"),
            ("Gößweinstein", "Bayern", "913{e}{d}"),
        )),
        Country("AT", "Austria", "Europe", "EUR", 0.85, 20.0, "+43 1 5555{n:03d}", (
            ("Wien", "Wien", "1{e}{d}0"), ("Graz", "Steiermark", "80{e}{d}"),
        )),
        Country("FR", "France", "Europe", "EUR", 0.85, 20.0, "+33 1 99 00 1{n:03d}", (
            ("Lyon", "Auvergne-Rhône-Alpes", "690{e}{d}"), ("Nîmes", "Occitanie", "300{e}{d}"),
        )),
        Country("NL", "Netherlands", "Europe", "EUR", 0.85, 21.0, "+31 20 555 0{n:03d}", (
            ("Utrecht", "Utrecht", "35{e}{d} AK"), ("'s-Hertogenbosch", "Noord-Brabant", "52{e}{d} HB"),
        )),
        Country("SE", "Sweden", "Europe", "SEK", 0.075, 25.0, "+46 31 390 6{n:03d}", (
            ("Göteborg", "Västra Götaland", "41{e} {d}2"), ("Malmö", "Skåne", "21{e} {d}4"),
        )),
        Country("US", "United States", "North America", "USD", 0.79, 0.0, "(555) 555-0{n:03d}", (
            ("Portland", "OR", "972{e}{d}"), ("Austin", "TX", "787{e}{d}"),
            ("Columbus", "OH", "432{e}{d}"), ("Raleigh", "NC", "276{e}{d}"),
        )),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PostalService:
    """A postal service with its vendor and price in pounds without tax."""

    name: str
    code: str
    vendor: str
    price: float
    abroad: bool

    @property
    def id(self) -> str:
        """The id of the service."""
        return guid("postal", self.name)


POSTAL_SERVICES: Final = (
    PostalService("Default", "", "", 0.0, abroad=False),
    PostalService("Royal Mail 48 Tracked", "TPS48", "Royal Mail", 2.91, abroad=False),
    PostalService("Royal Mail 24 Tracked", "TPN24", "Royal Mail", 3.60, abroad=False),
    PostalService("DPD Next Day", "1^12", "DPD", 4.99, abroad=False),
    PostalService("Evri Standard", "EVRI_STD", "Evri", 2.49, abroad=False),
    PostalService("DHL Parcel International", "DHL_INT", "DHL", 9.80, abroad=True),
    PostalService("Royal Mail International Tracked", "MP1", "Royal Mail", 8.15, abroad=True),
)

PACKAGE_GROUPS: Final = (
    (guid("package", "Default"), "Default"),
    (guid("package", "Letter"), "Letter"),
    (guid("package", "Parcel"), "Parcel"),
)

PAYMENT_METHODS: Final = tuple(
    (guid("payment", name), name) for name in ("Default", "PayPal", "Card", "Amazon Pay", "Bank Transfer")
)

FOLDERS: Final = ("Gift wrap", "Trade", "Check address", "Back order")

IDENTIFIERS: Final = (
    (1, "AMAZON_PRIME", "Amazon Prime", False),
    (2, "PICKWAVE_LOCKED", "Pickwave locked", False),
    (3, "SCHEDULED", "Scheduled delivery", False),
    (4, "FRAGILE", "Fragile", True),
)


@dataclass(frozen=True, slots=True)
class Category:
    """A category with what is sold in it: nouns, a usual price in pounds, and how widely prices spread."""

    name: str
    code: str
    nouns: tuple[str, ...]
    price: float
    spread: float

    @property
    def id(self) -> str:
        """The id of the category; that of Default is all zeros."""
        return ZERO_GUID if self.name == "Default" else guid("category", self.name)


CATEGORIES: Final = (
    Category("Default", "GEN", ("Gift Card", "Spare Part Set"), 9.0, 0.4),
    Category("Kitchen", "KIT", ("Chopping Board", "Storage Jar", "Mixing Bowl", "Tea Towel", "Utensil Pot"), 14.0, 0.5),
    Category("Garden", "GRD", ("Planter", "Hand Trowel", "Watering Can", "Seed Tray", "Bird Feeder"), 17.0, 0.6),
    Category("Lighting", "LIT", ("Table Lamp", "Pendant Shade", "Lantern", "Candle Holder"), 34.0, 0.5),
    Category("Bathroom", "BTH", ("Soap Dish", "Bath Mat", "Towel Rail", "Storage Basket"), 18.0, 0.5),
    Category("Stationery", "STA", ("Notebook", "Pen Pot", "Desk Tidy", "Gift Wrap Roll"), 7.5, 0.4),
    Category("Toys", "TOY", ("Building Blocks", "Stacking Rings", "Puzzle", "Pull-Along Duck"), 16.0, 0.4),
    Category("Furniture", "FUR", ("Side Table", "Bar Stool", "Bookcase", "Bench"), 96.0, 0.5),
)

MATERIALS: Final = (
    "Oak",
    "Enamel",
    "Bamboo",
    "Linen",
    "Stoneware",
    "Galvanised Steel",
    "Recycled Glass",
    "Cork",
    "Beech",
)
RANGES: Final = ("Hearth", "Fell", "Wold", "Marram", "Tarn", "Beck", "Holt", "Copse")
COLOURS: Final = (("Sage Green", "SGR"), ("Ink Blue", "INK"), ("Oat", "OAT"), ("Charcoal", "CHR"), ("Rust", "RST"))
SIZES: Final = (("Small", "S"), ("Medium", "M"), ("Large", "L"))

SUPPLIERS: Final = tuple(
    (guid("supplier", name), name, currency, lead)
    for name, currency, lead in (
        ("Pennine Homeware Ltd", "GBP", 7),
        ("Nordlicht Handels GmbH", "EUR", 14),
        ("Jade River Trading", "USD", 45),
        ("Calder Valley Crafts", "GBP", 5),
    )
)

FIRST_NAMES: Final = (
    "Amelia", "Oliver", "Priya", "Tomasz", "Siân", "Mohammed", "Chloe", "Jürgen", "Élodie", "Niamh", "Kwame", "Freya",
    "Hannah", "Luis", "Aoife", "Björn", "Grace", "Yusuf", "Maja", "Daniel", "Ngozi", "Ruth", "Callum", "Zoë",
)  # fmt: skip
LAST_NAMES: Final = (
    "Hughes", "O'Connor", "Patel", "Kowalska", "Müller", "Okafor", "Bennett", "Lefèvre", "Andersson", "Walsh", "Rahman",
    "Thornton", "García", "Whitfield", "de Vries", "Sutcliffe", "Nguyen", "Barraclough", "Fletcher", "McAllister",
)  # fmt: skip
STREETS: Final = (
    "Mill Lane", "Station Road", "Harbour Street", "Queens Avenue", "Orchard Close", "Kirkgate", "Elm Grove",
    "The Green", "Chapel Hill",
)  # fmt: skip
COMPANIES: Final = ("", "", "", "", "", "", "", "Thornton & Sons", "Kowalska Design", "Beck Café Ltd")
NOTES: Final = (
    "Please leave with a neighbour.",
    "Gift: no invoice in the parcel.",
    "Called the customer about the address.",
    "Second parcel follows on Monday.",
)
