"""The sound parts of a manifest that has problems, so that what a shape cannot say is checked in the same go.

A part is an authentication method's field or credential, a setting, a stream, an action, or a field of the header. A
wrong part is left out; what it may declare or use is in doubt, and no check tells what would only follow from it.
"""

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from .catalogue import Catalogue
from .errors import ConnectorBroken, Problem
from .manifest import AuthenticationMethod, Manifest, OperationsSection, RateLimit, RateUnit
from .manifest_file import ANY_NAME, ConnectorFolder, broken_shapes, causes
from .model_shapes import annotation_of
from .partial_models import Steps
from .variables import variables_in
from .yaml_source import YamlSource

__all__ = ["ManifestDraft", "read_parts"]

_TAKEN_APART = (Manifest, AuthenticationMethod, OperationsSection)
"""Models whose fields are parts; any other model is one part."""

_STAND_INS: Mapping[str, Any] = {"rate_limit": RateLimit(amount=1, unit=RateUnit.SECOND)}
"""For what the forms of every instance need, and no check looks at."""

_USING = frozenset(
    {"actions", "addresses", "authentication", "body", "credential", "details", "fallback", "for_each", "handler_reads"}
    | {"headers", "input", "lists", "operations", "permissions", "setting", "sign_in", "streams", "url"}
)
"""Fields that name variables, or hold what does: one that cannot be read may have named any."""

_LISTS_IN_USE = frozenset({"actions", "authentication", "handler_reads", "lists", "streams"})
_MAPPINGS_IN_USE = frozenset({"addresses", "body", "headers", "input"})


@dataclass(frozen=True)
class ManifestDraft(ConnectorFolder):
    """A folder whose manifest holds the sound parts only; places are still those of the file.

    A required field that is wrong is absent: only checks whose parts are sound look at it.
    """

    read: YamlSource
    errors: Mapping[Steps, str]
    """Kind of the error, by the place of every wrong value."""
    wrong: frozenset[Steps]
    """Places of the parts that are wrong or missing."""
    kept: Mapping[Steps, tuple[int, ...]]
    """By the place of a list: where each of its sound entries stands in the file."""

    @cached_property
    def catalogue(self) -> Catalogue:
        """The operations; raises ConnectorBroken where the manifest does not say where they are."""
        if not self.is_sound(("operations", "catalogue")):
            raise ConnectorBroken("The manifest does not say where the catalogue is.")
        return super().catalogue

    def where(self, path: Sequence[str | int]) -> str:
        """Return `file:line:column` of what stands at a place of the sound parts."""
        return self.read.where(self._in_file(path))

    def is_sound(self, path: Sequence[str | int]) -> bool:
        """Whether the part at `path`, and all that holds it, could be read."""
        place = self._in_file(path)
        return not any(place[: len(wrong)] == wrong for wrong in self.wrong)

    def names_in_doubt(self, path: Sequence[str | int], key: str) -> frozenset[str]:
        """Return what the wrong entries of the list at `path` declare; `ANY_NAME` where one cannot be read."""
        if not self.is_sound(path):
            return frozenset({ANY_NAME})
        place = self._in_file(path)
        names = set()
        for wrong in self.wrong:
            if wrong[:-1] == place:
                entry = _at(self.read.data, wrong)
                readable = isinstance(entry, Mapping) and key in entry and (*wrong, key) not in self.errors
                names.add(str(entry[key]) if readable else ANY_NAME)
        return frozenset(names)

    def used_in_doubt(self) -> frozenset[str]:
        """Return every text in the wrong parts; `ANY_NAME` where something that uses variables cannot be read."""
        found = {text for wrong in self.wrong for text in _texts(_at(self.read.data, wrong))}
        if any(kind != "rule" and _uses_variables(place) for place, kind in self.errors.items()):
            found.add(ANY_NAME)
        return frozenset(found)

    def _in_file(self, path: Sequence[str | int]) -> Steps:
        place: Steps = ()
        for step in path:
            numbers = self.kept.get(place, ()) if isinstance(step, int) else ()
            place = (*place, numbers[step] if isinstance(step, int) and step < len(numbers) else step)
        return place


