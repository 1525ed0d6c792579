"""Finds connectors: installed ones by entry point and development folders by path, without importing their code."""

import importlib.util
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from connector_host.contract.errors import ConnectorBroken, ConnectorHostError, NameTaken
from connector_host.contract.manifest import Manifest
from connector_host.contract.manifest_file import MANIFEST_NAME, ConnectorFolder, KnownManifests, read_manifest
from connector_host.contract.markers import ENTRY_POINT_GROUP, EXTENSION_GROUP

from .manifest_cache import ManifestCache

__all__ = ["FOLDERS_VARIABLE", "Extension", "Found", "find_connectors"]

FOLDERS_VARIABLE = "CONNECTOR_HOST_FOLDERS"
"""Environment variable with development folders, separated as in PATH."""


@dataclass(frozen=True)
class Extension:
    """A package that adds to a connector through the same hooks."""

    name: str
    module: str
    package: str


@dataclass(frozen=True)
class Found:
    """A connector as it is listed: with its manifest, or with the reason why it cannot be used.

    `file` is the manifest's, where there is one.
    """

    name: str
    module: str
    package: str
    package_version: str = ""
    connector: ConnectorFolder | None = None
    problem: ConnectorHostError | None = None
    file: Path | None = None
    search_path: Path | None = None
    extensions: tuple[Extension, ...] = field(default=())

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, None when it cannot be read."""
        return self.connector.manifest if self.connector else None

    @property
    def usable(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        return self.problem is None


def find_connectors(folders: Sequence[Path] = (), *, name: str | None = None, cache: Path | None = None) -> list[Found]:
    """Return every connector, by name, broken ones included; development folders win over installed packages.

    `folders`, and those in the environment variable CONNECTOR_HOST_FOLDERS, hold a connector each. With `name`, only
    those of that name are read. `cache` is a file that saves parsing what was read before.
    """
    configured = [Path(part) for part in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if part]
    known = ManifestCache(cache) if cache else None
    extensions = _extensions()
    taken: dict[str, Found] = {}
    found = []
    for candidate in _candidates([*folders, *configured], name, known):
        first = taken.get(candidate.name)
        if first is not None:
            problem = NameTaken(
                f"The name {candidate.name} is taken by {first.package}.",
                next_step=f"Uninstall {first.package} or {candidate.package}, or rename one of them.",
            )
            found.append(replace(candidate, problem=problem))
        else:
            taken[candidate.name] = replace(candidate, extensions=extensions.get(candidate.name, ()))
            found.append(taken[candidate.name])
    if known:
        known.save()
    return sorted(found, key=lambda each: (each.name, each.problem is not None))


def _candidates(folders: Iterable[Path], name: str | None, known: KnownManifests | None) -> Iterator[Found]:
    """Yield what is in folders, then what is installed, each package once: its manifest is read when it is reached."""
    seen: set[tuple[str, str]] = set()
    for found in _in_folders(folders, name, known):
        if (found.name, found.module) not in seen:
            yield found
        seen.add((found.name, found.module))
    yield from _installed(name, known, seen)


def _extensions() -> dict[str, tuple[Extension, ...]]:
    by_connector: dict[str, tuple[Extension, ...]] = {}
    for entry in sorted(entry_points(group=EXTENSION_GROUP), key=lambda entry: entry.name):
        connector = entry.name.partition(".")[0]
        extension = Extension(entry.name, entry.module, entry.dist.name if entry.dist else "")
        by_connector[connector] = (*by_connector.get(connector, ()), extension)
    return by_connector


def _installed(name: str | None, known: KnownManifests | None, seen: set[tuple[str, str]]) -> Iterator[Found]:
    entries = (
        entry_points(group=ENTRY_POINT_GROUP) if name is None else entry_points(group=ENTRY_POINT_GROUP, name=name)
    )
    for entry in sorted(entries, key=lambda entry: (entry.name, entry.value)):
        if (entry.name, entry.module) in seen:
            continue
        seen.add((entry.name, entry.module))
        package = entry.dist.name if entry.dist else entry.module
        version = entry.dist.version if entry.dist else ""
        yield _found(entry, package, version, partial(_manifest_of_module, entry.module), known)


def _in_folders(folders: Iterable[Path], name: str | None, known: KnownManifests | None) -> Iterator[Found]:
    for folder in folders:
        root = folder.resolve()
        try:
            entry = _entry_of_folder(root)
        except ConnectorHostError as problem:
            if name in (None, root.name):
                yield Found(name=root.name, module="", package=str(folder), problem=problem)
            continue
        if name in (None, entry.name):
            found = _found(entry, str(folder), "development", partial(_manifest_in, root, entry.module), known)
            yield replace(found, search_path=root)


def _found(
    entry: EntryPoint, package: str, version: str, locate: Callable[[], Path], known: KnownManifests | None
) -> Found:
    """Read the manifest of one entry point; whatever is wrong becomes data."""
    base = Found(name=entry.name, module=entry.module, package=package, package_version=version)
    try:
        file = locate()
        base = replace(base, file=file)
        connector = read_manifest(file, f"{package}/{MANIFEST_NAME}", known)
    except ConnectorHostError as problem:
        return replace(base, problem=problem)
    except Exception as unknown:  # noqa: BLE001 -- a broken package must not hide the others
        detail = f"{type(unknown).__name__}: {unknown}"
        return replace(base, problem=ConnectorBroken(f"{package} cannot be read.", detail=detail))
    if connector.manifest.name != entry.name:
        differs = ConnectorBroken(
            f'The manifest of {package} says "{connector.manifest.name}", its entry point "{entry.name}".',
            next_step="Give both the same name.",
        )
        return replace(base, connector=connector, problem=differs)
    return replace(base, connector=connector)


def _manifest_of_module(module: str) -> Path:
    """Return the manifest of an installed module, looked for beside it and upwards to its top package."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        raise ConnectorBroken(f"There is no package {top}.", next_step="Install the connector again.")
    locations = list(spec.submodule_search_locations or [])
    if not locations:
        raise ConnectorBroken(f"{top} is no package, so it holds no manifest.", next_step="Make it a package.")
    package = Path(locations[0])
    return _first_manifest(package, rest)


