"""Instances: set-ups of connectors, with credentials and sessions encrypted at rest."""

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
