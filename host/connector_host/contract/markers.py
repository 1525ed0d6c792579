"""The markers of hook implementations, apart from the specifications so that a plugin's import stays cheap."""

import pluggy

__all__ = ["ENTRY_POINT_GROUP", "EXTENSION_GROUP", "PROJECT", "hookimpl", "hookspec"]

PROJECT = "connector_host"
ENTRY_POINT_GROUP = "connector_host.connectors"
"""Entry-point group of connectors: `name = "package.module"`, where name is the manifest's name."""
EXTENSION_GROUP = "connector_host.extensions"
"""Entry-point group of packages that add to an installed connector: `connector.name = "package.module"`."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