def _manifest_in(root: Path, module: str) -> Path:
    top, *rest = module.split(".")
    return _first_manifest(root / top, rest)


def _first_manifest(package: Path, inner: Sequence[str]) -> Path:
    steps = [package.joinpath(*inner[:depth]) for depth in range(len(inner), -1, -1)]
    if (package.parent / "pyproject.toml").is_file():
        # A checkout or an editable install: the manifest stands at the top of the repository.
        steps.append(package.parent)
    for step in steps:
        if (step / MANIFEST_NAME).is_file():
            return step / MANIFEST_NAME
    raise ConnectorBroken(
        f"The package {package.name} holds no {MANIFEST_NAME}.", next_step=f"Put {MANIFEST_NAME} into the package."
    )


def _entry_of_folder(root: Path) -> EntryPoint:
    project = root / "pyproject.toml"
    if not project.is_file():
        raise ConnectorBroken(f"{root.name} holds no pyproject.toml.", next_step="Name the folder of a connector.")
    try:
        data = tomllib.loads(project.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConnectorBroken(f"{root.name}/pyproject.toml is not TOML: {error}.") from None
    groups = data.get("project", {}).get("entry-points", {})
    entries = groups.get(ENTRY_POINT_GROUP, {})
    if not entries and EXTENSION_GROUP in groups:
        raise ConnectorBroken(
            f"{root.name} adds to a connector, and is none.", next_step="Install it to try it: pip install -e FOLDER"
        )
    if len(entries) != 1:
        raise ConnectorBroken(
            f"{root.name}/pyproject.toml declares {len(entries)} connectors, not one.",
            next_step=f'Add [project.entry-points."{ENTRY_POINT_GROUP}"] with one line: name = "package.module".',
        )
    name, value = next(iter(entries.items()))
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", str(value)):
        raise ConnectorBroken(
            f'{root.name}/pyproject.toml: "{value}" is no module.', next_step='Write "package.module".'
        )
    return EntryPoint(name, value, ENTRY_POINT_GROUP)
