import shutil
from pathlib import Path

import pytest

from connector_host.connectors import load_connector
from connector_host.contract.manifest_file import read_manifest
from connector_host.forms import form_for


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
        manifest = folder / "connector.yaml"
        text = manifest.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        manifest.write_text(text)
        for name, content in (files or {}).items():
            Path(folder, name).write_text(content)
        return read_manifest(manifest)

    return read
