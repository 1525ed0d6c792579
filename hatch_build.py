"""Build hook: in the repository the manifest and schemas stand at the top, in a wheel inside the package."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PackageData(BuildHookInterface):  # type: ignore[type-arg]
    """Put connector.yaml and schemas/ into wheels; an editable install reads them where they stand."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the two to a standard wheel, and nothing to an editable one."""
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"]["connector.yaml"] = "linnworks_connector/connector.yaml"
            build_data["force_include"]["schemas"] = "linnworks_connector/schemas"
