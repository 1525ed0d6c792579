"""The models of a stream: where its records are listed, page by page, and what a record is.

A stream pulls its lists one after another. A list gives records, or ids of which `details` gives the records; an id
that two lists give is asked for once. Where a record holds a list of what the stream is about, `each` takes it apart.
What none of this can say is read by the connector's own code.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from . import field_rules
from .closed import (
    Closed,
    DottedPath,
    FieldName,
    Key,
    Label,
    OperationId,
    RelativePath,
    Ruled,
    Sentence,
    StreamName,
)
from .code_models import StreamCodeSection

__all__ = [
    "SEVERAL_LISTS",
    "CursorTokenPaging",
    "Details",
    "Fallback",
    "Filter",
    "FilterChoice",
    "ForEach",
    "NoPaging",
    "OffsetPaging",
    "PageNumberPaging",
    "Paging",
    "RecordsAt",
    "Stream",
    "StreamList",
    "TimeWindow",
    "TotalCount",
]


class NoPaging(Closed):
    """One answer has everything."""

    kind: Literal["none"] = "none"
    """Always `none`."""


class PageNumberPaging(Ruled):
    """Pages by number, until the total is reached, a page is short, or the vendor says that the list has ended."""

    kind: Literal["page_number"]
    """Always `page_number`."""
    page: DottedPath
    """Field of the input that takes the page's number."""
    first: int = Field(default=1, ge=0, le=1)
    """Number of the first page."""
    size: DottedPath | None = None
    """Field of the input that takes the number of records per page."""
    page_size: int = Field(default=200, ge=1, le=10_000)
    """Records per page: the most that the operation gives."""
    until: Literal["total_pages", "short_page", "end_answer"]
    """What ends the list: the answer's total, a page with fewer records, or an answer that means the end."""
    total_pages: DottedPath | None = None
    """Field of the answer with the number of pages; needed by `total_pages`."""
    total_records: DottedPath | None = None
    """Field of the answer with the number of records, where there is one: a list that moved while it was read shows."""

    rules = field_rules.PAGES


class OffsetPaging(Closed):
    """Pages by the number of records to skip, until a page is short."""

    kind: Literal["offset"]
    """Always `offset`."""
    offset: DottedPath
    """Field of the input that takes the number of records to skip."""
    size: DottedPath | None = None
    """Field of the input that takes the number of records per page."""
    page_size: int = Field(default=200, ge=1, le=10_000)
    """Records per page."""


class CursorTokenPaging(Closed):
    """Each answer carries the token of the next page; an empty or missing token ends the list."""

    kind: Literal["cursor_token"]
    """Always `cursor_token`."""
    token: DottedPath
    """Field of the input that takes the token."""
    next: DottedPath
    """Field of the answer with the next token."""
    size: DottedPath | None = None
    """Field of the input that takes the number of records per page."""
    page_size: int = Field(default=200, ge=1, le=10_000)
    """Records per page."""
    likely_records: DottedPath | None = None
    """Field of the answer with the number of records, for plans and progress alone: nothing else relies on it."""


Paging = Annotated[
    NoPaging | PageNumberPaging | OffsetPaging | CursorTokenPaging,
    Field(discriminator="kind"),
]


class TimeWindow(Closed):
    """Fields of a list's input that limit it by time; both ends are inclusive at the vendor."""

    since: DottedPath
    """Field of the input for the earliest time."""
    until: DottedPath | None = None
    """Field of the input for the latest time; absent where the vendor has none."""
    field: DottedPath | None = None
    """Field of a listed record with the time that is compared; absent where it carries none."""
    required: bool = False
    """Whether the vendor refuses to list without dates."""
    default_days: int = Field(default=90, ge=1, le=3660)
    """How far back a first pull without `since` reaches where dates are required."""
    overlap: int = Field(default=600, ge=0, le=86_400)
    """Seconds that a pull reaches back behind the one before it, for late rows and clocks that differ."""
    longest: int | None = Field(default=None, ge=60)
    """Seconds that one request may span at most; absent where the vendor sets no bound."""


