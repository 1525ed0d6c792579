"""Forms: one specification per authentication method, for web pages, terminals and programs alike."""

from .checking import CheckedForm, check_form
from .fields import Field, fields_of
from .rules import problems_of_forms
from .shapes import ABSENT, WidgetKind
from .specification import Form, form_for
from .submitted import changed_list, filled_of, read_form
from .texts import schema_of_field, value_from_text
from .widgets import Choice, Widget, every_widget, widget_of

__all__ = [
    "ABSENT",
    "CheckedForm",
    "Choice",
    "Field",
    "Form",
    "Widget",
    "WidgetKind",
    "changed_list",
    "check_form",
    "every_widget",
    "fields_of",
    "filled_of",
    "form_for",
    "problems_of_forms",
    "read_form",
    "schema_of_field",
    "value_from_text",
    "widget_of",
]
