"""Reads connector.yaml: every problem at once, each with file:line:column, one sentence and one fix."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .catalogue import Catalogue
from .closed import SHAPES
from .errors import ManifestInvalid, Problem
from .field_texts import field_texts
from .manifest import Manifest
from .model_shapes import models_in, models_tagged
from .nearest import did_you_mean
from .stream_models import SEVERAL_LISTS

if TYPE_CHECKING:
    from .yaml_source import YamlSource

__all__ = [
    "ANY_NAME",
    "MANIFEST_NAME",
    "ConnectorFolder",
    "KnownManifests",
    "broken_shapes",
    "by_line",
    "causes",
    "read_manifest",
]

MANIFEST_NAME = "connector.yaml"

ANY_NAME = "*"
"""Stands for every name, where a part that cannot be read may have declared or used any."""

_MAPPING = ("is no mapping of keys to values", "Write its keys below it, indented.")
_LIST = ("is no list", "Write it in brackets, or each entry on a line of its own after a hyphen.")
_WRONG_TYPES = {
    "bool": ("is neither true nor false", "Write true or false, without quotes."),
    "dict": _MAPPING,
    "int": ("is no whole number", "Write digits alone, without quotes."),
    "list": _LIST,
    "model": _MAPPING,
    "string": ("is no text", "Put it in quotes."),
    "tuple": _LIST,
}
"""By the first word of pydantic's kinds of errors: what is wrong, and how it is written in YAML."""


@dataclass(frozen=True)
class ConnectorFolder:
    """A manifest, and the folder that its paths are relative to."""

    manifest: Manifest
    file: Path
    name: str

    @property
    def folder(self) -> Path:
        """The folder that the manifest's paths are relative to."""
        return self.file.parent

    @cached_property
    def source(self) -> "YamlSource":
        """The manifest's text with positions, for messages; `name` is how the file is called there."""
        return _source(self.file, self.name)

    def where(self, path: Sequence[str | int]) -> str:
        """Return `file:line:column` of what stands at `path` of the manifest."""
        return self.source.where(path)

    def is_sound(self, path: Sequence[str | int]) -> bool:  # noqa: ARG002 -- a draft looks at it
        """Whether the part of the manifest at `path` could be read."""
        return True

    def names_in_doubt(self, path: Sequence[str | int], key: str) -> frozenset[str]:  # noqa: ARG002 -- a draft looks
        """Return the names that entries of the list at `path` declare under `key` although they cannot be read."""
        return frozenset()

    def used_in_doubt(self) -> frozenset[str]:
        """Return the names that parts use which cannot be read."""
        return frozenset()

    def path(self, relative: str) -> Path:
        """Return the file or folder that a path of the manifest names."""
        return self.folder / relative

    @cached_property
    def documents(self) -> list[Path]:
        """The OpenAPI documents of the catalogue, in order."""
        return sorted(self.path(self.manifest.operations.catalogue).glob("*.json"))

    @cached_property
    def catalogue(self) -> Catalogue:
        """The operations of these documents."""
        return Catalogue(self.documents, connector=str(self.folder))


class KnownManifests(Protocol):
    """Data of manifests that were read before and were valid."""

    def get(self, path: Path) -> dict[str, Any] | None:
        """Return the data of a manifest, None when it must be parsed."""

    def put(self, path: Path, data: dict[str, Any]) -> None:
        """Remember the data of a valid manifest."""


def read_manifest(path: Path, name: str | None = None, known: KnownManifests | None = None) -> ConnectorFolder:
    """Read a manifest and check its shape.

    `name` is how the file is called in messages. `known` saves parsing what was read before. Raises ManifestInvalid
    with every problem. What a shape cannot say is in `manifest_checks`.
    """
    data = known.get(path) if known else None
    if data is not None:
        # Another version of this host may have written it: what no longer fits is read again, with positions.
        with contextlib.suppress(ValidationError):
            return ConnectorFolder(Manifest.model_validate(data), path, name or path.name)
    source = _source(path, name)
    try:
        manifest = Manifest.model_validate(source.data)
    except ValidationError as error:
        problems = broken_shapes(source, error)
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        raise ManifestInvalid(f"{source.name} has {count}.", problems=problems) from None
    if known:
        known.put(path, source.data)
    return ConnectorFolder(manifest, path, source.name)