class ForEach(Ruled):
    """Values that a list is asked for, such as locations or the ids of a parent stream's records."""

    operation: OperationId | None = None
    """Id of the operation that lists the values."""
    stream: StreamName | None = None
    """Name of the parent stream whose records have the values."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Input of the operation."""
    records: DottedPath | None = None
    """Where the list is in the operation's answer; absent where the answer is the list."""
    value: DottedPath | None = None
    """Field of a listed record with the value; absent where the list is of bare values."""
    into: DottedPath
    """Field of the list's input that takes the value, or the values where `batch` is given."""
    batch: int | None = Field(default=None, ge=1, le=1000)
    """Values per request, as a list; absent where the field takes one value."""
    also: dict[DottedPath, DottedPath] = Field(default_factory=dict)
    """Further fields of the list's input, and the fields of the value's record that they take."""
    keep: dict[FieldName, DottedPath] = Field(default_factory=dict)
    """Fields of the value's record that are added to each record of its answer, by their name there."""

    rules = field_rules.FOR_EACH


class RecordsAt(Closed):
    """A list in an answer, and what is added to its records."""

    path: DottedPath | None = None
    """Where the list is in the answer; absent where the answer is the list."""
    add: dict[FieldName, str | int | bool] = Field(default_factory=dict)
    """Fields that are added to each of its records; with details, to the full record."""


SEVERAL_LISTS = "several-lists"
"""Tag of the form of `records` that names several lists; it is a step in the location of an error."""


def _form_of_records(value: object) -> str:
    return "one-list" if isinstance(value, str) else SEVERAL_LISTS


RecordsPlaces = Annotated[
    Annotated[DottedPath, Tag("one-list")] | Annotated[tuple[RecordsAt, ...], Tag(SEVERAL_LISTS)],
    Discriminator(_form_of_records),
]


class StreamList(Closed):
    """A list of records, or of their ids, that one operation gives."""

    operation: OperationId
    """Id of the operation."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its input, without what paging, time, filters and values fill in."""
    paging: Paging = NoPaging()
    """How the list comes in pages."""
    records: RecordsPlaces | None = None
    """Where the records are in an answer, in one list or in several; absent where the answer is the list."""
    id: DottedPath | None = None
    """Field of a listed record with the id for `details`; absent where the list is of bare ids, or has the records."""
    for_each: ForEach | None = None
    """Values that the list is asked for one by one; absent where one list has everything."""
    time: TimeWindow | None = None
    """How the list is limited by time; absent where the vendor cannot."""

    @property
    def places(self) -> tuple[RecordsAt, ...]:
        """The lists in an answer that have the records."""
        return self.records if isinstance(self.records, tuple) else (RecordsAt(path=self.records),)


class Details(Closed):
    """A second operation that gives the full records for ids that a list gave."""

    operation: OperationId
    """Id of the operation."""
    ids: DottedPath
    """Field of its input that takes the list of ids, or the id where `batch` is absent."""
    batch: int | None = Field(default=None, ge=1, le=1000)
    """Ids per request; absent where it takes one."""
    input: dict[str, Any] = Field(default_factory=dict)
    """The rest of its input."""
    records: DottedPath | None = None
    """Where the records are in its answer; absent where the answer is the list, or the one record."""
    keyed: bool = False
    """Whether the answer has, instead of one list, an object with a list for each id."""


class FilterChoice(Closed):
    """What one choice of a filter does: input for the vendor, or values that records must have."""

    input: dict[str, Any] = Field(default_factory=dict)
    """Fields of the lists' input, by dotted path."""
    match: dict[DottedPath, str | int | bool | None] = Field(default_factory=dict)
    """Fields that a record must have with just these values; a list that adds another value is left out."""


class Filter(Ruled):
    """A way to pull fewer records, which a flow builder may fill in."""

    name: Key
    """Name in commands and flows."""
    label: Label
    """Name for people."""
    help: Sentence
    """What it leaves out."""
    into: DottedPath | None = None
    """Field of the lists' input that takes the value, where the vendor filters.

    A list whose operation has no such field goes without, which is allowed only beside `match`.
    """
    match: DottedPath | None = None
    """Field of a record that must equal the value, whatever the case, where the host filters."""
    choices: dict[Key, FilterChoice] = Field(default_factory=dict)
    """The values that it may have; absent where any value is possible."""

    @property
    def asks_the_vendor(self) -> bool:
        """Whether it fills in the input of lists."""
        return self.into is not None or any(each.input for each in self.choices.values())

    rules = field_rules.FILTER


