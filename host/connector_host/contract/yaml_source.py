"""YAML 1.2 read with the position of every value, so that errors can say where."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode

from .errors import ManifestInvalid, Problem

__all__ = ["YamlSource"]

_MOST_VALUES = 200_000
"""Far more than any manifest has; documents of catalogues are read here for the places of their faults."""


class _TextDates(RoundTripConstructor):
    """Dates stay the text that was written: YAML 1.2 has no date type."""

    def keep_text(self, node: ScalarNode) -> str:
        return str(node.value)


_TextDates.add_constructor("tag:yaml.org,2002:timestamp", _TextDates.keep_text)


class YamlSource:
    """One YAML file as plain data, with `position(path)` for error messages.

    `name` is how the file is called in messages. Raises ManifestInvalid when the file is missing, is not YAML, repeats
    a key, is nested too deeply, stands for too many values, or is not a mapping at the top.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name
        reader = YAML(typ="rt")
        reader.Constructor = _TextDates
        try:
            self._tree = reader.load(path.read_text("utf-8"))
        except FileNotFoundError:
            raise self._invalid(
                0, 0, "file-missing", "There is no such file.", "Create it, or correct the path."
            ) from None
        except UnicodeDecodeError:
            raise self._invalid(0, 0, "not-utf8", "The file is not UTF-8 text.", "Save it as UTF-8.") from None
        except DuplicateKeyError as error:
            mark = error.problem_mark
            key = str(error.problem).split('"')[1] if '"' in str(error.problem) else "A key"
            raise self._invalid(
                mark.line, mark.column, "duplicate-key", f'"{key}" stands twice in one mapping.', "Keep one of the two."
            ) from None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            raise self._invalid(
                line,
                column,
                "not-yaml",
                f"This is not YAML: {error.problem}.",
                "Check the indentation and quotes here.",
            ) from None
        except YAMLError as error:
            raise self._invalid(
                0, 0, "not-yaml", f"This is not YAML: {error}.", "Check the file in an editor."
            ) from None
        except RecursionError:
            raise self._invalid(0, 0, "not-yaml", "The file is nested too deeply.", "Write it flatter.") from None
        if not isinstance(self._tree, CommentedMap):
            raise self._invalid(
                0, 0, "not-a-mapping", "The file holds no mapping of keys to values.", "Start with `name:`."
            )
        try:
            self.data: dict[str, Any] = _plain(self._tree, iter(range(_MOST_VALUES)))
        except _TooManyValues:
            sentence = f"The file stands for more than {_MOST_VALUES:,} values, aliases written out."
            raise self._invalid(0, 0, "too-large", sentence, "Repeat less with aliases.") from None

    def where(self, path: Sequence[str | int], *, key: bool = False) -> str:
        """Return `file:line:column` of the value at `path`, or of the nearest value above it that exists.

        With `key`, the position of the key rather than of its value. Steps that stand for no key, such as the tags
        that pydantic adds for unions, are passed over.
        """
        node: Any = self._tree
        line, column = 0, 0
        for number, step in enumerate(path):
            try:
                if isinstance(node, CommentedMap) and step in node:
                    at_key = key and number == len(path) - 1
                    line, column = (
                        node.lc.key(step) if at_key or isinstance(node[step], CommentedMap) else node.lc.value(step)
                    )
                    node = node[step]
                elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
                    line, column = node.lc.item(step)
                    node = node[step]
            except (KeyError, AttributeError, TypeError):
                break
        return f"{self.name}:{line + 1}:{column + 1}"

    def _invalid(self, line: int, column: int, rule: str, sentence: str, fix: str) -> ManifestInvalid:
        problem = Problem(f"{self.name}:{line + 1}:{column + 1}", rule, sentence, fix)
        return ManifestInvalid(f"{self.name} cannot be read.", problems=[problem])


class _TooManyValues(Exception):
    """Aliases of aliases make a small file stand for more than a machine can hold."""


def _plain(node: Any, left: Iterator[int]) -> Any:
    """Return the plain values of a tree; each takes one of those that are left. Raises _TooManyValues."""
    if next(left, None) is None:
        raise _TooManyValues
    match node:
        case CommentedMap():
            return {str(key): _plain(value, left) for key, value in node.items()}
        case CommentedSeq():
            return [_plain(value, left) for value in node]
        case bool() | None:
            return node
        case int():
            return int(node)
        case float():
            return float(node)
        case _:
            return str(node)
