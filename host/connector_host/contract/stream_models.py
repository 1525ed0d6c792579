"""The models of a stream: which operation gives the records, page by page, and what a record is."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from .closed import Closed, DottedPath, Label, OperationId, RelativePath, Sentence, StreamName, broken_rule

__all__ = [
    "CursorTokenPaging",
    "Details",
    "ForEach",
    "NoPaging",
    "OffsetPaging",
    "PageNumberPaging",
    "Paging",
    "Stream",
    "TimeWindow",
]


class NoPaging(Closed):
    """One answer has everything."""

    kind: Literal["none"] = "none"
    """Always `none`."""


class PageNumberPaging(Closed):
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

    @model_validator(mode="after")
    def _total_is_named(self) -> Self:
        if (self.until == "total_pages") != (self.total_pages is not None):
            raise broken_rule(
                "until: total_pages and the field total_pages go together.",
                "Name the field of the answer with total_pages: …, or end the list otherwise.",
            )
        return self


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


Paging = Annotated[
    NoPaging | PageNumberPaging | OffsetPaging | CursorTokenPaging,
    Field(discriminator="kind"),
]


class TimeWindow(Closed):
    """Fields of the input that limit records by time; both ends are sent inclusive."""

    since: DottedPath
    """Field of the input for the earliest time."""
    until: DottedPath | None = None
    """Field of the input for the latest time; absent where the vendor has none."""
    required: bool = False
    """Whether the vendor refuses to list without dates."""
    default_days: int = Field(default=90, ge=1, le=3660)
    """How far back a pull without `since` reaches where dates are required."""


class ForEach(Closed):
    """Values of another operation, such as locations: the list is pulled once for each."""

    operation: OperationId
    """Id of the operation that gives the values."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its input."""
    records: DottedPath | None = None
    """Where the list is in its answer; absent where the answer is the list."""
    value: DottedPath
    """Field of a listed record with the value."""
    into: DottedPath
    """Field of the stream's input that takes the value."""


class Details(Closed):
    """A second operation that gives the full records for ids that the first one lists."""

    operation: OperationId
    """Id of the operation."""
    ids: DottedPath
    """Field of its input that takes the list of ids."""
    id: DottedPath | None = None
    """Field of a listed record with its id; absent where the list is of bare ids."""
    batch: int = Field(ge=1, le=1000)
    """Ids per request."""
    input: dict[str, Any] = Field(default_factory=dict)
    """The rest of its input."""
    records: DottedPath | None = None
    """Where the records are in its answer; absent where the answer is the list."""


class Stream(Closed):
    """Records of one entity that can be pulled."""

    name: StreamName
    """Name in flows, commands and files."""
    title: Label
    """Name for people."""
    description: Sentence
    """What a record is, and what is special about it."""
    entity_type: Label
    """The platform's entity type."""
    operation: OperationId
    """Id of the operation that lists."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its input, without what paging and time fill in."""
    paging: Paging
    """How the list comes in pages."""
    records: DottedPath | None = None
    """Where the records are in an answer; absent where the answer is the list."""
    for_each: ForEach | None = None
    """Values that the list is asked for one by one; absent where one list has everything."""
    details: Details | None = None
    """How full records are got where the list has only ids or summaries."""
    primary_key: tuple[DottedPath, ...] = Field(min_length=1)
    """Fields that together name a record."""
    cursor: DottedPath | None = None
    """Field of a record with the time of its last change."""
    time: TimeWindow | None = None
    """How records are limited by time; absent where the vendor cannot."""
    record_schema: RelativePath
    """File with the JSON Schema of a record."""
