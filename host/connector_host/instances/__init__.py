"""Instances: set-ups of connectors, with credentials and sessions encrypted at rest."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .database import Database
    from .encryption import EncryptionKey, KeyRing
    from .environments import Environment, EnvironmentStore, Replacement
    from .home import Home
    from .instance import Instance, InstanceState
    from .keys import EnvironmentKeys, FileKeys, KeyringKeys, KeySource, key_source
    from .leases import Lease
    from .rotation import Rotation
    from .sessions import StoredSessions
    from .store import InstanceStore
    from .tokens import ApiToken, TokenStore

__all__ = [
    "ApiToken",
    "Database",
    "EncryptionKey",
    "Environment",
    "EnvironmentKeys",
    "EnvironmentStore",
    "FileKeys",
    "Home",
    "Instance",
    "InstanceState",
    "InstanceStore",
    "KeyRing",
    "KeySource",
    "KeyringKeys",
    "Lease",
    "Replacement",
    "Rotation",
    "StoredSessions",
    "TokenStore",
    "key_source",
]

_PLACES = {
    "database": ("Database",),
    "encryption": ("EncryptionKey", "KeyRing"),
    "environments": ("Environment", "EnvironmentStore", "Replacement"),
    "home": ("Home",),
    "instance": ("Instance", "InstanceState"),
    "keys": ("EnvironmentKeys", "FileKeys", "KeySource", "KeyringKeys", "key_source"),
    "leases": ("Lease",),
    "rotation": ("Rotation",),
    "sessions": ("StoredSessions",),
    "store": ("InstanceStore",),
    "tokens": ("ApiToken", "TokenStore"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Whoever only asks where the home is, such as a listing of connectors, does not wait for the database's library.
    if name in _MODULES:
        return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
