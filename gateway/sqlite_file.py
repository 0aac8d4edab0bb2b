"""How a SQLite file of ours is opened, and what a failure of one means for whoever runs the gateway."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from schemas.errors import StoreError

BUSY_WAIT_S = 5.0
_POLL_S = 0.001
_STOPPING = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full, writing has stopped and nothing acknowledged is lost: "
    "free space on its file system, then start again",
    sqlite3.SQLITE_IOERR: "the disk refused a read or a write, writing has stopped and nothing acknowledged is lost: "
    "check the disk and the limits of the process, then start again",
    sqlite3.SQLITE_CORRUPT: "the file is damaged, writing has stopped: keep the file and restore the newest backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database or its first page is damaged: "
    "keep the file and restore the newest backup",
    sqlite3.SQLITE_BUSY: "another process held it for too long and nothing was written: "
    "try again, or end the other command first",
    sqlite3.SQLITE_LOCKED: "it is locked and nothing was written: try again, or end the other command first",
    sqlite3.SQLITE_READONLY: "it cannot be written: check its owner, its mode and how its disk is mounted",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that its folder exists and who owns it",
}


def connect(path: Path, *, cache_kib: int = 4096, read_only: bool = False) -> sqlite3.Connection:
    """Open `path` in WAL mode with every commit on disk before it returns; made with mode 0600 when absent.

    Transactions are ours (no implicit BEGIN), and waiting for a lock is `begin_immediate`'s, so the
    connection itself waits only for the short locks of recovery and checkpoints.

    Raises:
        StoreError: It cannot be opened or is not a database.
    """
    if not read_only:
        with contextlib.suppress(FileExistsError, OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise explain(path, error) from error
    return connection


def begin_immediate(connection: sqlite3.Connection, wait_s: float = BUSY_WAIT_S) -> None:
    """Take the write lock, asking every millisecond.

    SQLite's own waiting sleeps up to 100 ms between questions; beside a process that commits without a pause
    it would hardly ever meet the gap.

    Raises:
        sqlite3.OperationalError: The lock was not free for `wait_s` (code BUSY), or the file failed.
    """
    deadline = time.monotonic() + wait_s
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(_POLL_S)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_WAIT_S * 1000)}")


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 where the error did not come from SQLite itself."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def stops_writing(error: sqlite3.Error) -> bool:
    """Whether nothing more may be written until a person has looked: full, disk error, damaged."""
    return primary_code(error) in _STOPPING


def explain(path: Path, error: sqlite3.Error) -> StoreError:
    """The same failure in words that say what to do; without values, which SQLite's own texts may carry."""
    code = primary_code(error)
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return StoreError(f"{path.name}: {_WORDS.get(code, 'the database refused a statement')} ({name})")


def is_environmental(error: sqlite3.Error) -> bool:
    """Whether the file, the disk or a lock is at fault rather than our statement."""
    return primary_code(error) in _WORDS
