import shutil
from pathlib import Path

import pytest

from connector_host.connectors import load_connector
from connector_host.contract.manifest_file import read_manifest
from connector_host.forms import form_for

from ..conftest import edit  # noqa: TID252 -- test helpers are in no package


@pytest.fixture
def connector(plain_folder):
    return load_connector("plain", [plain_folder])


@pytest.fixture
def form(connector):
    return form_for(connector.folder, connector.method())


@pytest.fixture
def changed(tmp_path, plain_folder):
    """Read a copy of the plain connector whose manifest has been changed."""

    def read(files=None, **changes):
        folder = tmp_path / "changed"
        shutil.copytree(plain_folder, folder)
        edit(folder / "connector.yaml", changes)
        for name, content in (files or {}).items():
            Path(folder, name).write_text(content)
        return read_manifest(folder / "connector.yaml")

    return read
