"""The fields of a form in the order in which people meet them, read from the specification alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector_host.contract.errors import Problem
from connector_host.contract.schemas import problems_of, validator_for

from .specification import Form

__all__ = ["Field", "fields_of"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `path` is where its value stands in the form's data, such as `("credentials", "token")`."""

    path: tuple[str, ...]
    label: str
    help: str
    schema: Mapping[str, Any] = field(repr=False)
    default: Any = None
    placeholder: str = ""
    required: bool = False
    secret: bool = False
    locked: bool = False
    advanced: bool = False

    @property
    def choices(self) -> Sequence[Any]:
        """The values to choose from; empty where any value may be given."""
        if self.schema.get("type") == "boolean":
            return (True, False)
        found: Sequence[Any] = self.schema.get("enum", ())
        return found

    def problems(self, value: Any) -> list[Problem]:
        """Return what is wrong with a value of this field, in the words that every check of the form uses."""
        at = ".".join(self.path)
        if value in (None, ""):
            return [Problem(at, "required", "This is required.")] if self.required else []
        return problems_of(validator_for(self.schema), value, at=at)


def fields_of(form: Form) -> Iterator[Field]:
    """Yield the fields, sections opened up, in the order of `ui:order`."""
    yield from _fields(form.schema, form.ui_schema, form.form_data, ())


def _fields(
    schema: Mapping[str, Any], ui: Mapping[str, Any], data: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[Field]:
    required = schema.get("required", ())
    for key in ui["ui:order"]:
        rule, hints, here = schema["properties"][key], ui.get(key, {}), (*path, key)
        if rule.get("type") == "object":
            yield from _fields(rule, hints, data.get(key, {}), here)
            continue
        yield Field(
            path=here,
            label=rule.get("title", key),
            help=hints.get("ui:help", ""),
            schema=rule,
            default=data.get(key) if data.get(key) != "" else None,
            placeholder=hints.get("ui:placeholder", ""),
            required=key in required,
            secret=hints.get("ui:widget") == "password",
            locked=hints.get("ui:readonly", False),
            advanced=hints.get("ui:options", {}).get("advanced", False),
        )
