"""Files that we hold, opened again for whoever hands them over."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from adapters.base import FileStream
from gateway.inbound.files import SLICE, FileStore
from gateway.store.base import Store, Tx
from gateway.store.rows import FileRow
from gateway.vault import SealError


class StoredFiles:
    """Opens a stored file by its id, or by the reference its call gave it: the call's key, a slash, and a digest."""

    def __init__(self, portals: Sequence[str], store: Store, files: FileStore) -> None:
        self._portals = portals
        self._store = store
        self._files = files

    def __call__(self, reference: str) -> FileStream:
        """The file's bytes, unsealed slice by slice as they are read.

        Raises:
            LookupError: Nobody told of it, or it is not kept any more.
        """
        for row in self._store.read(lambda tx: self._named(tx, reference)):
            slices = self._files.open(row)
            try:
                first = next(slices)
            except (FileNotFoundError, SealError):
                continue
            stream = io.BufferedReader(_Unsealed(chain((first,), slices)), SLICE)
            return FileStream(stream, row.media_type, row.size)
        raise LookupError("no such file is kept")

    def _named(self, tx: Tx, reference: str) -> list[FileRow]:
        """Files that may be meant."""
        held = tx.file(reference)
        if held is not None:
            return [held]
        key = reference.rpartition("/")[0]
        told = [row for portal in self._portals for row in tx.files_of_call(portal, key)] if key else []
        return [row for row in told if row.ref == reference]


class _Unsealed(io.RawIOBase):
    """Slices as a stream; what is damaged or cut raises `SealError` when it is reached."""

    def __init__(self, slices: Iterator[bytes]) -> None:
        super().__init__()
        self._slices = slices
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            found = next(self._slices, None)
            if found is None:
                return 0
            self._rest = memoryview(found)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken
