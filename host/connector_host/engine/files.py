"""Files that survive a crash, and are no more open to others than the folder that they are made in."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connector_host.contract.errors import Unwritable

__all__ = ["make_file", "make_folder", "sync_folder", "unwritable", "write_whole", "writing"]


def make_file(path: Path, *, mode: int | None = None) -> None:
    """Make an empty file unless there is one, with that mode, or no more open than its folder.

    A file that is there is not even opened: POSIX drops all locks of a process on a file, such as those of SQLite, as
    soon as the process closes any descriptor of it.
    """
    mode = _mode_of(path.parent) & 0o666 if mode is None else mode
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))


def make_folder(path: Path, *, mode: int | None = None) -> None:
    """Make a folder and those above it that are missing, with that mode, or no more open than what holds them."""
    if path.is_dir():
        return
    make_folder(path.parent, mode=mode)
    path.mkdir(mode=_mode_of(path.parent) & 0o777 if mode is None else mode, exist_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader sees the old content or the new, never a part, also after a power cut."""
    temporary = path.with_name(f"{path.name}.new")
    make_file(temporary)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def unwritable(place: object, error: OSError) -> Unwritable:
    """Return the error for a place that takes no more, such as a file on a full disk."""
    return Unwritable(
        f"{place} cannot be written: {error.strerror or type(error).__name__}.",
        next_step="Make room and use the same command again, or name a place that you may write to.",
    )


@contextmanager
def writing(place: object) -> Iterator[None]:
    """Raise Unwritable where the place takes no more; BrokenPipeError stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(place, error) from error


def _mode_of(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def sync_folder(folder: Path) -> None:
    """Make names in a folder safe; file systems that cannot do it are left as they are."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
