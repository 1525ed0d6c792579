"""Runs the public `airbyte-source-linnworks` against a local server; its messages go to standard output.

`python airbyte_peer.py ADDRESS STREAM START FOLDER`, with the interpreter of the environment that it is installed in.
Only the address of its sign-in is changed, by subclassing its authenticator; FOLDER takes what it writes to run.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from source_linnworks import source


def sign_in_at(address: str) -> None:
    """Make the peer sign in at an address of this machine."""

    class LocalAuthenticator(source.LinnworksAuthenticator):  # type: ignore[misc]  # the peer has no types
        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "token_refresh_endpoint": f"{address}/api/Auth/AuthorizeByApplication"})

    source.LinnworksAuthenticator = LocalAuthenticator


def main(address: str, stream: str, start: str, folder: str) -> None:
    """Read one stream in full."""
    os.chdir(folder)  # it keeps a cache of answers where it runs
    chosen = {
        "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh",
        "destination_sync_mode": "overwrite",
    }
    values = {"application_id": "a", "application_secret": "b", "token": "c", "start_date": start}
    Path("config.json").write_text(json.dumps(values))
    Path("catalog.json").write_text(json.dumps({"streams": [chosen]}))
    sign_in_at(address)
    launch(source.SourceLinnworks(), ["read", "--config", "config.json", "--catalog", "catalog.json"])


if __name__ == "__main__":
    main(*sys.argv[1:])
