"""Asks a person for the values of a form, field by field, in the order and the words of its specification."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from .output import say

if TYPE_CHECKING:
    from connector_host.contract.manifest import AuthenticationMethod
    from connector_host.forms import Field, Form

__all__ = ["ask_for_form", "ask_for_method", "ask_to_confirm", "somebody_is_there"]


def somebody_is_there() -> bool:
    """Tell whether a person can answer: stdin is a terminal."""
    return sys.stdin.isatty()


def ask_for_method(methods: "Sequence[AuthenticationMethod]") -> "AuthenticationMethod":
    """Let the person choose an authentication method; a single one is taken without asking."""
    if len(methods) == 1:
        return methods[0]
    say("How does it sign in?", bold=True)
    for number, method in enumerate(methods, 1):
        say(f"  {number}  {method.name}: {method.description}")
    by_answer = {str(number): method for number, method in enumerate(methods, 1)}
    by_answer |= {method.name.lower(): method for method in methods}
    while True:
        answer = str(typer.prompt("Number or name", default="1", err=True)).strip().lower()
        if answer in by_answer:
            return by_answer[answer]
        say(f"Write a number from 1 to {len(methods)}, or a name.", colour=typer.colors.YELLOW)


def ask_for_form(form: "Form", *, advanced: bool = False) -> dict[str, Any]:
    """Return `{name, authentication, settings, credentials}` as the person gave them, each checked as it came.

    Locked fields are shown and passed over; advanced ones keep their defaults unless they are asked for.
    """
    from connector_host.forms import fields_of  # noqa: PLC0415 -- heavy

    values: dict[str, Any] = {}
    for field in fields_of(form):
        if field.locked:
            _put(values, field.path, field.default)
            say(f"{field.label}: {field.default}", colour=typer.colors.CYAN)
        elif not field.advanced or advanced or (field.required and field.default is None):
            _put(values, field.path, _ask(field))
    return values


def ask_to_confirm(what: str) -> bool:
    """Ask for the word `confirm` before something that cannot be undone; tell whether it was given."""
    answer = typer.prompt(f"{what} Type confirm to go on", default="", show_default=False, err=True)
    return str(answer).strip().lower() == "confirm"


def _ask(field: "Field") -> Any:
    from connector_host.forms import value_from_text  # noqa: PLC0415 -- heavy

    say()
    say(field.help, colour=typer.colors.BRIGHT_BLACK)
    while True:
        text = typer.prompt(
            _words(field),
            default="" if field.default is None else _shown(field.default),
            show_default=field.default is not None,
            hide_input=field.secret,
            err=True,
        )
        text = str(text).strip()
        value = value_from_text(text, field.schema) if text else ""
        problems = field.problems(value)
        if not problems:
            return value
        for problem in problems:
            say(f"{problem.sentence} {problem.fix}".rstrip(), colour=typer.colors.YELLOW)


def _words(field: "Field") -> str:
    hints = [_shown(choice) for choice in field.choices]
    if hints:
        return f"{field.label} ({', '.join(hints)})"
    if field.placeholder and field.default is None:
        return f"{field.label} (such as {field.placeholder})"
    return field.label if field.required else f"{field.label} (optional)"


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _put(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *sections, key = path
    for section in sections:
        values = values.setdefault(section, {})
    values[key] = value
