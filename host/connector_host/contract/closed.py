"""What all manifest models share: closed to unknown keys, and the shapes of names, paths and links."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = [
    "Closed",
    "DottedPath",
    "HostPattern",
    "HttpsLink",
    "Key",
    "Label",
    "Name",
    "OperationId",
    "RelativePath",
    "Sentence",
    "StreamName",
]

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$", max_length=64)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500)]
HttpsLink = Annotated[str, StringConstraints(pattern=r"^https://[^\s/]+(?:/\S*)?$", max_length=500)]
RelativePath = Annotated[str, StringConstraints(pattern=r"^(?!/)(?!.*\.\.)[\w./-]+$")]
HostPattern = Annotated[str, StringConstraints(pattern=r"^(?:\*\.)?(?:[a-z0-9-]+\.)+[a-z]{2,}$")]
OperationId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[A-Za-z][A-Za-z0-9_]*$")]
DottedPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$")]
StreamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$", max_length=64)]


class Closed(BaseModel):
    """Base of every manifest model: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)
