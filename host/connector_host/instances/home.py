"""Where the host keeps its state on this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from connector_host.contract.errors import ConfigurationError

__all__ = ["DATABASE_VARIABLE", "HOME_VARIABLE", "Home"]

HOME_VARIABLE = "CONNECTOR_HOST_HOME"
DATABASE_VARIABLE = "CONNECTOR_HOST_DATABASE"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder with the host's state, and what stands where in it.

    `database_override` is a SQLAlchemy URL that takes the place of the SQLite file; it never shows, as it may have a
    password in it.
    """

    path: Path
    database_override: str | None = None

    @classmethod
    def locate(cls, environ: Mapping[str, str] = os.environ) -> "Home":
        """Return the home named by CONNECTOR_HOST_HOME, or the platform's data folder; nothing is created.

        CONNECTOR_HOST_DATABASE replaces the SQLite database by another, such as `postgresql://host/name`.
        """
        chosen = environ.get(HOME_VARIABLE, "").strip()
        path = (
            Path(chosen).expanduser() if chosen else platformdirs.user_data_path("connector-host", appauthor=False)
        ).absolute()
        return cls(path, environ.get(DATABASE_VARIABLE, "").strip() or None)

    @property
    def database(self) -> Path:
        """SQLite file with instances, encrypted credentials and sessions."""
        return self.path / "instances.db"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database in use."""
        return self.database_override or f"sqlite:///{self.database}"

    @property
    def key_file(self) -> Path:
        """Encryption keys, where neither the environment nor a keyring has them."""
        return self.path / "encryption.key"

    @property
    def quota_database(self) -> Path:
        """SQLite file in which the processes of this machine count their calls."""
        return self.path / "quota.db"

    @property
    def manifest_cache(self) -> Path:
        """File with the manifests that were read before."""
        return self.path / "manifests.json"

    @property
    def runs(self) -> Path:
        """Folder with what runs leave behind."""
        return self.path / "runs"

    @property
    def states(self) -> Path:
        """Folder with how far the incremental runs of each instance have come."""
        return self.path / "states"

    def create(self) -> "Home":
        """Create the folder, open to its owner only, unless it is there. Raises ConfigurationError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The folder {self.path} cannot be created: {error.strerror}.",
                next_step=f"Set {HOME_VARIABLE} to a folder that you may write to.",
            ) from error
        return self

    def __repr__(self) -> str:
        return f"Home({str(self.path)!r})"
