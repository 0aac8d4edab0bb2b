"""The journal: every call that was answered with success, sealed, in files outside the store (sync.md S27).

A restored store lacks what was told to us after its backup, and a portal that heard "received" never repeats. So each
such call is on disk here before its answer leaves. One file a day; an entry is length (4 bytes) · CRC-32 (4) · sealed
bytes. A torn last entry was never answered and is passed over.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from gateway.store.base import Vault
from schemas.errors import StoreError

_HEAD = struct.Struct(">II")
_LARGEST = 256 * 1024 * 1024


class Journal:
    """Appends entries and reads them back. Thread-safe: callers that come together share one fsync.

    Args:
        folder: Where the files lie; made with mode 0700.
        vault: Seals each entry under an owner of the file's day, so that a day can be erased.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault
        self._lock = threading.Condition()
        self._waiting: list[bytes] = []
        self._numbers = 0
        self._durable = 0
        self._writing = False
        self._broken = ""
        self._file: BinaryIO | None = None
        self._day: date | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, plain: bytes, at: datetime) -> None:
        """Put one entry on disk; returns when it is durable.

        Raises:
            StoreError: It could not be written; nothing may be answered with success.
        """
        owner = _owner(at.astimezone(UTC).date())
        self._vault.ensure([owner])
        sealed = self._vault.seal(owner, plain)
        entry = _HEAD.pack(len(sealed), zlib.crc32(sealed)) + sealed
        with self._lock:
            if self._day != at.astimezone(UTC).date():
                self._turn(at.astimezone(UTC).date())
            self._waiting.append(entry)
            self._numbers += 1
            mine = self._numbers
            while self._durable < mine:
                if self._broken:
                    raise StoreError(f"the journal of calls cannot be written: {self._broken}")
                if self._writing:
                    self._lock.wait()
                else:
                    self._write_out()

    def _turn(self, day: date) -> None:
        while self._writing:
            self._lock.wait()
        if self._waiting:
            self._write_out()
        if self._file is not None:
            self._file.close()
        path = self._folder / f"calls-{day.isoformat()}.journal"
        mend(path)
        try:
            self._file = path.open("ab", buffering=0)
            path.chmod(0o600)
            _flush_folder(self._folder)
        except OSError as error:
            raise StoreError(f"the journal of calls cannot be written: {error.strerror}") from error
        self._day = day

    def _write_out(self) -> None:
        """Write and flush all that wait; called with the lock, which is let go meanwhile."""
        batch, last = b"".join(self._waiting), self._numbers
        self._waiting.clear()
        self._writing = True
        file = self._file
        self._lock.release()
        try:
            if file is None:
                raise StoreError("the journal of calls is closed")
            file.write(batch)
            os.fsync(file.fileno())
        except OSError as error:
            self._broken = error.strerror or "input/output error"
        finally:
            self._lock.acquire()
            self._writing = False
            if not self._broken:
                self._durable = last
            self._lock.notify_all()

    def entries(self, since: datetime) -> Iterator[bytes]:
        """Every whole entry of the days from `since` on, oldest first.

        An entry whose key was erased or that is damaged is left out.
        """
        first = since.astimezone(UTC).date()
        for path in sorted(self._folder.glob("calls-*.journal")):
            day = date.fromisoformat(path.stem.removeprefix("calls-"))
            if day >= first:
                yield from self._opened(path, _owner(day))

    def _opened(self, path: Path, owner: str) -> Iterator[bytes]:
        for _, sealed in _whole(path):
            try:
                plain = self._vault.open(owner, sealed)
            except (KeyError, StoreError):
                continue
            yield plain

    def forget(self, before: datetime) -> int:
        """Remove the files of days before this one; says how many."""
        last = before.astimezone(UTC).date()
        old = [
            path
            for path in self._folder.glob("calls-*.journal")
            if date.fromisoformat(path.stem.removeprefix("calls-")) + timedelta(days=1) < last
        ]
        for path in old:
            path.unlink()
        return len(old)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            while self._writing:
                self._lock.wait()
            if self._file is not None:
                self._file.close()
                self._file, self._day = None, None


def mend(path: Path) -> None:
    """Cut a torn end off, so that what is written next can be read; what was torn was never answered."""
    if not path.exists():
        return
    end = max((end for end, _ in _whole(path)), default=0)
    if end < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())


def _whole(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each whole entry with the place where it ends."""
    end = 0
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            sealed = file.read(length) if length <= _LARGEST else b""
            if len(sealed) < length or zlib.crc32(sealed) != crc:
                return
            end += _HEAD.size + length
            yield end, sealed


def _owner(day: date) -> str:
    return f"journal:{day.isoformat()}"


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
