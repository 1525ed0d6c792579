"""The hooks between a host and a connector. A connector implements them in the module of its entry point.

For one connector they fire in this order: `manifest` and `operations` when it is loaded; `migrate_settings` when an
instance of an older version is opened; `check_credentials` when a form is checked; `auth_handler` when an instance is
connected; `stream_code` when a stream with `code` is pulled, and `action_code` when records are pushed by an action
with `code`; `read_answer` for every answer of the vendor; `sandbox` when a person asks for it.

Each hook has a few seconds. One that hangs, raises or returns something else than it should makes the connector
broken, with the hook's name in the error, and harms no other connector.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx

from .answers import Meaning, RawAnswer
from .auth import AuthContext
from .catalogue import Operation
from .code import ActionCode, StreamCode
from .manifest import Action, AuthenticationMethod
from .markers import hookspec
from .sandbox import Sandbox
from .secrets import Credentials
from .stream_models import Stream

__all__ = ["ConnectorHooks"]


class ConnectorHooks(Protocol):
    """The hook specifications: what each takes and returns."""

    @hookspec(firstresult=True)
    def manifest(self) -> Path:
        """Return the path of your connector.yaml.

        Fires once, when the connector is loaded. It must be the file that stands in your package, which hosts list
        without importing your code.
        """

    @hookspec
    def operations(self) -> Sequence[Path]:
        """Return the OpenAPI 3.1 documents of your operations.

        Fires once, when the connector is loaded. An extension returns the documents that it adds.
        """

    @hookspec(firstresult=True)
    def auth_handler(self, context: AuthContext) -> httpx.Auth | None:
        """Return what signs the requests of one instance, or None for the manifest's headers alone.

        Fires when an instance is connected. Teach `context.redactor` every secret that you come by, and keep sessions
        in `context.sessions`, so that others share them; `ManifestAuth` and `SessionAuth` do all of this.
        """

    @hookspec(firstresult=True)
    def stream_code(self, stream: Stream) -> StreamCode | None:
        """Return the code that reads a stream, or None for one that is not yours.

        Optional; needed where the manifest declares a stream with `code`. Fires when such a stream is pulled, and when
        the connector is checked; import what the code needs only then. The code itself has 30 seconds between its
        calls.
        """

    @hookspec(firstresult=True)
    def action_code(self, action: Action) -> ActionCode | None:
        """Return the code that pushes the records of an action, or None for one that is not yours.

        Optional; needed where the manifest declares an action with `code`. Fires when records are pushed by such an
        action, and when the connector is checked; import what the code needs only then. The code itself has 30 seconds
        between its calls.
        """

    @hookspec(firstresult=True)
    def read_answer(self, operation: Operation, answer: RawAnswer) -> Meaning | None:
        """Return what an answer of the vendor means, or None to let its HTTP status speak.

        Fires for every answer, in a worker thread; it must be a pure function of its arguments. A Retry-After header
        is read by the host.
        """

    @hookspec
    def check_credentials(self, method: AuthenticationMethod, credentials: Credentials) -> Sequence[str]:
        """Return sentences about credentials that are valid but look wrong; they are shown beside the form.

        Optional. Fires after the credentials satisfied their schema. Put no secret into a sentence.
        """

    @hookspec(firstresult=True)
    def migrate_settings(self, settings: Mapping[str, Any], from_version: int) -> Mapping[str, Any] | None:
        """Return an instance's settings as this version takes them.

        Optional. Fires when an instance is opened that an older version of the connector has saved.
        """

    @hookspec(firstresult=True)
    def sandbox(self) -> Sandbox | None:
        """Return your local stand-in for the vendor.

        Optional. Fires when a person runs the sandbox or the demo; import what it needs only then.
        """
