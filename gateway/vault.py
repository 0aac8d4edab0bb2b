"""Seals personal bytes: AES-256-GCM under one key per owner, the keys in a file of their own (docs/adr/0010).

Sealed bytes: version (1 byte) · key id (4) · nonce (12) · ciphertext with tag. Version, key id and the owner's name are
bound in as associated data: bytes moved to another owner, or opened with a key ring of another day, are refused.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.sqlite_file import begin_immediate, connect, explain
from schemas.errors import ConfigError, StoreError

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_HEAD_BYTES = 5
_CACHED_KEYS = 8192
_ERASE_WAIT_S = 5.0
_OWNER_KEYS = """CREATE TABLE IF NOT EXISTS owner_key (
    owner TEXT NOT NULL,
    key BLOB,
    erased_at REAL,
    CONSTRAINT pk_owner_key PRIMARY KEY (owner),
    CONSTRAINT ck_owner_key_state CHECK ((key IS NULL) <> (erased_at IS NULL))
) WITHOUT ROWID"""
_RING_KEYS = """CREATE TABLE IF NOT EXISTS ring_key (
    name TEXT NOT NULL,
    key BLOB NOT NULL,
    CONSTRAINT pk_ring_key PRIMARY KEY (name)
) WITHOUT ROWID"""


class SealError(StoreError):
    """Sealed bytes do not open: damaged, another owner's, or sealed under a key that this ring does not hold."""


