"""The sandbox as a host starts it: options from their schema, on a port of this machine."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from connector_host.contract.errors import ConfigurationError, InputInvalid, Problem
from connector_host.contract.sandbox import RunningSandbox
from connector_host.contract.schemas import problems_of, validator_for

from .options import OPTIONS_SCHEMA, SandboxOptions

__all__ = ["LinnworksSandbox"]


class LinnworksSandbox:
    """What the connector's `sandbox` hook returns."""

    options_schema: Mapping[str, Any] = OPTIONS_SCHEMA

    def start(self, options: Mapping[str, Any], *, port: int = 0) -> RunningSandbox:
        """Start on a port of 127.0.0.1, any free one for 0.

        Raises InputInvalid for wrong options, ConfigurationError when the port is taken or the extra is missing.
        """
        problems = problems_of(validator_for(OPTIONS_SCHEMA), dict(options), at="options")
        if problems:
            raise InputInvalid("The sandbox does not take these options.", problems=problems)
        try:
            checked = SandboxOptions(**options)
        except ValidationError as error:
            problems = [
                Problem(f"options.{'.'.join(map(str, each['loc']))}", each["type"], each["msg"])
                for each in error.errors(include_input=False, include_url=False)
            ]
            raise InputInvalid("The sandbox does not take these options.", problems=problems) from None
        try:
            from .server import start_sandbox  # noqa: PLC0415 -- it needs a web server, which is an extra
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"The sandbox needs the package {error.name}.",
                next_step='Install it with: pip install "linnworks-connector[sandbox]"',
            ) from None
        try:
            return start_sandbox(checked, port=port)
        except OSError as error:
            raise ConfigurationError(
                f"The sandbox cannot listen on port {port}: {error.strerror}.", next_step="Choose another port."
            ) from None
