"""What all manifest models share: closed to unknown keys, and the shapes of names, paths and links."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = [
    "SHAPES",
    "Closed",
    "DottedPath",
    "FieldName",
    "HostPattern",
    "HttpsLink",
    "Key",
    "Label",
    "Name",
    "OperationId",
    "RelativePath",
    "Rule",
    "Ruled",
    "Sentence",
    "StreamName",
    "broken_rule",
    "rule",
]

_KEY = r"^[a-z][a-z0-9_]{0,63}$"
_NAME = r"^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$"
_STREAM_NAME = r"^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$"
_HTTPS_LINK = r"^https://[^\s/]+(?:/\S*)?$"
_RELATIVE_PATH = r"^[\w-]+(?:[./][\w-]+)*$"
_HOST_PATTERN = r"^(?:\*\.)?(?:[a-z0-9-]+\.)+[a-z]{2,}$"
_OPERATION_ID = r"^[a-z][a-z0-9-]*\.[A-Za-z][A-Za-z0-9_]*$"
_FIELD_NAME = r"^[A-Za-z_][\w-]*$"
_DOTTED_PATH = r"^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$"

SHAPES = {
    _KEY: "Write lower-case letters, digits and underscores, such as application_id.",
    _NAME: "Write lower-case letters, digits and single hyphens or underscores, such as my-shop.",
    _STREAM_NAME: "Write lower-case letters, digits and single underscores, such as stock_items.",
    _HTTPS_LINK: "Write an https address, such as https://example.com/docs.",
    _RELATIVE_PATH: "Write a path inside the connector's folder, such as schemas/records/orders.json.",
    _HOST_PATTERN: "Write a host name, such as api.example.com or *.example.com.",
    _OPERATION_ID: "Write area.Name as in the catalogue, such as orders.GetOrdersById.",
    _FIELD_NAME: "Write one field's name, such as StockItemId.",
    _DOTTED_PATH: "Write field names joined by dots, such as GeneralInfo.Status.",
}
"""How each shape is explained to a person."""

Key = Annotated[str, StringConstraints(pattern=_KEY)]
Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=64)]
StreamName = Annotated[str, StringConstraints(pattern=_STREAM_NAME, max_length=64)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
HttpsLink = Annotated[str, StringConstraints(pattern=_HTTPS_LINK, max_length=500)]
RelativePath = Annotated[str, StringConstraints(pattern=_RELATIVE_PATH, max_length=200)]
HostPattern = Annotated[str, StringConstraints(pattern=_HOST_PATTERN)]
OperationId = Annotated[str, StringConstraints(pattern=_OPERATION_ID)]
FieldName = Annotated[str, StringConstraints(pattern=_FIELD_NAME)]
DottedPath = Annotated[str, StringConstraints(pattern=_DOTTED_PATH)]


class Closed(BaseModel):
    """Base of every manifest model: unknown keys are errors, values do not change."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, populate_by_name=True)


Rule = Callable[[Any], Iterable[PydanticCustomError]]
"""What is wrong with a model's fields together; nothing where the rule holds."""


class Ruled(Closed):
    """A manifest model with rules between its fields; every broken one is told."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Each reads only the fields that it is about, so that it can be told of a model whose other fields are wrong."""

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = [error for each in self.rules for error in each(self)]
        if broken:
            details = [InitErrorDetails(type=error, input=None) for error in broken]
            raise ValidationError.from_exception_data(type(self).__name__, details)
        return self


def rule(sentence: str, fix: str, is_broken: Callable[[Any], bool]) -> Rule:
    """Return a rule: what is wrong where it is broken, with `{0.field}` for a field's value, and the one fix."""

    def broken(model: Any) -> Iterator[PydanticCustomError]:
        if is_broken(model):
            yield broken_rule(sentence.format(model), fix)

    return broken


def broken_rule(sentence: str, fix: str, at: Sequence[str | int] = ()) -> PydanticCustomError:
    """Return the error of a rule that is broken: what is wrong, the one fix, and where in the model."""
    return PydanticCustomError("rule", "{sentence}", {"sentence": sentence, "fix": fix, "at": tuple(at)})
