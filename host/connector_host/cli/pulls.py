"""The command that pulls streams into files."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector_host.contract.errors import ConfigurationError, ConnectorHostError, UnknownName
from connector_host.contract.moments import moment_of, zone_of

from .exits import ExitCode
from .failures import interrupted, tell_error
from .output import say
from .progress import Progress, ProgressKind, progress_of
from .state import state_of

if TYPE_CHECKING:
    from connector_host.contract.manifest import Manifest
    from connector_host.contract.stream_models import Stream
    from connector_host.engine import Connection

__all__ = ["Pull", "Pulled", "add_to", "streams_of"]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("pull")(pull)


@dataclass
class Pulled:
    """What has become of one stream: `file` is the complete file, or the part that a stop has left."""

    stream: str
    file: Path
    read: int = 0
    written: int = 0
    complete: bool = False


@dataclass
class Pull:
    """Streams of one instance on their way into the files of a folder, page by page."""

    folder: Path
    progress: Progress
    done: list[Pulled] = field(default_factory=list)

    async def run(self, connection: "Connection", streams: "Iterable[Stream]", **limits: Any) -> None:
        """Pull one stream after the other; `limits` are since, until and limit of the connection's `pages`.

        A stream's file appears when it is complete; until then it is written with `.part` at its end.
        """
        try:
            for stream in streams:
                pulled = Pulled(stream.name, self.folder / f"{stream.name}.jsonl.part")
                self.done.append(pulled)
                self.progress.started(stream.name)
                try:
                    await self._write(connection, pulled, limits)
                    pulled.file = pulled.file.replace(self.folder / f"{stream.name}.jsonl")
                except OSError as error:
                    raise _unwritable(pulled.file, error) from error
                pulled.complete = True
                self.progress.finished(stream.name, pulled.read, pulled.written, str(pulled.file))
        finally:
            self.progress.close()

    async def _write(self, connection: "Connection", pulled: Pulled, limits: dict[str, Any]) -> None:
        with pulled.file.open("wb") as file:
            async for page in connection.pages(pulled.stream, **limits):
                lines = page.lines()
                file.write(lines)
                file.flush()
                pulled.read += len(page.records)
                pulled.written += lines.count(b"\n")
                self.progress.moved(pulled.stream, pulled.written, page.number, page.pages)

    def left_behind(self) -> str:
        """Return the sentences that tell what a stop has left."""
        complete = [f"{each.file} ({each.written:,} records)" for each in self.done if each.complete]
        parts = [f"{each.file} ({each.written:,} records so far)" for each in self.done if not each.complete]
        words = [f"Complete: {', '.join(complete)}."] if complete else []
        words += [f"Not complete: {', '.join(parts)}."] if parts else []
        return " ".join(words) or "Nothing was pulled."


def pull(
    context: typer.Context,
    *,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Name of an instance.")],
    names: Annotated[list[str], typer.Argument(metavar="STREAM...", help="Streams of its connector.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files, STREAM.jsonl; made when missing.")],
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From this time on: 2026-01-31, or a span back such as 7d or 12h."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to this time, included.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many records of each stream.")] = None,
    progress: Annotated[
        ProgressKind, typer.Option(help="auto shows bars on a terminal; json writes a line for each event.")
    ] = ProgressKind.AUTO,
) -> None:
    """Pull streams into JSON Lines files, page by page.

    Dates are in the instance's time zone. Ctrl-C leaves what is complete; a file that is not ends in .part.
    """
    import anyio  # noqa: PLC0415 -- only where something is awaited

    state = state_of(context)
    with state.store() as store:
        saved = store.get(instance)
    connector = state.connector(saved.connector)
    zone, now = zone_of(str(saved.settings.get("time_zone", "UTC"))), datetime.datetime.now(datetime.UTC)
    earliest = moment_of(since, option="--since", zone=zone, now=now) if since else None
    latest = moment_of(until, option="--until", zone=zone, now=now, end=True) if until else None
    streams = streams_of(connector.manifest, names, earliest, latest)
    _make(to)
    work = Pull(to, progress_of(progress))

    async def run() -> None:
        async with state.open(instance) as connection:
            await work.run(connection, streams, since=earliest, until=latest, limit=limit)

    try:
        anyio.run(run)
    except KeyboardInterrupt:
        interrupted(work.left_behind())
    except ConnectorHostError as error:
        if not any(each.complete or each.written for each in work.done):
            raise
        tell_error(error, state)
        say(work.left_behind())
        raise typer.Exit(ExitCode.PARTIAL) from None
    say(f"{len(work.done)} file{'s' if len(work.done) > 1 else ''} in {to}.", colour=typer.colors.GREEN)


def streams_of(
    manifest: "Manifest", names: Sequence[str], since: datetime.datetime | None, until: datetime.datetime | None
) -> "list[Stream]":
    """Return the streams of these names, once each, if all of them can be pulled like this.

    Raises UnknownName and InputInvalid, so that a mistake shows before the first is pulled.
    """
    from connector_host.contract.nearest import did_you_mean  # noqa: PLC0415 -- only when it is needed
    from connector_host.engine.plan import window_of  # noqa: PLC0415 -- heavy

    known = {stream.name: stream for stream in manifest.streams}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"{manifest.label} has: {', '.join(known) or 'none'}."
            raise UnknownName(f'There is no stream "{name}".', next_step=hint)
    streams = [known[name] for name in dict.fromkeys(names)]
    for stream in streams:
        window_of(stream, since, until, datetime.datetime.now(datetime.UTC).timestamp())
    return streams


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be written: {error.strerror}.", next_step="Name a folder that you may write to, with --to."
    )
