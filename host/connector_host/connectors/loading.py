"""Loads one connector: its module, its hooks and its catalogue, apart from every other."""

import asyncio
import importlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pluggy

from connector_host.contract.action_models import Action
from connector_host.contract.answers import Meaning, RawAnswer, meaning_of_status, retry_after_seconds
from connector_host.contract.auth import AuthContext, ManifestAuth
from connector_host.contract.catalogue import Catalogue, Operation
from connector_host.contract.code import ActionCode, Calls, CheckedPage, Extent, StreamCode
from connector_host.contract.errors import ConnectorBroken, ConnectorHostError, UnknownName
from connector_host.contract.hooks import ConnectorHooks
from connector_host.contract.manifest import AuthenticationMethod, Manifest
from connector_host.contract.manifest_file import ConnectorFolder
from connector_host.contract.markers import PROJECT
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.permissions import PermissionNames, Scope
from connector_host.contract.problem_at import json_in
from connector_host.contract.sandbox import Sandbox
from connector_host.contract.secrets import Credentials, Redactor
from connector_host.contract.stream_models import Stream
from connector_host.contract.values import check_credentials

from .action_code import pushing
from .code import checked_pages
from .discovery import Extension, Found, find_connectors
from .isolation import IMPORT_SECONDS, Worker, isolated

__all__ = ["CheckedCredentials", "Connector", "load_connector", "load_found"]


@dataclass(frozen=True)
class CheckedCredentials:
    """Credentials that satisfy their schema, and what looks odd about them."""

    credentials: Credentials
    warnings: Sequence[str] = field(default=())


