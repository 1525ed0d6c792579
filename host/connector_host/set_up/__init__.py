"""Setting up instances, the same way for every face: check, test by a real sign-in and harmless reads, then save."""

from .adding import SetUp, add_instance, retest_instance
from .areas import AreaCheck, AreaOutcome
from .documents import DOCUMENT_SCHEMA, export_instance, import_instance, missing_secrets
from .editing import disable_instance, duplicate_instance, edit_instance, enable_instance

__all__ = [
    "DOCUMENT_SCHEMA",
    "AreaCheck",
    "AreaOutcome",
    "SetUp",
    "add_instance",
    "disable_instance",
    "duplicate_instance",
    "edit_instance",
    "enable_instance",
    "export_instance",
    "import_instance",
    "missing_secrets",
    "retest_instance",
]
