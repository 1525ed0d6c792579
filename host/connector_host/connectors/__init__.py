"""Finds, loads and isolates connectors."""

from .discovery import Extension, Found, find_connectors
from .loading import CheckedCredentials, Connector, load_connector, load_found
from .manifest_cache import user_cache

__all__ = [
    "CheckedCredentials",
    "Connector",
    "Extension",
    "Found",
    "find_connectors",
    "load_connector",
    "load_found",
    "user_cache",
]