class KeyRing:
    """`gateway.store.base.Vault` over a SQLite file of its own, mode 0600.

    Args:
        path: The file, made when absent; it must not be readable by group or others.
        cached_keys: How many keys stay in memory; the rest are read again when needed.

    Raises:
        ConfigError: Others may read the file.
        StoreError: It cannot be opened or is damaged.
    """

    def __init__(self, path: Path, *, cached_keys: int = _CACHED_KEYS) -> None:
        self.path = path
        if path.exists():
            refuse_open_mode(path)
        self._sql = connect(path, cache_kib=2048)
        self._lock = threading.Lock()
        self._cached_keys = cached_keys
        self._keys: OrderedDict[str, bytes] = OrderedDict()
        self._seen_version = -1
        with self._told():
            # What a deleted key leaves in the file is overwritten with zeros.
            self._sql.execute("PRAGMA secure_delete = ON")
            self._sql.execute(_OWNER_KEYS)
            self._sql.execute(_RING_KEYS)
            self._sql.execute("INSERT OR IGNORE INTO ring_key VALUES ('blind', ?)", (os.urandom(32),))
            self._blind_key: bytes = self._sql.execute("SELECT key FROM ring_key WHERE name = 'blind'").fetchone()[0]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise explain(self.path, error) from error

    def ensure(self, owners: Iterable[str]) -> None:
        """Make missing keys, on disk before this returns; an erased owner stays erased."""
        wanted = dict.fromkeys(owners)
        with self._lock, self._told():
            self._forget_if_changed()
            missing = [owner for owner in wanted if owner not in self._keys]
            known = self._read(missing)
            if new := [owner for owner in missing if owner not in known]:
                self._make(new)

    def _make(self, owners: Sequence[str]) -> None:
        random = os.urandom(_KEY_BYTES * len(owners))
        made = {owner: random[n * _KEY_BYTES : (n + 1) * _KEY_BYTES] for n, owner in enumerate(owners)}
        begin_immediate(self._sql)
        insert = "INSERT OR IGNORE INTO owner_key (owner, key) VALUES (?, ?)"
        kept = self._sql.executemany(insert, made.items()).rowcount
        self._sql.execute("COMMIT")
        if kept == len(made):
            self._remember(made)
        else:  # another process made one of them first
            self._read(owners)

    def seal(self, owner: str, plain: bytes) -> bytes:
        """Encrypt under the owner's key.

        Raises:
            KeyError: No key was made for this owner, or it was erased.
        """
        return self.seal_many([(owner, plain)])[0]

    def seal_many(self, items: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Encrypt each under its owner's key; the ring is asked once whether another process has changed it.

        Raises:
            KeyError: As `seal`, for the first owner without a key.
        """
        keys = self._usable({owner for owner, _ in items})
        boxes = {owner: (_VERSION + _key_id(key), AESGCM(key)) for owner, key in keys.items()}
        nonces = os.urandom(_NONCE_BYTES * len(items))
        sealed = []
        for place, (owner, plain) in zip(range(0, len(nonces), _NONCE_BYTES), items, strict=True):
            head, box = boxes[owner]
            nonce = nonces[place : place + _NONCE_BYTES]
            sealed.append(head + nonce + box.encrypt(nonce, plain, head + owner.encode()))
        return sealed

    def open(self, owner: str, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            KeyError: The owner has no key, or it was erased.
            SealError: The bytes are damaged, another owner's, or of another key.
        """
        key = self._usable((owner,))[owner]
        head, nonce = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES : _HEAD_BYTES + _NONCE_BYTES]
        if head[:1] != _VERSION:
            raise SealError("sealed bytes have an unknown version: they were written by a newer program or are damaged")
        if head[1:] != _key_id(key):
            raise SealError("sealed under another key than the ring holds: key ring and store are of different days")
        try:
            return AESGCM(key).decrypt(nonce, sealed[_HEAD_BYTES + _NONCE_BYTES :], head + owner.encode())
        except InvalidTag:
            raise SealError("sealed bytes are damaged or belong to another owner") from None

    def blind(self, text: str) -> str:
        """32 hexadecimal digits of keyed BLAKE2b: equal for equal text, telling nothing without the ring."""
        return hashlib.blake2b(text.encode(), digest_size=16, key=self._blind_key).hexdigest()

    def erased(self, owners: Iterable[str]) -> set[str]:
        """Those whose key was destroyed."""
        with self._lock, self._told():
            return {
                owner
                for owner in owners
                if self._sql.execute(
                    "SELECT 1 FROM owner_key WHERE owner = ? AND erased_at IS NOT NULL", (owner,)
                ).fetchone()
            }

    def erase(self, owner: str, at: float) -> None:
        """Destroy the owner's key and leave a tombstone; no key is ever made for this owner again.

        Returns only when the key is overwritten in the file and its write-ahead log is emptied.

        Raises:
            StoreError: Another process kept reading the ring; the tombstone stands, call again.
        """
        with self._lock, self._told():
            self._keys.pop(owner, None)
            begin_immediate(self._sql)
            self._sql.execute(
                "INSERT INTO owner_key (owner, key, erased_at) VALUES (?, NULL, ?) ON CONFLICT (owner) DO UPDATE "
                "SET key = NULL, erased_at = coalesce(erased_at, excluded.erased_at)",
                (owner, at),
            )
            self._sql.execute("COMMIT")
            self._empty_log()

    def copy_to(self, target: Path) -> None:
        """Write a copy with mode 0600, to be kept apart from store and backups and shorter than any erasure term.

        Raises:
            FileExistsError: `target` is already there; a copy never replaces another.
        """
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with self._lock, self._told():
            copy = sqlite3.connect(target)
            try:
                self._sql.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()
        with target.open("rb") as written:
            os.fsync(written.fileno())

    def close(self) -> None:
        """Give back the file and forget the keys."""
        with self._lock:
            self._keys.clear()
            self._sql.close()

    def _usable(self, owners: Collection[str]) -> dict[str, bytes]:
        """The keys of living owners. Raises KeyError for the first that has none."""
        with self._lock, self._told():
            self._forget_if_changed()
            held = {owner: self._keys.get(owner) for owner in owners}
            for owner, key in held.items():
                if key is not None:
                    self._keys.move_to_end(owner)
            held |= self._read([owner for owner, key in held.items() if key is None])
        for owner, key in held.items():
            if key is None:
                raise KeyError(owner)
        return cast("dict[str, bytes]", held)

    def _read(self, owners: Sequence[str]) -> dict[str, bytes | None]:
        """Keys as the file has them, None where erased; living ones are kept in memory."""
        if not owners:
            return {}
        names = orjson.dumps(owners).decode()
        found: dict[str, bytes | None] = dict(
            self._sql.execute(
                "SELECT owner, key FROM owner_key WHERE owner IN (SELECT value FROM json_each(?))", (names,)
            )
        )
        self._remember({owner: key for owner, key in found.items() if key is not None})
        return found

    def _remember(self, keys: Mapping[str, bytes]) -> None:
        """Keep keys in memory, at most so many: the longest unused are dropped."""
        self._keys.update(keys)
        while len(self._keys) > self._cached_keys:
            self._keys.popitem(last=False)

    def _forget_if_changed(self) -> None:
        """Forget keys in memory when another process has written: it may have erased one of them."""
        version = self._sql.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen_version:
            self._keys.clear()
            self._seen_version = version

    def _empty_log(self) -> None:
        deadline = time.monotonic() + _ERASE_WAIT_S
        while self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{self.path.name}: key erased, but its log is still read: end other commands, erase again"
                )
            time.sleep(0.01)


def refuse_open_mode(path: Path) -> None:
    """Make sure that only the owner of a secret file can read it.

    Raises:
        ConfigError: Group or others have any right to it.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigError(f"{path.name}: mode is {mode:04o}, others may read the keys; it must be 0600: chmod 600 it")


def pack(plain: bytes) -> bytes:
    """Compress before sealing; level 1, because most of the gain comes at once."""
    return zlib.compress(plain, 1)


def unpack(packed: bytes) -> bytes:
    """Undo `pack`."""
    return zlib.decompress(packed)


def _key_id(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=4, person=b"key id").digest()
