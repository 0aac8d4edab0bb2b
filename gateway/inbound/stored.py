"""Files that came with calls on us, opened again for whoever hands them over."""

from __future__ import annotations

import io
from collections.abc import Sequence

from adapters.base import FileStream
from gateway.inbound.files import FileStore
from gateway.store.base import Store
from gateway.vault import SealError


class StoredFiles:
    """Opens a stored file by the reference its record gave it: the call's key, a slash, and a digest."""

    def __init__(self, portals: Sequence[str], store: Store, files: FileStore) -> None:
        self._portals = portals
        self._store = store
        self._files = files

    def __call__(self, reference: str) -> FileStream:
        """The file's bytes.

        Raises:
            LookupError: Nobody told of it, or it is not kept any more.
        """
        key = reference.rpartition("/")[0]
        rows = self._store.read(
            lambda tx: [row for portal in self._portals for row in tx.files_of_call(portal, key)] if key else []
        )
        for row in rows:
            if row.ref == reference:
                try:
                    content = b"".join(self._files.open(row))
                except (FileNotFoundError, SealError):
                    continue
                return FileStream(io.BytesIO(content), row.media_type, len(content))
        raise LookupError("no such file is kept")
