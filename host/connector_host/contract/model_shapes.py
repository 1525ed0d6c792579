"""What the annotation of a model's field says."""

import types
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

__all__ = ["annotation_of", "models_in", "models_tagged"]


def annotation_of(field: FieldInfo) -> Any:
    """Return a field's annotation with its bounds, to validate a value by itself."""
    further = [*field.metadata, *([Field(discriminator=field.discriminator)] if field.discriminator else [])]
    return typing.Annotated[field.annotation, *further] if further else field.annotation


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation names, whatever holds them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin in (tuple, list, dict, typing.Union, types.UnionType, typing.Annotated):
        return [model for part in typing.get_args(annotation) for model in models_in(part)]
    return []


def models_tagged(models: Sequence[type[BaseModel]], tag: str | int) -> list[type[BaseModel]]:
    """Return the models of a union whose `kind` is `tag`, which is a step in the location of an error."""
    return [model for model in models if "kind" in model.model_fields and str(tag) in str(model.model_fields["kind"])]
