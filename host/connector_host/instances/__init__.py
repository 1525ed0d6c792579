"""Instances: set-ups of connectors, with credentials and sessions encrypted at rest."""

from .database import Database
from .encryption import EncryptionKey, KeyRing
from .home import Home
from .instance import Instance, InstanceState
from .keys import EnvironmentKeys, FileKeys, KeyringKeys, KeySource, key_source
from .leases import Lease
from .rotation import Rotation
from .sessions import StoredSessions
from .store import InstanceStore

__all__ = [
    "Database",
    "EncryptionKey",
    "EnvironmentKeys",
    "FileKeys",
    "Home",
    "Instance",
    "InstanceState",
    "InstanceStore",
    "KeyRing",
    "KeySource",
    "KeyringKeys",
    "Lease",
    "Rotation",
    "StoredSessions",
    "key_source",
]