def read_parts(path: Path, name: str | None = None) -> tuple[ConnectorFolder, list[Problem]]:
    """Read a manifest for its author: what is sound of it, and each wrong shape.

    `name` is how the file is called in messages. Raises ManifestInvalid when it is no YAML.
    """
    source = YamlSource(path, name)
    try:
        return ConnectorFolder(Manifest.model_validate(source.data), path, source.name), []
    except ValidationError as error:
        return _draft(source, error), broken_shapes(source, error)


def _draft(source: YamlSource, error: ValidationError) -> ManifestDraft:
    errors = {tuple(each["loc"]): each["type"] for each in causes(error)}
    parts = _Parts(errors)
    manifest = parts.built(Manifest, source.data, ())
    return ManifestDraft(manifest, source.path, source.name, source, errors, frozenset(parts.wrong), parts.kept)


class _Parts:
    """Reads each part by itself, and remembers which were wrong and where the others stand."""

    def __init__(self, errors: Iterable[Steps]) -> None:
        self.wrong: set[Steps] = set()
        self.kept: dict[Steps, tuple[int, ...]] = {}
        self._errors = frozenset(errors)
        self._refused = {place[:length] for place in self._errors for length in range(len(place) + 1)}

    def built(self, model: type[BaseModel], data: Mapping[str, Any], path: Steps) -> Any:
        values = {name: _STAND_INS[name] for name in model.model_fields if name in _STAND_INS}
        unknown = data.keys() - model.model_fields.keys()
        self.wrong |= {(*path, name) for name in unknown}
        for name, field in model.model_fields.items():
            here = (*path, name)
            entry = _entry_model(field.annotation)
            if name not in data:
                # An unknown key may be meant as any that is absent, and a broken rule may be about one.
                if unknown or here in self._refused or path in self._errors:
                    self.wrong.add(here)
                if entry is not None:
                    values[name] = ()
            elif entry is not None and isinstance(data[name], list) and data[name]:
                values[name] = self._entries(entry, data[name], here)
            elif (found := self._part(annotation_of(field), data[name], here)) is not None:
                values[name] = found
            elif entry is not None:
                values[name] = ()
        return model.model_construct(**values)

    def _entries(self, model: type[BaseModel], data: list[Any], path: Steps) -> tuple[Any, ...]:
        read = [self._part(model, entry, (*path, number)) for number, entry in enumerate(data)]
        self.kept[path] = tuple(number for number, part in enumerate(read) if part is not None)
        return tuple(part for part in read if part is not None)

    def _part(self, kind: Any, data: Any, path: Steps) -> Any:
        model = typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
        if model in _TAKEN_APART and isinstance(data, dict):
            return self.built(model, data, path)
        if path in self._refused:
            self.wrong.add(path)
            return None
        return TypeAdapter(kind).validate_python(data)


def _entry_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a list's entries, None where the field is no list of models."""
    if typing.get_origin(annotation) is not tuple:
        return None
    first = typing.get_args(annotation)[0]
    return first if isinstance(first, type) and issubclass(first, BaseModel) else None


def _at(data: Any, path: Steps) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(str(step))
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _texts(data: Any) -> Iterator[str]:
    match data:
        case str():
            yield data
            yield from variables_in(data)
        case dict():
            for value in data.values():
                yield from _texts(value)
        case list():
            for value in data:
                yield from _texts(value)
        case _:
            return


def _uses_variables(place: Steps) -> bool:
    if not place:
        return False
    above = place[-2] if len(place) > 1 else ""
    return place[-1] in _USING or above in (_LISTS_IN_USE if isinstance(place[-1], int) else _MAPPINGS_IN_USE)
