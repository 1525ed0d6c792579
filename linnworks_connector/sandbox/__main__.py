"""Runs a sandbox until Ctrl-C: `python -m linnworks_connector.sandbox --port 8900 --orders 20000 --live`."""

import argparse
import sys
from typing import Any, Final

from pydantic import ValidationError

from linnworks_connector.sandbox.options import OPTIONS_SCHEMA, SandboxOptions

_TYPES: Final[dict[str, type]] = {"integer": int, "number": float, "string": str}
_SINGULAR: Final = {"faults": "fault", "permissions": "permission"}


def _parser() -> argparse.ArgumentParser:
    """Make the flags from OPTIONS_SCHEMA: one for each option, lists as a flag that may be given again."""
    parser = argparse.ArgumentParser(
        prog="python -m linnworks_connector.sandbox", description="A local stand-in for Linnworks."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8900, help="port of the API address (default: %(default)s)")
    for name, schema in OPTIONS_SCHEMA["properties"].items():
        flag = f"--{_SINGULAR.get(name, name).replace('_', '-')}"
        described = f"{schema['description']} (default: {schema['default']})".replace("%", "%%")
        if schema.get("type") == "boolean":
            parser.add_argument(flag, dest=name, action=argparse.BooleanOptionalAction, default=None, help=described)
        elif name in _SINGULAR:
            parser.add_argument(flag, dest=name, action="append", default=None, help=described)
        else:
            parser.add_argument(flag, dest=name, type=_type_of(schema), choices=schema.get("enum"), help=described)
    return parser


def _type_of(schema: dict[str, Any]) -> type:
    named = [schema, *schema.get("anyOf", ())]
    return next((_TYPES[part["type"]] for part in named if part.get("type") in _TYPES), str)


def parse_arguments(arguments: list[str] | None) -> tuple[SandboxOptions, str, int]:
    """Return the options, host and port that arguments ask for. Raises ValidationError; exits on unknown flags."""
    given = vars(_parser().parse_args(arguments))
    host, port = given.pop("host"), given.pop("port")
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen.get("permissions") == ["all"]:
        chosen["permissions"] = "all"
    return SandboxOptions(**chosen), host, port


def main(arguments: list[str] | None = None) -> int:
    """Run a sandbox until Ctrl-C. Returns 0, or 2 when an option is wrong or the port is taken."""
    try:
        options, host, port = parse_arguments(arguments)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            _say(f"{'.'.join(map(str, problem['loc'][:1]))}: {problem['msg']}", file=sys.stderr)
        return 2
    try:
        from linnworks_connector.sandbox.server import start_sandbox  # noqa: PLC0415 - needs the web libraries
    except ModuleNotFoundError as error:
        _say(f"{error.name} is missing. Install it with: pip install 'linnworks-connector[sandbox]'", file=sys.stderr)
        return 2
    try:
        sandbox = start_sandbox(options, host, port)
    except OSError as error:
        _say(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port.", file=sys.stderr)
        return 2
    with sandbox:
        _say(banner(sandbox.address, sandbox.server_address, sandbox.credentials, sandbox.shop.counts()))
        try:
            sandbox.wait()
        except KeyboardInterrupt:
            _say("Sandbox stopped.")
    return 0


def banner(address: str, server: str, credentials: dict[str, str], counts: dict[str, int]) -> str:
    """Return what a person needs to connect to a sandbox."""
    shop = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    lines = [
        "Linnworks sandbox: an invented shop. Nothing leaves this computer.",
        "",
        f"  API address     {address}   (sign-in, /v1, /v2, control: {address}/_sandbox/state)",
        f"  Session server  {server}   (/api/..., named by the sign-in)",
        f"  Shop            {shop}",
        "",
        "  Credentials",
        *(f"    {key:<36}{text}" for key, text in credentials.items()),
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _say(text: str, *, file: Any = None) -> None:
    print(text, file=file or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
