"""The web face: pages to set up connectors, try operations and watch runs, on this machine or behind a proxy."""

from .access import Access, PasswordAccess, TokenAccess
from .app import create_app
from .options import WebOptions

__all__ = ["Access", "PasswordAccess", "TokenAccess", "WebOptions", "create_app"]
