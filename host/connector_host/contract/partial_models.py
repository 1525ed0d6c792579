"""Rules between the fields of models whose shape is wrong elsewhere, so that they are told in the same go.

Pydantic tells the rules of a model only once all its fields are right. Here the model is built of the fields that are
right; a rule that reads another one is in doubt, and is not told.
"""

import contextlib
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import ErrorDetails, PydanticCustomError

from .closed import Rule, Ruled
from .model_shapes import annotation_of, models_in, models_tagged

__all__ = ["Steps", "broken_rules_beside"]

Steps = tuple[str | int, ...]
"""Keys and numbers that lead from the top of a manifest to a value in it."""


class _InDoubtError(Exception):
    """A value is wrong, and what it was meant to be is not known."""


def broken_rules_beside(
    errors: Sequence[ErrorDetails], model: type[BaseModel], data: Any
) -> list[tuple[Steps, PydanticCustomError]]:
    """Return each broken rule of the models that `errors` are about, with the place of its model in `data`."""
    reader = _Reader(errors)
    with contextlib.suppress(_InDoubtError):
        reader.value(model, data, ())
    return reader.broken


class _Reader:
    """Builds what is right, and asks the rules of each model that is not all right."""

    def __init__(self, errors: Sequence[ErrorDetails]) -> None:
        self.broken: list[tuple[Steps, PydanticCustomError]] = []
        self._wrong = {each["loc"] for each in errors if each["type"] != "rule"}
        self._doubtful = {each["loc"][:length] for each in errors for length in range(len(each["loc"]) + 1)}
        self._steps = {(each["loc"][:length], step) for each in errors for length, step in enumerate(each["loc"])}

    def value(self, annotation: Any, data: Any, path: Steps) -> Any:
        if path not in self._doubtful:
            return TypeAdapter(annotation).validate_python(data)
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        origin, models = typing.get_origin(annotation), models_in(annotation)
        if path in self._wrong or not models:
            raise _InDoubtError
        if origin is tuple and isinstance(data, list):
            return tuple(self._entry(models[0], each, (*path, number)) for number, each in enumerate(data))
        if origin is dict and isinstance(data, Mapping):
            return {key: self._entry(models[0], each, (*path, key)) for key, each in data.items()}
        if len(models) > 1:
            return self._tagged(models, data, path)
        if isinstance(data, Mapping):
            return self._partial(models[0], data, path)
        raise _InDoubtError

    def _entry(self, model: type[BaseModel], data: Any, path: Steps) -> Any:
        try:
            return self.value(model, data, path)
        except _InDoubtError:
            return _built(model, {}, model.model_fields)

    def _tagged(self, models: Sequence[type[BaseModel]], data: Any, path: Steps) -> Any:
        for tag in (step for place, step in self._steps if place == path):
            for model in models_tagged(models, tag):
                return self._partial(model, data, (*path, tag))
        raise _InDoubtError

    def _partial(self, model: type[BaseModel], data: Mapping[str, Any], path: Steps) -> Any:
        keys = {name: field.alias or name for name, field in model.model_fields.items()}
        misspelt = bool(data.keys() - keys.values() - keys.keys())
        values, doubtful = {}, []
        for name, field in model.model_fields.items():
            key = keys[name] if keys[name] in data else name
            if key in data:
                try:
                    values[name] = self.value(annotation_of(field), data[key], (*path, key))
                except _InDoubtError:
                    doubtful.append(name)
            elif misspelt or field.is_required():
                doubtful.append(name)
        built = _built(model, values, doubtful)
        if isinstance(built, Ruled):
            self.broken += [(path, error) for rule in built.rules for error in _broken(rule, built)]
        return built


def _built(model: type[BaseModel], values: Mapping[str, Any], doubtful: Iterable[str]) -> Any:
    """Return a model without the doubtful fields: to read one of them raises AttributeError."""
    built = model.model_construct(**values)
    for name in doubtful:
        vars(built).pop(name, None)
    return built


def _broken(rule: Rule, model: Ruled) -> list[PydanticCustomError]:
    try:
        return list(rule(model))
    except AttributeError:
        return []
