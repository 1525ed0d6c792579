"""The database behind the store: SQLite by default, PostgreSQL by URL, with the same SQL."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, InterfaceError, NoSuchModuleError

from connector_host.contract.errors import ConfigurationError, InputInvalid, TemporaryError
from connector_host.engine.files import make_file

from .home import DATABASE_VARIABLE
from .migrations import Migration, migrate

__all__ = ["Database"]

_BUSY_SECONDS = 30.0
_LOCK = 0x636F6E6E  # any number that no other program on the same server uses
_WRITING = "connector_host_writing"
_CREATING = threading.Lock()
_NEXT_STEP = f"Check {DATABASE_VARIABLE} (unset, it is a SQLite file in the home folder)."


class Database:
    """Connections of one process to the database; safe to use from any thread.

    Raises ConfigurationError when it cannot be opened or is newer than this program.
    """

    def __init__(self, url: str, *, migrations: Sequence[Migration] | None = None) -> None:
        self._engine = _engine(url)
        try:
            with self.exclusive() as connection:
                migrate(connection, migrations)
        except TemporaryError as error:
            self.close()
            raise ConfigurationError(error.message, next_step=_NEXT_STEP, detail=error.detail) from None
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the data."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction: committed at the end, undone by an exception."""
        with self._writing(func.pg_advisory_xact_lock_shared) as connection:
            yield connection

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """Give a writing connection while no other process or thread writes."""
        with self._writing(func.pg_advisory_xact_lock) as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self, postgresql_lock: Callable[[int], Any]) -> Iterator[Connection]:
        """Begin a transaction that writes. SQLite has one writer anyway; PostgreSQL needs a lock that says so."""
        with (
            _translated(),
            self._engine.connect().execution_options(**{_WRITING: True}) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(select(postgresql_lock(_LOCK)))
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __repr__(self) -> str:
        return f"Database({self._engine.url.render_as_string(hide_password=True)})"


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed)
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ConfigurationError("The address of the database is not understood.", next_step=_NEXT_STEP) from None
    except ImportError as error:
        raise ConfigurationError(
            f"The database driver {error.name} is not installed.", next_step=f"pip install {error.name}"
        ) from None


def _sqlite_engine(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "A database in memory forgets every instance.", next_step=f"Name a file in {DATABASE_VARIABLE}."
        )
    _create_private(Path(url.database))
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private(path: Path) -> None:
    """Make an empty file of mode 0600 unless there is one; SQLite gives its WAL and shared memory the same mode.

    A file that is there is not even opened: POSIX drops all locks of a process on a file as soon as the process closes
    any descriptor of it, and a database without them is taken apart under its users by the next process that closes it.
    """
    with _CREATING:
        try:
            make_file(path, mode=0o600)
        except OSError as error:
            raise ConfigurationError(
                f"The database {path} cannot be opened: {error.strerror}.", next_step=_NEXT_STEP
            ) from error


def _prepare_sqlite(connection: DBAPIConnection, record: Any) -> None:
    """Take transactions into our own hands, have references held, and readers not wait for writers."""
    del record
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    with contextlib.suppress(sqlite3.OperationalError):  # another process is just doing it; the file remembers
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin writing transactions as such: one that turns to writing half-way fails instead of waiting."""
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn a failure of the database into an error with a next step; broken constraints are the caller's to judge."""
    try:
        yield
    except IntegrityError:
        raise
    except UnicodeEncodeError:
        raise _unwritable() from None
    except (DatabaseError, InterfaceError) as error:
        detail = f"{type(error.orig).__name__}: {error.orig}"
        if "locked" in detail:
            raise TemporaryError(
                "The database is in use by another process for too long.", next_step="Try again.", detail=detail
            ) from None
        if isinstance(error, DataError) and "NUL" in detail:
            raise _unwritable() from None
        if isinstance(error.orig, sqlite3.Error):
            raise ConfigurationError(
                f"The database cannot be used: {error.orig}.", next_step=_NEXT_STEP, detail=detail
            ) from None
        raise TemporaryError(
            "The database does not answer as it should.",
            next_step="See that its server runs, then try again.",
            detail=detail,
        ) from None


def _unwritable() -> InputInvalid:
    return InputInvalid(
        "A name or another text has characters in it that are no text: a NUL, or bytes that are no UTF-8.",
        next_step="Leave them out.",
    )
