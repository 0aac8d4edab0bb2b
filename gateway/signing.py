"""The signing key ring: Ed25519 keys in a file of their own, each marked with what it signs.

A key signs either receipts or checkpoints, never both, so that no statement can be passed off as one of another kind. A
retired key keeps its public half for ever, so that what it signed can be checked, and loses its private half.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.vault import refuse_open_mode
from schemas.clock import Clock
from schemas.errors import ConfigError, StoreError


class Purpose(StrEnum):
    """What a key signs."""

    RECEIPT = "receipt"
    CHECKPOINT = "checkpoint"


class SigningKey(BaseModel):
    """One key. `id` is the first 16 hexadecimal digits of the SHA-256 of the 32 public bytes.

    `public` and `private` are base64 of the raw 32 bytes; `private` is empty once the key is retired. Instants are
    seconds since 1970 in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    purpose: Purpose
    created_at: float
    retired_at: float | None = None
    public: str
    private: str = ""

    def __repr__(self) -> str:
        return f"SigningKey({self.id}, {self.purpose.value})"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature."""
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.private)).sign(message)

    def pem(self) -> bytes:
        """The public key as PEM (SubjectPublicKeyInfo), as openssl reads it."""
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public))
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class _Ring(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: int = 1
    keys: tuple[SigningKey, ...] = ()


class SigningRing:
    """The ring, one key in use for each purpose. Thread-safe; several processes may use one file.

    Args:
        path: The file, made with one key for each purpose when absent, mode 0600.

    Raises:
        ConfigError: Others may read the file.
        StoreError: It cannot be read, or is damaged.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[int, int] = (0, 0)
        self._ring = _Ring()
        if not path.exists():
            with self._alone():
                if not path.exists():
                    self._write(_Ring(keys=tuple(self._made(purpose) for purpose in Purpose)))
        refuse_open_mode(path)
        self._fresh()

    def all(self) -> tuple[SigningKey, ...]:
        """All keys, oldest first, without their private halves."""
        return tuple(key.model_copy(update={"private": ""}) for key in self._fresh().keys)

    def in_use(self, purpose: Purpose) -> SigningKey:
        """The key that signs for this purpose now."""
        found = [key for key in self._fresh().keys if key.purpose is purpose and key.private]
        if not found:
            raise StoreError(f"{self.path.name}: holds no key for {purpose.value}: 'lienthong keys rotate' makes one")
        return found[-1]

    def rotate(self, purpose: Purpose) -> SigningKey:
        """Retire the key in use for this purpose and make another; gives the new one."""
        with self._alone():
            ring, now = self._fresh(), self._clock.now().timestamp()
            kept = tuple(
                key.model_copy(update={"retired_at": now, "private": ""})
                if key.purpose is purpose and key.private
                else key
                for key in ring.keys
            )
            made = self._made(purpose)
            self._write(_Ring(keys=(*kept, made)))
        return made.model_copy(update={"private": ""})

    def _made(self, purpose: Purpose) -> SigningKey:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        return SigningKey(
            id=key_id(public),
            purpose=purpose,
            created_at=self._clock.now().timestamp(),
            public=base64.b64encode(public).decode(),
            private=base64.b64encode(private.private_bytes_raw()).decode(),
        )

    def _fresh(self) -> _Ring:
        """The ring as the file has it: another process may have rotated a key."""
        with self._lock:
            try:
                found = self.path.stat()
                if (found.st_ino, found.st_mtime_ns) != self._seen:
                    self._ring = _Ring.model_validate_json(self.path.read_bytes())
                    self._seen = (found.st_ino, found.st_mtime_ns)
            except (OSError, ValidationError) as error:
                if self._ring.keys:  # who is at work goes on with the keys it has: exchange does not wait for a file
                    return self._ring
                raise StoreError(
                    f"{self.path.name}: the signing keys cannot be read ({type(error).__name__})"
                ) from None
            return self._ring

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing the file meanwhile."""
        with Path(f"{self.path}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, ring: _Ring) -> None:
        """Put the whole file in its place at once, on disk before this returns."""
        part = self.path.with_name(f"{self.path.name}.part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(ring.model_dump_json(indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def key_id(public: bytes) -> str:
    """Name of a key: the first 16 hexadecimal digits of the SHA-256 of its 32 public bytes."""
    return hashlib.sha256(public).hexdigest()[:16]


def verified(pem: bytes, message: bytes, signature: bytes) -> str:
    """Name of the key that made a signature; "" when it did not.

    Raises:
        ConfigError: `pem` is not an Ed25519 public key.
    """
    try:
        public = load_pem_public_key(pem)
    except ValueError as error:
        raise ConfigError(
            "the public key cannot be read: it must be PEM, as 'lienthong keys export' writes it"
        ) from error
    if not isinstance(public, Ed25519PublicKey):
        raise ConfigError("the public key is not Ed25519")
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return ""
    return key_id(public.public_bytes_raw())
