"""Secrets at rest: AES-256-GCM in a text envelope that is bound to the place it stands in.

Envelope: `v1.KEY-ID.DATA`, where DATA is the base64url of a random 12-byte nonce and the sealed text. The version, the
key's id, the instance's id and the field's name are associated data: an envelope that is changed, or moved to another
instance or field, does not open.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connector_host.contract.errors import ConfigurationError, SecretsUnreadable

__all__ = ["KEY_BYTES", "EncryptionKey", "KeyRing", "envelope_prefix"]

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_KEY_ID = re.compile(r"[a-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """One AES-256 key. Its id tells which key opens an envelope and gives nothing of the key away."""

    id: str
    material: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.id):
            raise ConfigurationError(
                "The id of an encryption key has characters that it may not have, or too many.",
                next_step="Use 1 to 32 of the characters a-z, 0-9, _ and -.",
            )
        if len(self.material) != KEY_BYTES:
            raise ConfigurationError(
                f'The encryption key "{self.id}" has {len(self.material)} bytes; it needs {KEY_BYTES}.',
                next_step="Give the base64 of 32 random bytes, for example from: openssl rand -base64 32",
            )

    @classmethod
    def generate(cls) -> "EncryptionKey":
        """Return a new random key."""
        return cls.of(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def of(cls, material: bytes) -> "EncryptionKey":
        """Return the key of these bytes, with an id that is derived from them."""
        return cls(_derive(material, "id").hex()[:12], material)

    def derived(self, purpose: str) -> bytes:
        """Return 32 bytes for another purpose, from which the key cannot be found."""
        return _derive(self.material, purpose)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys at hand: the first one writes, every one reads."""

    keys: tuple[EncryptionKey, ...]

    def __post_init__(self) -> None:
        ids = [key.id for key in self.keys]
        if not ids:
            raise ConfigurationError("No encryption key is given.", next_step="Give the base64 of 32 random bytes.")
        if twice := sorted({key_id for key_id in ids if ids.count(key_id) > 1}):
            raise ConfigurationError(
                f'The encryption key id "{twice[0]}" is given twice.', next_step="Give each key an id of its own."
            )

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `BASE64` or `ID:BASE64`, several with commas or on lines of their own.

        Raises ConfigurationError, whose text has nothing of a key.
        """
        entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
        return cls(tuple(_parse_key(entry, number) for number, entry in enumerate(entries, 1)))

    def dump(self) -> str:
        """Return the text that `parse` reads: a key on each line. It is secret."""
        return "".join(f"{key.id}:{base64.b64encode(key.material).decode('ascii')}\n" for key in self.keys)

    @property
    def writing(self) -> EncryptionKey:
        """The key that writes."""
        return self.keys[0]

    def with_new(self) -> "KeyRing":
        """Return a ring in which a new key writes and the present ones still read."""
        return KeyRing((EncryptionKey.generate(), *self.keys))

    def only(self, ids: Iterable[str]) -> "KeyRing":
        """Return a ring with the writing key and those of the given ids."""
        wanted = {self.writing.id, *ids}
        return KeyRing(tuple(key for key in self.keys if key.id in wanted))

    def __iter__(self) -> Iterator[EncryptionKey]:
        return iter(self.keys)

    def seal(self, text: str, *, instance_id: str, field_name: str) -> str:
        """Return the envelope of a text, for this field of this instance only."""
        key = self.writing
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key.material).encrypt(
            nonce, text.encode("utf-8", "surrogatepass"), _associated_data(key.id, instance_id, field_name)
        )
        return envelope_prefix(key) + base64.urlsafe_b64encode(nonce + sealed).decode("ascii")

    def open(self, envelope: str, *, instance_id: str, field_name: str, what: str = "A stored secret") -> str:
        """Return the text of an envelope; `what` names it in errors.

        Raises SecretsUnreadable when its key is not at hand or is another one, when it was changed, and when it stood
        in another place.
        """
        version, _, rest = envelope.partition(".")
        key_id, _, data = rest.partition(".")
        if version != _VERSION:
            raise _unreadable(what, "it is written in a way that this version does not know", "Upgrade connector-host.")
        key = next((key for key in self.keys if key.id == key_id), None)
        if key is None:
            raise _unreadable(
                what,
                "it was written with an encryption key that is not at hand" + (f' ("{key_id}")' if key_id else ""),
                "Bring that key back (environment, keyring or key file), or enter the credentials again.",
            )
        try:
            raw = _decode(data)
            opened = AESGCM(key.material).decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated_data(key_id, instance_id, field_name)
            )
        except (InvalidTag, ValueError):
            raise _unreadable(
                what,
                f'the key "{key_id}" at hand is another one than it was written with, or what is stored was changed',
                "Bring the right key back, or enter the credentials again.",
            ) from None
        return opened.decode("utf-8", "surrogatepass")


def envelope_prefix(key: EncryptionKey) -> str:
    """Return how every envelope that this key wrote begins."""
    return f"{_VERSION}.{key.id}."


def _parse_key(entry: str, number: int) -> EncryptionKey:
    key_id, colon, encoded = entry.rpartition(":")
    try:
        material = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f"Encryption key number {number} is not base64.",
            next_step="Give the base64 of 32 random bytes, for example from: openssl rand -base64 32",
        ) from None
    if colon:
        return EncryptionKey(key_id.strip().lower(), material)
    if len(material) != KEY_BYTES:
        raise ConfigurationError(
            f"Encryption key number {number} has {len(material)} bytes; it needs {KEY_BYTES}.",
            next_step="Give the base64 of 32 random bytes, for example from: openssl rand -base64 32",
        )
    return EncryptionKey.of(material)


def _decode(data: str) -> bytes:
    """Return the bytes of canonical base64url. Raises ValueError for any other spelling of them."""
    raw = base64.b64decode(data.encode("ascii"), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).decode("ascii") != data:
        raise ValueError("not canonical")
    return raw


def _derive(material: bytes, purpose: str) -> bytes:
    return hmac.new(material, f"connector-host {purpose}".encode(), hashlib.sha256).digest()


def _associated_data(key_id: str, instance_id: str, field_name: str) -> bytes:
    """Join the parts with their lengths, so that no two places have the same data."""
    parts = [part.encode("utf-8") for part in (_VERSION, key_id, instance_id, field_name)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _unreadable(what: str, why: str, next_step: str) -> SecretsUnreadable:
    return SecretsUnreadable(f"{what} cannot be read: {why}. Nothing was changed.", next_step=next_step)
