"""Where the encryption keys come from: the environment, the system's keyring, or a file only its owner may read."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from connector_host.contract.errors import ConfigurationError, SecretsUnreadable

from .encryption import EncryptionKey, KeyRing
from .home import Home

__all__ = [
    "KEYRING_VARIABLE",
    "KEY_VARIABLE",
    "EnvironmentKeys",
    "FileKeys",
    "KeySource",
    "KeyringKeys",
    "key_source",
]

KEY_VARIABLE = "CONNECTOR_HOST_KEY"
KEYRING_VARIABLE = "CONNECTOR_HOST_KEYRING"
_KEYRING_SERVICE = "connector-host"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeySource(Protocol):
    """Reads the keys afresh at every use, so that a rotation in another process is seen at once."""

    @property
    def writable(self) -> bool:
        """Whether the host may add keys by itself."""

    @property
    def when_lost(self) -> str:
        """What to do when there are secrets and no keys."""

    def load(self) -> KeyRing | None:
        """Return the keys, None when there are none yet. Raises SecretsUnreadable or ConfigurationError."""

    def save(self, ring: KeyRing) -> None:
        """Keep these keys in place of the present ones. Raises ConfigurationError."""

    def create(self) -> KeyRing:
        """Make and keep a first key, or return the keys that another process has just made."""


def key_source(home: Home, environ: Mapping[str, str] = os.environ) -> KeySource:
    """Return where the keys are: CONNECTOR_HOST_KEY, else the keyring if CONNECTOR_HOST_KEYRING=1, else a file."""
    if text := environ.get(KEY_VARIABLE, "").strip():
        return EnvironmentKeys(text)
    if environ.get(KEYRING_VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}:
        return KeyringKeys(str(home.path))
    return FileKeys(home.key_file)


class EnvironmentKeys:
    """Keys from CONNECTOR_HOST_KEY: `BASE64`, or `ID:BASE64` several with commas; the first one writes."""

    writable = False
    when_lost = f"Set {KEY_VARIABLE} to the keys that the credentials were written with."

    def __init__(self, text: str) -> None:
        self._ring = KeyRing.parse(text)

    def load(self) -> KeyRing:
        """Return the keys."""
        return self._ring

    def save(self, ring: KeyRing) -> None:
        """Refuse: the environment belongs to whoever started the host. Raises ConfigurationError."""
        del ring
        raise ConfigurationError(
            f"The encryption keys come from {KEY_VARIABLE}, which the host cannot change.",
            next_step=f"Put the new key first in {KEY_VARIABLE} and keep the old one after a comma: NEW,OLD",
        )

    def create(self) -> KeyRing:
        """Return the keys."""
        return self._ring


class FileKeys:
    """Keys in a file of mode 0600, one on each line."""

    writable = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.when_lost = (
            f"Bring {path} back from a backup. If it is lost for good, put a new key there (the base64 of 32 random "
            "bytes, mode 600) and enter the credentials of each instance again."
        )

    def load(self) -> KeyRing | None:
        """Return the keys, None without a file.

        Raises SecretsUnreadable when others than its owner may read or write the file, or it cannot be read.
        """
        try:
            with self.path.open(encoding="ascii") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if os.name == "posix" and mode & _OTHERS:
                    raise SecretsUnreadable(
                        f"The key file {self.path} is open to others than its owner (mode {mode:04o}); it is not used.",
                        next_step=f"Close it: chmod 600 {self.path} (and rotate the keys if someone may have read it).",
                    )
                text = file.read()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SecretsUnreadable(
                f"The key file {self.path} cannot be read: {reason}.",
                next_step="Give its owner the right to read it, or bring it back from a backup.",
            ) from None
        try:
            return KeyRing.parse(text)
        except ConfigurationError as error:
            raise SecretsUnreadable(
                f"The key file {self.path} is damaged: {error.message}", next_step="Bring it back from a backup."
            ) from None

    def save(self, ring: KeyRing) -> None:
        """Replace the file in one step; a crash leaves the old or the new one whole."""
        with self._written(ring) as complete:
            complete.replace(self.path)
        self._flush_folder()

    def create(self) -> KeyRing:
        """Make the file with a first key, or return the keys that another process has just put there."""
        ring = KeyRing((EncryptionKey.generate(),))
        with self._written(ring) as complete:
            try:
                os.link(complete, self.path)
            except FileExistsError:
                return self.load() or ring
        self._flush_folder()
        return ring

    @contextlib.contextmanager
    def _written(self, ring: KeyRing) -> Iterator[Path]:
        """Write a complete file beside the real one (mkstemp makes it 0600) and remove it afterwards."""
        temporary: Path | None = None
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            temporary = Path(name)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(ring.dump())
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        except OSError as error:
            raise ConfigurationError(
                f"The key file {self.path} cannot be written: {error.strerror}.",
                next_step="Give the host's user the right to write to its folder, and room on the disk.",
            ) from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)

    def _flush_folder(self) -> None:
        """Make the file's name durable: a key lost in a power cut takes every secret with it."""
        if os.name != "posix":
            return
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class KeyringKeys:
    """Keys in the system's keyring (Keychain, Credential Locker, Secret Service), an entry for each home."""

    writable = True

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self.when_lost = (
            f'Bring the entry "{_KEYRING_SERVICE}" of {entry} back to the keyring. If it is lost for good, set '
            f"{KEY_VARIABLE} to a new key and enter the credentials of each instance again."
        )

    def load(self) -> KeyRing | None:
        """Return the keys, None without an entry. Raises SecretsUnreadable when the keyring does not open."""
        text = self._ask("get_password")
        return KeyRing.parse(text) if text else None

    def save(self, ring: KeyRing) -> None:
        """Replace the entry."""
        self._ask("set_password", ring.dump())

    def create(self) -> KeyRing:
        """Make an entry with a first key; the store sees to it that one process at a time does so."""
        present = self.load()
        if present is not None:
            return present
        ring = KeyRing((EncryptionKey.generate(),))
        self.save(ring)
        return ring

    def _ask(self, function: str, *values: str) -> str | None:
        try:
            import keyring  # noqa: PLC0415 -- optional, and slow to import
        except ImportError:
            raise ConfigurationError(
                f"{KEYRING_VARIABLE} is set, and the package keyring is not installed.",
                next_step=f"Install it (pip install keyring), or unset {KEYRING_VARIABLE} to use a key file.",
            ) from None
        try:
            answer: str | None = getattr(keyring, function)(_KEYRING_SERVICE, self._entry, *values)
        except Exception as error:  # noqa: BLE001 -- each backend of keyring raises errors of its own
            raise SecretsUnreadable(
                "The system's keyring does not open.",
                next_step=f"Unlock it, or unset {KEYRING_VARIABLE} to use a key file.",
                detail=type(error).__name__,
            ) from None
        return answer
