"""Whole store files: holding one, copying one while it is in use, checking it, and letting one take another's place."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO

from gateway.sqlite_file import explain
from schemas.errors import StoreError

Progress = Callable[[int, int], None]
"""Called with pages done and pages in all."""

_PAGES_A_STEP = 2_000
_BESIDE = ("-wal", "-shm", "-journal")


def hold(path: Path, *, exclusive: bool) -> IO[bytes]:
    """Say that the store is in use until the file returned is closed; the kernel lets go when a process dies.

    Everyone who opens a store holds it shared; who replaces its file (migration, restore) holds it alone.

    Raises:
        StoreError: Others have it open, or it is just being replaced.
    """
    try:
        held = os.fdopen(os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600), "r+b")
    except OSError as error:
        raise StoreError(f"{path.name}: its folder cannot be written: check that it exists and who owns it") from error
    try:
        fcntl.flock(held, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        why = "it is open elsewhere: stop the gateway first" if exclusive else "its file is being replaced: try again"
        raise StoreError(f"{path.name}: {why}") from error
    return held


def copy_online(source: Path, target: Path, progress: Progress | None = None) -> None:
    """Copy one snapshot of `source` into the new file `target`, mode 0600, while others read and write.

    Raises:
        StoreError: Either file fails.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"{target.name}: cannot be made: {os.strerror(error.errno or 0)}") from error

    def report(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total - remaining, total)

    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as old, closing(sqlite3.connect(target)) as new:
            # A read transaction of our own pins the snapshot: without it each foreign commit would begin the copy anew.
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
            old.backup(new, pages=_PAGES_A_STEP, progress=report, sleep=0)
            new.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise explain(source, error) from error
    flush(target)


def checked(path: Path) -> None:
    """Read every page of a closed store and make sure that all of it fits together.

    Raises:
        StoreError: It is damaged.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        raise explain(path, error) from error
    if found != ["ok"]:
        raise StoreError(f"{path.name}: the integrity check found: {'; '.join(found)}")


def settle(path: Path) -> None:
    """Bring everything into the one file, so that it can be moved; the caller holds the store alone.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise explain(path, error) from error


def put_in_place(new: Path, path: Path, kept: Path) -> None:
    """Let `new` take the place of `path` in one step; what stood there stays as `kept`.

    Files beside a store that could not be read go with it: laid over the new one they would destroy it.
    """
    if path.exists():
        os.link(path, kept)
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + ending))
    flush(new)
    new.replace(path)
    flush(path.parent)


def remove(path: Path) -> None:
    """Remove an unfinished copy and what lies beside it."""
    for ending in ("", *_BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in lower-case hex."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
