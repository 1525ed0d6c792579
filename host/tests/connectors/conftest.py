import importlib
import shutil
import sys
from pathlib import Path

import pytest

from connector_host.connectors import load_connector

from ..conftest import PLAIN, edit  # noqa: TID252 -- test helpers are in no package
from .plugins import SECRET


class Site:
    """A folder of installed packages, as pip would leave it: each a copy of the plain connector with changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, name, *, package=None, plugin=None, manifest=None, entry_name=None, group="connector_host.connectors"
    ):
        """Install a connector `name`: `manifest` maps old text to new, `plugin` replaces the module's source."""
        package = package or f"{name}_connector"
        target = self.folder / package
        shutil.copytree(PLAIN / "plain_connector", target)
        shutil.copytree(PLAIN / "schemas", target / "schemas")
        shutil.copy(PLAIN / "icon.svg", target)
        shutil.copy(PLAIN / "connector.yaml", target)
        edit(target / "connector.yaml", {"name: plain\n": f"name: {name}\n", **(manifest or {})})
        source = plugin if plugin is not None else (target / "plugin.py").read_text()
        source = source.replace("Path(__file__).parent.parent", "Path(__file__).parent").replace(
            "plain_connector", package
        )
        (target / "plugin.py").write_text(source)
        self._register(package, group, entry_name or name, f"{package}.plugin")
        return target

    def extend(self, package, entry_name, source):
        """Install an extension of a connector."""
        (self.folder / package).mkdir()
        (self.folder / package / "__init__.py").write_text("")
        (self.folder / package / "plugin.py").write_text(source)
        self._register(package, "connector_host.extensions", entry_name, f"{package}.plugin")
        return self.folder / package

    def _register(self, package, group, entry_name, module):
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry_name} = {module}\n")
        importlib.invalidate_caches()


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if name.split(".")[0].endswith(("_connector", "_extension")):
            del sys.modules[name]


@pytest.fixture
def coded(coded_folder):
    """The connector with a stream in code."""
    return load_connector("coded", [coded_folder])


@pytest.fixture
def running(coded):
    """Its vendor, on loopback."""
    running = coded.sandbox().start({"things": 35, "token": SECRET})
    yield running
    running.close()
