"""The source of connectors' plugins: hooks that all of them have, and code that reads a stream or pushes records."""

import textwrap

SECRET = "tok-marker-4b1f9c2e"
"""The token of the vendor, which the plugins know too."""
HEAD = f"""
import asyncio, sys, threading, time
from pathlib import Path
from connector_host.contract.answers import Meaning, MeaningKind
from connector_host.contract.code import CodePage
from connector_host.contract.errors import OutcomeUnknown, Problem, RecordRejected, VendorFault
from connector_host.contract.markers import hookimpl

SECRET = {SECRET!r}
"""
HOOKS = f"""{HEAD}
@hookimpl
def manifest():
    return Path(__file__).parent / "connector.yaml"

@hookimpl
def operations():
    return [Path(__file__).parent / "schemas" / "operations" / "things.json"]
"""


def code_of(head, body):
    """Return the source of a class Code with one method."""
    return f"\nclass Code:\n    {head}\n{textwrap.indent(body.strip(), ' ' * 8)}\n"