class TotalCount(Closed):
    """An operation that tells how many records a full list has, so that a list which moved is noticed."""

    operation: OperationId
    """Id of the operation."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its input."""
    value: DottedPath | None = None
    """Where the number is in its answer; absent where the answer is the number."""


class Fallback(Ruled):
    """Another way to the same records, for accounts where the first way does not work."""

    setting: Key
    """Instance setting that chooses: `auto` probes, the others name a way."""
    first: Key
    """The setting's value for the stream's own lists."""
    second: Key
    """The setting's value for these lists."""
    lists: tuple[StreamList, ...] = Field(min_length=1)
    """The other lists."""
    details: Details | None = None
    """How full records are got for their ids."""

    rules = field_rules.FALLBACK


class Stream(Ruled):
    """Records of one entity that can be pulled."""

    name: StreamName
    """Name in flows, commands and files."""
    title: Label
    """Name for people."""
    description: Sentence
    """What a record is, and what is special about it."""
    entity_type: Label
    """The platform's entity type."""
    lists: tuple[StreamList, ...] = ()
    """Where the records, or their ids, are listed; in this order."""
    details: Details | None = None
    """How full records are got where the lists have only ids."""
    code: StreamCodeSection | None = None
    """Instead of lists: what the connector's code may call to read the records."""
    each: DottedPath | None = None
    """List inside a record whose elements are the stream's records."""
    inherit: dict[FieldName, DottedPath] = Field(default_factory=dict)
    """Fields of the outer record that are added to each element, by their name there."""
    primary_key: tuple[DottedPath, ...] = Field(min_length=1)
    """Fields that together name a record."""
    cursor: DottedPath | None = None
    """Field of a record with the time of its last change."""
    filters: tuple[Filter, ...] = ()
    """Ways to pull fewer records, beside time."""
    total: TotalCount | None = None
    """How the whole number of records is told, where a list can move while it is read."""
    confirm_removed: Details | None = None
    """How keys that are no longer listed are looked up before they count as removed."""
    fallback: Fallback | None = None
    """Another way to the same records."""
    record_schema: RelativePath
    """File with the JSON Schema of a record."""

    rules = field_rules.STREAM

    @property
    def ways(self) -> "tuple[tuple[tuple[StreamList, ...], Details | None], ...]":
        """The lists and details of each way to the records, the preferred one first."""
        own = (self.lists, self.details)
        return (own,) if self.fallback is None else (own, (self.fallback.lists, self.fallback.details))

    @property
    def incremental(self) -> bool:
        """Whether the vendor can list only what changed."""
        return any(each.time for each in self.lists) or bool(self.code and self.code.time)

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the streams whose records it needs values of, once each."""
        values = (each.for_each for lists, _ in self.ways for each in lists)
        return tuple(dict.fromkeys(each.stream for each in values if each is not None and each.stream is not None))

    def operations(self) -> tuple[str, ...]:
        """Return the id of every operation that a pull may call, once each, in the order of the calls."""
        return tuple(dict.fromkeys(operation for _, operation in self.named_operations()))

    def named_operations(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield every operation that a pull may call with the place in the stream where it is named."""
        for prefix, (lists, details) in zip(((), ("fallback",)), self.ways, strict=False):
            for number, each in enumerate(lists):
                if each.for_each is not None and each.for_each.operation is not None:
                    yield (*prefix, "lists", number, "for_each", "operation"), each.for_each.operation
                yield (*prefix, "lists", number, "operation"), each.operation
            if details is not None:
                yield (*prefix, "details", "operation"), details.operation
        for number, operation in enumerate(self.code.operations if self.code is not None else ()):
            yield ("code", "operations", number), operation
        for name, part in (("total", self.total), ("confirm_removed", self.confirm_removed)):
            if part is not None:
                yield (name, "operation"), part.operation
