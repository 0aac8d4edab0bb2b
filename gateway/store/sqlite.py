"""The store on one machine: SQLite in WAL mode, every commit on disk before its caller goes on."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar, cast

from gateway.sqlite_file import BUSY_WAIT_S, connect, explain, is_environmental
from gateway.store.base import Tx
from gateway.store.copies import hold
from gateway.store.schema import HEAD, create, revision
from gateway.store.transaction import SqliteTx
from gateway.store.writer import Writer
from schemas.errors import StoreError

T = TypeVar("T")

_WRITER_CACHE_KIB = 16_384
_READER_CACHE_KIB = 2_048


class SqliteStore:
    """`gateway.store.base.Store` in one file; several processes may have it open at once.

    Args:
        path: The file, made when absent.
        busy_wait_s: How long a write waits for another process before it raises.

    Raises:
        StoreError: The file cannot be opened, is damaged or has another version's tables.
    """

    def __init__(self, path: Path, *, busy_wait_s: float = BUSY_WAIT_S) -> None:
        self.path = path
        self._in_use = hold(path, exclusive=False)
        try:
            connection = _opened(path)
        except StoreError:
            self._in_use.close()
            raise
        self._writer = Writer(path, connection, busy_wait_s)
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False

    @property
    def failure(self) -> str:
        """Why the store no longer takes writes (full, disk error, damaged); empty while it does."""
        return self._writer.failure

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a savepoint of a group commit; see `gateway.store.base.Store`."""
        return self._writer.submit(cast("Callable[[SqliteTx], T]", work))

    def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot of what is committed; other readers and the writer go on meanwhile.

        Raises:
            StoreError: The file cannot be read, or `work` tried to write.
        """
        if self._closed:
            raise StoreError(f"{self.path.name}: the store is closed")
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = connect(self.path, cache_kib=_READER_CACHE_KIB, read_only=True)
        try:
            connection.execute("BEGIN")
            return work(SqliteTx(connection))
        except sqlite3.Error as error:
            if is_environmental(error):
                raise explain(self.path, error) from error
            raise
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._readers.append(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what was submitted and give back the files."""
        self._closed = True
        while self._readers:
            self._readers.pop().close()
        self._writer.close()
        self._in_use.close()


def _opened(path: Path) -> sqlite3.Connection:
    connection = connect(path, cache_kib=_WRITER_CACHE_KIB)
    try:
        if revision(connection) is None:
            create(connection)
        found = revision(connection)
    except sqlite3.Error as error:
        connection.close()
        raise explain(path, error) from error
    if found != HEAD:
        connection.close()
        raise StoreError(f"{path.name}: its tables are of revision {found}, this program needs {HEAD}")
    return connection
