"""The pushing of a connection, as `pull` is its pulling."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from connector_host.contract.action_models import Action
from connector_host.contract.code import Calls
from connector_host.contract.errors import InputInvalid, Problem, UnknownName
from connector_host.contract.nearest import did_you_mean
from connector_host.contract.secrets import Redactor

from .arguments import check_arguments
from .report import Progress

if TYPE_CHECKING:
    from .push import Push, Records
    from .push_report import PushReport, RecordResult
    from .push_writer import PushesTo

__all__ = ["PushRecord", "Pushes", "PushesByCode"]

PushRecord = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Pushes one record and returns JSON."""

_NOT_LIKE_THIS = "The records cannot be pushed like this."


class PushesByCode(Protocol):
    """What pushing records by code asks of a connector."""

    def record_pushing(
        self, action: Action, calls: Calls, redactor: Redactor
    ) -> AbstractAsyncContextManager[PushRecord]:
        """Give what pushes one record and returns JSON. It raises what calls raise, and ConnectorBroken."""


class Pushes:
    """What a connection does with actions."""

    async def push(
        self: "PushesTo",
        action: str | Action,
        records: "Records",
        *,
        dry_run: bool = False,
        results: Path | None = None,
        resume: bool = False,
    ) -> "PushReport":
        """Push records by an action, one after another, and return the report with each one's result.

        A record is a mapping. One that is refused stops no other; what stops all is in the report. `dry_run` checks
        and sends nothing. `results` is a file that takes each result as it happens, and `resume` goes on with it.

        Raises UnknownName, InputInvalid, PermissionMissing, and for the file InUse and ConfigurationError.
        """
        push = Pushes.pushing(self, action, records, dry_run=dry_run, results=results, resume=resume)
        async with aclosing(push.results()) as found:
            listed = [result async for result in found]
        return dataclasses.replace(push.report(), results=listed)

    async def push_each(
        self: "PushesTo",
        action: str | Action,
        records: "Records",
        *,
        dry_run: bool = False,
        results: Path | None = None,
        resume: bool = False,
    ) -> AsyncIterator["RecordResult"]:
        """Do the same as `push`, and yield each record's result as it happens; records wait until it is taken."""
        push = Pushes.pushing(self, action, records, dry_run=dry_run, results=results, resume=resume)
        async with aclosing(push.results()) as found:
            async for result in found:
                yield result

    def pushing(
        self: "PushesTo",
        action: str | Action,
        records: "Records",
        *,
        dry_run: bool = False,
        results: Path | None = None,
        resume: bool = False,
        told: Callable[[Progress], None] | None = None,
    ) -> "Push":
        """Return a push that has not begun, to follow and to stop. Raises UnknownName and InputInvalid."""
        from .push import Push  # noqa: PLC0415 -- who only reads does without it
        from .results_file import ResultsFile  # noqa: PLC0415 -- likewise

        check_arguments(
            _NOT_LIKE_THIS,
            action=action,
            records=records,
            dry_run=dry_run,
            results=results,
            resume=resume,
        )
        if resume and results is None:
            problem = Problem("resume", "argument", "There is no file to go on with.", "Give it as results.")
            raise InputInvalid(_NOT_LIKE_THIS, problems=[problem])
        file = None if results is None else ResultsFile(results, resume=resume)
        found = _action_of(self, action) if isinstance(action, str) else action
        return Push(self, found, records, dry_run=dry_run, file=file, told=told)


def _action_of(connection: "PushesTo", name: str) -> Action:
    actions = {action.name: action for action in connection.connector.manifest.actions}
    if name not in actions:
        raise UnknownName(
            f'There is no action "{name}".',
            next_step=did_you_mean(name, actions) or f"There are: {', '.join(actions) or 'none'}.",
        )
    return actions[name]