class Connector:
    """A loaded connector. Every call into its code is isolated; what it returns is checked before it is used."""

    def __init__(self, found: Found, folder: ConnectorFolder) -> None:
        self.name = found.name
        self.package = found.package
        self.folder = folder
        self.manifest: Manifest = folder.manifest
        self.broken_extensions: dict[str, ConnectorHostError] = {}
        self._reader = Worker(f"{found.name} answers")
        self._plugins = pluggy.PluginManager(PROJECT)
        self._plugins.add_hookspecs(ConnectorHooks)
        self._register(found.module, found.name, found.search_path)
        self._check_manifest()
        for extension in found.extensions:
            self._extend(extension)
        self._check_code("stream_code", "stream", [each.name for each in self.manifest.streams if each.code])
        self._check_code("action_code", "action", [each.name for each in self.manifest.actions if each.code])

    @cached_property
    def catalogue(self) -> Catalogue:
        """The operations of the connector and of its extensions. Raises ConnectorBroken."""
        documents: list[Path] = []
        for given in self._call("operations"):
            if not isinstance(given, Sequence) or not all(isinstance(path, Path) for path in given):
                raise self._rubbish("operations", "a list of paths")
            documents += given
        return Catalogue(documents, connector=self.name)

    def method(self, name: str | None = None) -> AuthenticationMethod:
        """Return the authentication method of that name, or the preferred one. Raises UnknownName."""
        try:
            return self.manifest.method(name)
        except KeyError:
            known = [method.name for method in self.manifest.authentication]
            raise UnknownName(
                f"{self.manifest.label} has no authentication method {name}.",
                next_step=did_you_mean(name or "", known) or f"It has: {', '.join(known)}.",
            ) from None

    def check_credentials(self, method: AuthenticationMethod, given: Mapping[str, Any]) -> CheckedCredentials:
        """Return clean credentials with warnings. Raises InputInvalid with every problem."""
        credentials = check_credentials(self.folder, method, given)
        scope = self.scope(credentials)
        warnings = list(scope.warnings()) if scope else []
        redactor = Redactor(credentials.secret_values)
        for said in self._call("check_credentials", redactor, method=method, credentials=credentials):
            if not isinstance(said, Sequence) or not all(isinstance(sentence, str) for sentence in said):
                raise self._rubbish("check_credentials", "a list of sentences")
            warnings += [redactor(sentence) for sentence in said]
        return CheckedCredentials(credentials, warnings)

    def scope(self, credentials: Mapping[str, str]) -> Scope | None:
        """Return the permissions that the credentials say were granted, None where the vendor has none."""
        section = self.manifest.permissions
        if section is None:
            return None
        return Scope(credentials.get(section.credential, ""), self.permission_names, self.known_permissions)

    @cached_property
    def permission_names(self) -> PermissionNames:
        """How the vendor writes its permission nodes."""
        section = self.manifest.permissions
        return PermissionNames(section.prefix, section.suffix, section.everything) if section else PermissionNames()

    @cached_property
    def known_permissions(self) -> tuple[str, ...]:
        """The vendor's known permission nodes."""
        section = self.manifest.permissions
        if section is None or section.known is None:
            return ()
        return tuple(each["node"] for each in msgspec.json.decode(self.folder.path(section.known).read_bytes()))

    def schema_file(self, relative: str) -> Mapping[str, Any]:
        """Return the JSON Schema in a file that the manifest names. Raises ConnectorBroken when there is none."""
        schema = json_in(self.folder.path(relative))
        if not isinstance(schema, dict):
            raise ConnectorBroken(
                f"{relative} of {self.name} is no JSON Schema.",
                next_step=f"See what is wrong with: connector-host check {self.name}",
            )
        return schema

    def auth_handler(self, context: AuthContext) -> httpx.Auth:
        """Return what signs the requests of an instance."""
        handler = self._call("auth_handler", context.redactor, context=context)
        if handler is None:
            if context.method.sign_in is not None:
                raise self._rubbish("auth_handler", f"a handler for {context.method.name}, which signs in")
            return ManifestAuth(context)
        if not isinstance(handler, httpx.Auth):
            raise self._rubbish("auth_handler", "an httpx.Auth")
        return handler

    async def read_answer(self, operation: Operation, answer: RawAnswer, now: float) -> Meaning:
        """Return what an answer means: the connector's view, or what its HTTP status says."""
        hook = partial(self._plugins.hook.read_answer, operation=operation, answer=answer)
        meaning = await self._reader.call(f"The hook read_answer of {self.name}", hook)
        if meaning is None:
            return meaning_of_status(answer, now)
        if not isinstance(meaning, Meaning):
            raise self._rubbish("read_answer", "a Meaning")
        if meaning.retry_after is None:
            return replace(meaning, retry_after=retry_after_seconds(answer.headers.get("retry-after"), now))
        return meaning

    def stream_code(self, stream: Stream, redactor: Redactor | None = None) -> StreamCode:
        """Return the code that reads a stream. Raises ConnectorBroken when no hook gives any."""
        code = self._call("stream_code", redactor, seconds=IMPORT_SECONDS, stream=stream)
        if code is None or not callable(getattr(code, "pages", None)):
            raise self._rubbish(
                "stream_code", f"code with pages() for the stream {stream.name}, whose manifest has code"
            )
        checked: StreamCode = code
        return checked

    def code_problems(self) -> list[ConnectorHostError]:
        """Ask for all code that the manifest relies on, and return what is wrong with it."""
        problems: list[ConnectorHostError] = []
        for stream in self.manifest.streams:
            if stream.code is not None:
                try:
                    self.stream_code(stream)
                except ConnectorHostError as error:
                    problems.append(error)
        for action in self.manifest.actions:
            if action.code is not None:
                try:
                    self.action_code(action)
                except ConnectorHostError as error:
                    problems.append(error)
        return problems

    async def stream_pages(
        self, stream: Stream, calls: Calls, extent: Extent, redactor: Redactor
    ) -> AsyncGenerator[CheckedPage, None]:
        """Yield what a stream's code reads, in a thread of its own. Raises what calls raise, and ConnectorBroken."""
        code = await asyncio.to_thread(self.stream_code, stream, redactor)
        what = f"The code of the stream {stream.name} (hook stream_code of {self.name})"
        async with aclosing(checked_pages(what, code, calls, extent, redactor)) as pages:
            async for page in pages:
                yield page

    def action_code(self, action: Action, redactor: Redactor | None = None) -> ActionCode:
        """Return the code that pushes the records of an action. Raises ConnectorBroken when no hook gives any."""
        code = self._call("action_code", redactor, seconds=IMPORT_SECONDS, action=action)
        if code is None or not callable(getattr(code, "push", None)):
            raise self._rubbish(
                "action_code", f"code with push() for the action {action.name}, whose manifest has code"
            )
        checked: ActionCode = code
        return checked

    @asynccontextmanager
    async def record_pushing(
        self, action: Action, calls: Calls, redactor: Redactor
    ) -> AsyncGenerator[Callable[[Mapping[str, Any]], Awaitable[Any]], None]:
        """Give what pushes a record by an action's code, in a thread of its own, for the length of the block."""
        code = await asyncio.to_thread(self.action_code, action, redactor)
        what = f"The code of the action {action.name} (hook action_code of {self.name})"
        async with pushing(what, code, calls, redactor) as push:
            yield push

    def migrate_settings(self, settings: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        """Return settings that an older version saved, as this version takes them."""
        if from_version == self.manifest.version:
            return settings
        migrated = self._call("migrate_settings", settings=settings, from_version=from_version)
        if migrated is None:
            return settings
        if not isinstance(migrated, Mapping):
            raise self._rubbish("migrate_settings", "a mapping of settings")
        return migrated

    def sandbox(self) -> Sandbox:
        """Return the connector's local stand-in for its vendor. Raises UnknownName when it has none."""
        sandbox = self._call("sandbox", seconds=IMPORT_SECONDS)
        if sandbox is None:
            raise UnknownName(f"{self.manifest.label} has no sandbox.", next_step="Use an account of the vendor.")
        if not hasattr(sandbox, "start") or not hasattr(sandbox, "options_schema"):
            raise self._rubbish("sandbox", "a Sandbox")
        checked: Sandbox = sandbox
        return checked

    def _call(self, hook: str, redactor: Redactor | None = None, *, seconds: float | None = None, **given: Any) -> Any:
        caller = partial(getattr(self._plugins.hook, hook), **given)
        return isolated(f"The hook {hook} of {self.name}", caller, redactor=redactor, seconds=seconds)

    def _register(self, module: str, name: str, search_path: Path | None = None) -> None:
        if search_path is not None and str(search_path) not in sys.path:
            sys.path.insert(0, str(search_path))
        plugin = isolated(f"Importing {module}", lambda: importlib.import_module(module), seconds=IMPORT_SECONDS)
        try:
            self._plugins.register(plugin, name)
            self._plugins.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if self._plugins.has_plugin(name):
                self._plugins.unregister(name=name)
            raise ConnectorBroken(
                f"A hook of {module} does not fit its specification.",
                detail=str(error),
                next_step="Compare its name and arguments with connector_host.contract.hooks.",
            ) from None

    def _check_manifest(self) -> None:
        said = self._call("manifest")
        if not isinstance(said, Path):
            raise self._rubbish("manifest", "the path of connector.yaml")
        if said.resolve() != self.folder.file.resolve():
            raise ConnectorBroken(
                f"The hook manifest of {self.name} names another file than the one in its package.",
                detail=f"{said} and {self.folder.file}",
                next_step="Return the path of the package's own connector.yaml.",
            )

    def _check_code(self, hook: str, kind: str, names: Sequence[str]) -> None:
        """Raise ConnectorBroken where the manifest relies on code that nobody gives; an extension may be broken."""
        if names and not self.broken_extensions and not getattr(self._plugins.hook, hook).get_hookimpls():
            raise ConnectorBroken(
                f"The manifest of {self.name} gives the {kind} {names[0]} to code, and no hook {hook} is there.",
                next_step=f"Implement the hook {hook}, or update the connector.",
            )

    def _extend(self, extension: Extension) -> None:
        try:
            self._register(extension.module, extension.name)
        except ConnectorHostError as error:
            self.broken_extensions[extension.name] = error

    def _rubbish(self, hook: str, wanted: str) -> ConnectorBroken:
        return ConnectorBroken(
            f"The hook {hook} of {self.name} did not return {wanted}.",
            next_step="Update the connector, or tell its publisher.",
        )


def load_found(found: Found) -> Connector:
    """Load a connector that was listed. Raises the problem that it was listed with, or ConnectorBroken."""
    if found.problem is not None:
        raise found.problem
    if found.connector is None:
        raise ConnectorBroken(f"{found.name} has no manifest.")
    return Connector(found, found.connector)


def load_connector(name: str, folders: Sequence[Path] = (), *, cache: Path | None = None) -> Connector:
    """Load an installed connector, or one in a development folder, by name; `cache` is that of `find_connectors`.

    Raises UnknownName with the nearest names, or what makes the connector broken.
    """
    for found in find_connectors(folders, name=name, cache=cache):
        if found.name == name:
            return load_found(found)
    known = [found.name for found in find_connectors(folders, cache=cache)]
    raise UnknownName(
        f'There is no connector "{name}".',
        next_step=did_you_mean(name, known)
        or (f"Installed: {', '.join(known)}." if known else "None is installed: pip install one."),
    )
