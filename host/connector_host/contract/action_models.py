"""The models of an action: one record in, one operation or the connector's code, and what shows that it was done."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from . import field_rules
from .closed import Closed, DottedPath, Label, Name, OperationId, RelativePath, Ruled, Sentence
from .code_models import ActionCodeSection

__all__ = ["Action", "Expectation", "ReadBack"]


class Expectation(Closed):
    """What an answer says when the record was written. Values may have `{{record.field}}`."""

    at: DottedPath | None = None
    """Path to the object or the list in it; the answer itself where there is none."""
    where: dict[DottedPath, Any] = Field(default_factory=dict)
    """Fields and values that pick the entry of a list; the first entry where there are none."""
    equals: dict[DottedPath, Any] = Field(min_length=1)
    """Fields and the values that they must have."""
    reason: DottedPath | None = None
    """Field with the vendor's words where they have others."""


class ReadBack(Expectation):
    """A read after the write, for vendors that answer success and do nothing, and for answers that were lost."""

    operation: OperationId
    """Id of a read operation."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its input, with `{{record.field}}`."""


class Action(Ruled):
    """A curated way to push records, one by one: an operation with its input made from the record, or code."""

    name: Name
    """Name in flows and commands."""
    title: Label
    """Name for people."""
    description: Sentence
    """What it changes at the vendor."""
    entity_type: Label
    """The platform's entity type."""
    operation: OperationId | None = None
    """Id of the operation that is called for each record."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Input of the operation, with `{{record.field}}`; a field is left out where the record has no value for it."""
    code: ActionCodeSection | None = None
    """Instead of an operation: what the connector's code may call."""
    record_schema: RelativePath
    """File with the JSON Schema of a record; the defaults of its fields are filled in."""
    answer: Expectation | None = None
    """What the operation's answer says when it was done; without it, success is enough."""
    read_back: ReadBack | None = None
    """A read that shows that it was done; only for actions that may be sent twice without harm."""

    rules = field_rules.ACTION

    def templates(self) -> Iterator[tuple[Sequence[str | int], dict[str, Any]]]:
        """Yield every template with its place in the action."""
        yield ["input"], self.input
        for name, expected in (("answer", self.answer), ("read_back", self.read_back)):
            if expected is not None:
                yield [name, "where"], expected.where
                yield [name, "equals"], expected.equals
        if self.read_back is not None:
            yield ["read_back", "input"], self.read_back.input

    def named_operations(self) -> Iterator[tuple[Sequence[str | int], str]]:
        """Yield the id of every operation that it may call with its place in the action, the write first."""
        if self.operation is not None:
            yield ["operation"], self.operation
        if self.read_back is not None:
            yield ["read_back", "operation"], self.read_back.operation
        if self.code is not None:
            for number, operation_id in enumerate(self.code.operations):
                yield ["code", "operations", number], operation_id

    def operations(self) -> Iterator[str]:
        """Yield the ids of all operations that it may call, the write first."""
        for _, operation_id in self.named_operations():
            yield operation_id
