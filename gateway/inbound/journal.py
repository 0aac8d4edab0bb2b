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
from gateway.store.copies import flush
from schemas.errors import StoreError

_HEAD = struct.Struct(">II")
_LARGEST = 256 * 1024 * 1024


class _Batch:
    """Entries that are written and flushed together."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.done = False
        self.problem = ""


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
        self._batch = _Batch()
        self._writing = False
        self._file: BinaryIO | None = None
        self._day: date | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, plain: bytes, at: datetime) -> None:
        """Put one entry on disk; returns when it is durable.

        Raises:
            StoreError: It could not be written; nothing may be answered with success. The next call tries afresh.
        """
        day = at.astimezone(UTC).date()
        owner = _owner(day)
        self._vault.ensure([owner])
        sealed = self._vault.seal(owner, plain)
        with self._lock:
            self._turn(day)
            mine = self._batch
            mine.entries.append(_HEAD.pack(len(sealed), zlib.crc32(sealed)) + sealed)
            while not mine.done:
                if self._writing:
                    self._lock.wait()
                else:
                    self._write_out()
            if mine.problem:
                raise _unwritable(mine.problem)

    def _turn(self, day: date) -> None:
        """Have the file of this day open, and nothing of another day waiting for it: an entry opens only in its own.

        Around midnight callers of both days come together, so it is asked again whenever the lock was let go.
        """
        while self._day != day:
            if self._writing:
                self._lock.wait()
            elif self._batch.entries:
                self._write_out()
            else:
                self._open(day)

    def _open(self, day: date) -> None:
        self._shut()
        path = self._folder / f"calls-{day.isoformat()}.journal"
        try:
            mend(path)
            self._file = path.open("ab", buffering=0)
            path.chmod(0o600)
            flush(self._folder)
        except OSError as error:
            self._shut()
            raise _unwritable(error.strerror or "") from error
        self._day = day

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._day = None, None

    def _write_out(self) -> None:
        """Write and flush all that wait; called with the lock, which is let go meanwhile.

        After a failure the file is shut: whoever comes next opens it anew and cuts off what was left torn.
        """
        batch, self._batch = self._batch, _Batch()
        file, self._writing = self._file, True
        self._lock.release()
        problem = "interrupted"
        try:
            problem = "it is closed" if file is None else _flushed(file, b"".join(batch.entries))
        finally:
            self._lock.acquire()
            self._writing = False
            batch.done, batch.problem = True, problem
            if problem:
                self._shut()
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
        """Write what waits and close the file; a later entry opens it again."""
        with self._lock:
            while self._writing or self._batch.entries:
                if self._writing:
                    self._lock.wait()
                else:
                    self._write_out()
            self._shut()


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
    """Each whole entry with the place where it ends; one that was damaged later is passed over."""
    end = 0
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            sealed = file.read(length) if length <= _LARGEST else b""
            if len(sealed) < length or not length:
                return
            end += _HEAD.size + length
            if zlib.crc32(sealed) == crc:
                yield end, sealed


def _flushed(file: BinaryIO, content: bytes) -> str:
    """Write all of it and flush; says what went wrong, "" when nothing did.

    A disk that is nearly full takes a part and complains only of the rest.
    """
    left = memoryview(content)
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or "input/output error"
    return ""


def _unwritable(why: str) -> StoreError:
    return StoreError(f"the journal of calls cannot be written: {why}")


def _owner(day: date) -> str:
    return f"journal:{day.isoformat()}"
