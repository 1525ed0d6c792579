"""The side of a connector that the engine sees, whatever has loaded it."""

from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from connector_host.contract.answers import Meaning, RawAnswer
from connector_host.contract.auth import AuthContext
from connector_host.contract.catalogue import Catalogue, Operation
from connector_host.contract.manifest import Manifest
from connector_host.contract.permissions import Scope
from connector_host.contract.secrets import Credentials

from .coded import ReadsByCode
from .pushes import PushesByCode

__all__ = ["Connects"]


class Connects(ReadsByCode, PushesByCode, Protocol):
    """What the engine asks of a connector."""

    @property
    def manifest(self) -> Manifest:
        """Who it is and how it signs in."""

    @property
    def catalogue(self) -> Catalogue:
        """Its operations."""

    def scope(self, credentials: Credentials) -> Scope | None:
        """Return the permissions that the credentials were granted; None where the vendor has none."""

    def schema_file(self, relative: str) -> Mapping[str, Any]:
        """Return the JSON Schema in a file that the manifest names."""

    def auth_handler(self, context: AuthContext) -> httpx.Auth:
        """Return what signs the requests of one instance. Called in a worker thread."""

    async def read_answer(self, operation: Operation, answer: RawAnswer, now: float) -> Meaning | None:
        """Return what an answer means; None lets its HTTP status speak."""
