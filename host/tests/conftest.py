from pathlib import Path

import pytest


@pytest.fixture
def plain_folder():
    """The folder of the plain connector: a small REST API with a token, and a sandbox."""
    return Path(__file__).parent / "fixtures" / "plain"
