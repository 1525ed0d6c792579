"""Records from a file or stdin: JSON Lines, read as they are pushed, or one JSON array."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

import msgspec

from connector_host.contract.errors import InputInvalid, Problem

if TYPE_CHECKING:
    from connector_host.engine.record_source import Unreadable

__all__ = ["records_in"]

_BOM = b"\xef\xbb\xbf"


@contextmanager
def records_in(source: str, *, option: str) -> Iterator[Iterable[Any]]:
    """Give the records in a file, or on stdin for `-`, for the length of the block; empty lines are none.

    A line that is no JSON stands as Unreadable in its place. Raises InputInvalid where the file or an array cannot be
    read.
    """
    name = "stdin" if source == "-" else source
    with ExitStack() as stack:
        try:
            stream = _stdin() if source == "-" else _opened(source, stack)
            first = _first_line(stream)
            is_list = first.lstrip()[:1] == b"["
            text = first + stream.read() if is_list else b""
        except OSError as error:
            fix = "Name a file, or - for stdin."
            raise _wrong(option, name, "file", f"It cannot be read: {error.strerror}.", fix) from None
        yield _array(text, option, name) if is_list else _lines(first, stream)


def _opened(source: str, stack: ExitStack) -> IO[bytes]:
    """Open a file whose closing does not wait for a thread that waits for its next line, as on a pipe."""
    number = os.open(source, os.O_RDONLY)
    stack.callback(os.close, number)
    return io.BufferedReader(io.FileIO(number, closefd=False))


def _stdin() -> IO[bytes]:
    """Return a reader of stdin of our own: one that waits in a thread must not hold up the end of the program."""
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):
        return sys.stdin.buffer
    return io.BufferedReader(io.FileIO(number, closefd=False))


def _first_line(stream: IO[bytes]) -> bytes:
    """Return the first line that is not empty, with its end."""
    first = stream.readline().removeprefix(_BOM)
    while first and not first.strip():
        first = stream.readline()
    return first


def _array(text: bytes, option: str, name: str) -> list[Any]:
    try:
        value = msgspec.json.decode(text)
    except UnicodeDecodeError:
        raise _wrong(option, name, "utf-8", "It is not UTF-8 text.", "Save it as UTF-8.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _wrong(
            option, name, "json", f"It is not JSON: {error}.", "Write one list, or an object a line."
        ) from None
    return list(value)


def _lines(first: bytes, stream: IO[bytes]) -> Iterator[Any]:
    line = first
    while line:
        if line.strip():
            yield _record(line)
        line = stream.readline()


def _record(line: bytes) -> "dict[str, Any] | Unreadable":
    from connector_host.engine.record_source import Unreadable  # noqa: PLC0415 -- heavy

    try:
        value: dict[str, Any] = msgspec.json.decode(line)
    except UnicodeDecodeError:
        return Unreadable("The line is not UTF-8 text.", "Save the file as UTF-8.")
    except (msgspec.DecodeError, RecursionError) as error:
        return Unreadable(f"The line is not JSON: {error}.", "Write each record as one object on a line of its own.")
    return value


def _wrong(option: str, name: str, rule: str, sentence: str, fix: str) -> InputInvalid:
    return InputInvalid(f"The value of {option} cannot be used.", problems=[Problem(name, rule, sentence, fix)])
