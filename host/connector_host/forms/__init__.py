"""Forms: one specification per authentication method, for web pages, terminals and programs alike."""

from .checking import CheckedForm, check_form
from .fields import Field, fields_of
from .rules import problems_of_forms
from .specification import Form, form_for
from .texts import schema_of_field, value_from_text

__all__ = [
    "CheckedForm",
    "Field",
    "Form",
    "check_form",
    "fields_of",
    "form_for",
    "problems_of_forms",
    "schema_of_field",
    "value_from_text",
]
