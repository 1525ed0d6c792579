"""Checks of what a manifest says about the connector's own code."""

from collections.abc import Iterator, Mapping, Sequence

from .action_models import Action
from .code_models import CodeSection
from .errors import Problem
from .manifest import Manifest
from .manifest_file import ANY_NAME, ConnectorFolder
from .nearest import did_you_mean
from .problem_at import Check, Where, problem_at, readable_catalogue
from .stream_models import Stream

__all__ = ["CODE_CHECKS", "code_sections"]


def code_sections(manifest: Manifest) -> Iterator[tuple[Where, CodeSection]]:
    """Yield what the manifest says about the code of each stream and action that has code, with its place."""
    parts: Mapping[str, Sequence[Stream | Action]] = {"streams": manifest.streams, "actions": manifest.actions}
    for kind, entries in parts.items():
        for number, part in enumerate(entries):
            if part.code is not None:
                yield [kind, number, "code"], part.code


def code_of_streams_reads(connector: ConnectorFolder) -> Iterator[Problem]:
    """What the code of a stream may call only reads."""
    catalogue = readable_catalogue(connector)
    for number, stream in enumerate(connector.manifest.streams):
        for index, name in enumerate(stream.code.operations if stream.code else ()):
            if catalogue is not None and name in catalogue and catalogue.get(name).kind != "read":
                place: Where = ["streams", number, "code", "operations", index]
                sentence = f"{name} writes, and pulling {stream.name} must change nothing."
                yield problem_at(connector, place, "code-reads", sentence, "Name reads alone.")


def settings_of_code_exist(connector: ConnectorFolder) -> Iterator[Problem]:
    """The settings that code reads are declared."""
    settings = {setting.key for setting in connector.manifest.settings}
    in_doubt = connector.names_in_doubt(["settings"], "key")
    for place, code in code_sections(connector.manifest):
        for index, key in enumerate(code.settings):
            if key not in settings and not in_doubt & {key, ANY_NAME}:
                fix = did_you_mean(key, settings) or "Declare it in settings."
                yield problem_at(
                    connector, [*place, "settings", index], "code-setting", f"There is no setting {key}.", fix
                )


CODE_CHECKS: tuple[Check, ...] = (code_of_streams_reads, settings_of_code_exist)
