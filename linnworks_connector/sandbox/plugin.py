"""The sandbox as a host knows it: options as data, and a way to start it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from connector_host.contract.errors import ConfigurationError, InputInvalid, Problem
from linnworks_connector.sandbox.options import OPTIONS_SCHEMA, SandboxOptions

if TYPE_CHECKING:
    from linnworks_connector.sandbox.server import RunningSandbox

__all__ = ["LinnworksSandbox"]


class LinnworksSandbox:
    """The stand-in for Linnworks that runs on this machine."""

    options_schema: Mapping[str, Any] = OPTIONS_SCHEMA

    def start(self, options: Mapping[str, Any], *, port: int = 0) -> "RunningSandbox":
        """Start it on a port of 127.0.0.1, any free one for 0.

        Raises InputInvalid for wrong options, and ConfigurationError when the extra `sandbox` is not installed or the
        port is taken.
        """
        chosen = _options(options)
        try:
            from linnworks_connector.sandbox.server import start_sandbox  # noqa: PLC0415 - an extra, needed only now
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"The sandbox needs {error.name}, which is not installed.",
                next_step="Install it with: pip install 'linnworks-connector[sandbox]'",
            ) from None
        try:
            return start_sandbox(chosen, port=port)
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of 127.0.0.1 cannot be used: {error.strerror}.", next_step="Choose another port."
            ) from None


def _options(options: Mapping[str, Any]) -> SandboxOptions:
    try:
        return SandboxOptions(**options)
    except ValidationError as error:
        problems = [
            Problem(
                where=".".join(map(str, entry["loc"])),
                rule="sandbox-option",
                sentence=entry["msg"].removeprefix("Value error, "),
                fix="See the options of the sandbox.",
            )
            for entry in error.errors(include_url=False, include_input=False)
        ]
        raise InputInvalid("The options of the sandbox are not understood.", problems=problems) from None
