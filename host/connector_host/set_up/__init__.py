"""Setting up instances, the same way for every face: check, test by a real sign-in and harmless reads, then save."""

from .adding import SetUp, add_instance, retest_instance
from .areas import AreaCheck, AreaOutcome
from .documents import (
    DOCUMENT_SCHEMA,
    add_without_secrets,
    export_instance,
    import_instance,
    missing_secrets,
    read_document,
    values_of_document,
)
from .editing import disable_instance, duplicate_instance, edit_instance, enable_instance

__all__ = [
    "DOCUMENT_SCHEMA",
    "AreaCheck",
    "AreaOutcome",
    "SetUp",
    "add_instance",
    "add_without_secrets",
    "disable_instance",
    "duplicate_instance",
    "edit_instance",
    "enable_instance",
    "export_instance",
    "import_instance",
    "missing_secrets",
    "read_document",
    "retest_instance",
    "values_of_document",
]