def broken_shapes(source: "YamlSource", error: ValidationError) -> list[Problem]:
    """Return what the models refused, by line, each with its place in the file and a fix."""
    from .partial_models import broken_rules_beside  # noqa: PLC0415 -- only for what is wrong

    found = causes(error)
    shapes = [_problem(source, detail) for detail in found]
    rules = [
        _broken(source, place, broken.context or {})
        for place, broken in broken_rules_beside(found, Manifest, source.data)
    ]
    return by_line([*shapes, *rules])


def by_line(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems, once each, file by file in the order of their lines and columns."""
    return sorted(dict.fromkeys(problems), key=_file_and_line)


def _file_and_line(problem: Problem) -> tuple[str, int, int]:
    file, line, column = problem.where.rsplit(":", 2)
    return file, int(line), int(column)


def _source(path: Path, name: str | None) -> "YamlSource":
    from .yaml_source import YamlSource  # noqa: PLC0415 -- not where the manifest's data is known

    return YamlSource(path, name)


def causes(error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic found, without a list of too few entries where that only says that an entry is wrong."""
    details = error.errors(include_input=False, include_url=False)
    inside = {each["loc"][:length] for each in details for length in range(len(each["loc"]))}
    return [each for each in details if each["type"] != "too_short" or each["loc"] not in inside]


def _problem(source: "YamlSource", error: ErrorDetails) -> Problem:
    context = error.get("ctx", {})
    loc, kind = error["loc"], error["type"]
    shown = f'"{loc[-1]}"' if loc else "This"
    where, fix = source.where(loc), _description(loc)
    match kind:
        case "extra_forbidden":
            known = sorted(_keys_of(_model_at(loc[:-1])))
            where, rule, sentence = source.where(loc, key=True), "unknown-key", f"{shown} is no key here."
            fix = did_you_mean(str(loc[-1]), known) or f"Known here: {', '.join(known)}."
        case "missing":
            where, rule, sentence = source.where(loc[:-1]), "missing-key", f"{shown} is missing."
            fix = f"Add {loc[-1]}: {fix}"
        case "union_tag_not_found":
            rule, sentence = "missing-key", f"{shown} does not say its kind."
            fix = "Add kind: none, page_number, offset or cursor_token."
        case "string_pattern_mismatch":
            rule, sentence = "shape", f"{shown} does not have the right shape."
            fix = SHAPES.get(str(context.get("pattern")), f"It must match {context.get('pattern')}.")
        case "enum" | "literal_error" | "union_tag_invalid":
            rule, sentence = "choice", f"{shown} is none of the choices."
            fix = f"Choose one of: {context.get('expected') or context.get('expected_tags')}."
        case "rule":
            return _broken(source, loc, context)
        case "too_short":
            rule, sentence = "too-short", f"{shown} has too few entries."
            fix = f"Give at least {context.get('min_length')}. {fix}"
        case _ if kind.endswith(("_type", "_parsing")) and kind.partition("_")[0] in _WRONG_TYPES:
            what, how = _WRONG_TYPES[kind.partition("_")[0]]
            rule, sentence, fix = "type", f"{shown} {what}.", f"{how} {fix}".rstrip()
        case _:
            rule, sentence = kind.replace("_", "-"), f"{shown}: {error['msg'][:1].lower()}{error['msg'][1:]}."
    return Problem(where, rule, sentence, fix)


def _broken(source: "YamlSource", place: Sequence[str | int], rule: Mapping[str, Any]) -> Problem:
    return Problem(source.where([*place, *rule["at"]]), "rule", str(rule["sentence"]), str(rule["fix"]))


def _description(loc: Sequence[str | int]) -> str:
    """Return what the models say of the field at `loc`, as the hint in a message."""
    model = _model_at(loc[:-1])
    return field_texts(model).get(str(loc[-1]), "") if model and loc else ""


def _keys_of(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_at(loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model that describes the mapping at `loc`; tags of unions count as steps."""
    current: Any = Manifest
    for step in loc:
        models = models_in(current)
        if isinstance(step, int) or step == SEVERAL_LISTS:
            continue
        fields = [
            field.annotation
            for model in models
            for name, field in model.model_fields.items()
            if step in (name, field.alias)
        ]
        tagged = models_tagged(models, step)
        if tagged and len(models) > 1:
            current = tagged[0]
        elif fields:
            current = fields[0]
        else:
            return None
    models = models_in(current)
    return models[0] if models else None
