"""Searches for what people type, with the same outcome in every database."""

from typing import Any

from sqlalchemy import ColumnElement, false, or_

__all__ = ["stands_in"]


def stands_in(text: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a text stands in one of the columns, as it is written.

    A text with a NUL or half of a surrogate pair in it stands nowhere: PostgreSQL and the drivers refuse it, and SQLite
    reads it only up to the NUL.
    """
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return false()
    return or_(*(column.contains(text, autoescape=True) for column in columns))
