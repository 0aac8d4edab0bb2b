"""Restoring a backup: checked first, and begun as a new epoch in which nothing is sent until compared (S27)."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.evidence.leaf import leaf
from gateway.store.backup import Head, head_of, verify
from gateway.store.copies import checked, flush, hold, put_in_place, remove, settle
from gateway.store.migrate import upgrade
from gateway.store.rows import LaneKey
from gateway.store.schema import HEAD
from gateway.store.shapes import PORTAL
from gateway.store.transaction import SqliteTx
from schemas.errors import StoreError

AHEAD = 1_000_000_000
"""More items than are offered between a backup and the loss of its store."""
_NUMBERED = ("delivery", "raw", "quarantine", "run", "inbound_call", "receipt", "notice")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the new epoch, both heads, what is open, and where the replaced store is kept."""

    epoch: int
    backup: Head
    replaced: Head | None
    open_deliveries: int
    kept: Path | None


@dataclass(frozen=True, slots=True)
class _Replaced:
    head: Head
    numbers: dict[str, int]


def restore(source: Path, store: Path, now: datetime, *, actor: str) -> Restored:
    """Put a backup in the place of `store`; the store that stood there is kept beside it, never deleted.

    Every portal goes back to `watch` until compared, sessions and leases end, and every delivery that was open counts
    as begun by a worker that is gone: its lane is due, and the engine treats it as unknown with the full waiting time.
    Settings `epoch` and `restored_at` and a leaf of kind `restore` tell the engine and the auditor.

    Args:
        source: The backup's manifest or database file.
        actor: Who asked for it.

    Raises:
        StoreError: The backup is not whole, is of a newer program, or the store is open elsewhere. Nothing was changed.
    """
    manifest = verify(source)
    with hold(store, exclusive=True):
        new = store.with_name(f"{store.name}.restoring")
        kept = store.with_name(f"{store.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
        remove(new)
        try:
            shutil.copyfile(source.with_name(manifest.file), new)
            new.chmod(0o600)
            if manifest.revision != HEAD:
                upgrade(new)
            replaced = _read_replaced(store, kept)
            begun = _begin_epoch(new, now, actor, replaced)
            checked(new)
            flush(new)
            there = store.exists()
            put_in_place(new, store, kept)
        except OSError as error:
            raise StoreError(f"{store.name}: the backup cannot be put in place: {error.strerror}") from error
        finally:
            remove(new)
    gone = replaced.head if replaced else None
    return Restored(begun.epoch, manifest.head, gone, begun.open_deliveries, kept if there else None)


def _read_replaced(store: Path, kept: Path) -> _Replaced | None:
    """Head and last numbers of the store that goes; None where there is none or it can no longer be read."""
    if not store.exists():
        return None
    log, kept_log = (path.with_name(f"{path.name}-wal") for path in (store, kept))
    if log.exists():
        # Opening a damaged store makes SQLite throw its log away, and the last commits with it.
        shutil.copyfile(log, kept_log)
    try:
        settle(store)
        kept_log.unlink(missing_ok=True)
        with closing(sqlite3.connect(store)) as connection:
            numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
            return _Replaced(head_of(connection), numbers)
    except (StoreError, sqlite3.Error):
        return None


@dataclass(frozen=True, slots=True)
class _Begun:
    epoch: int
    open_deliveries: int


def _begin_epoch(new: Path, now: datetime, actor: str, replaced: _Replaced | None) -> _Begun:
    at = now.timestamp()
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        tx, head = SqliteTx(connection), head_of(connection)
        epoch = max(head.epoch, replaced.head.epoch if replaced else 1) + 1
        portals = _watch_again(connection)
        connection.execute("UPDATE lane SET lease_until = 0.0, lease_token = '' WHERE lease_token <> ''")
        open_lanes = connection.execute("SELECT portal, dossier_id FROM delivery WHERE open").fetchall()
        connection.execute("UPDATE delivery SET state = 'begun' WHERE open")
        tx.mark_due(dict.fromkeys(LaneKey(*found) for found in open_lanes), at)
        _go_on_counting(connection, replaced.numbers if replaced else _far_ahead(connection))
        tx.put_setting("epoch", str(epoch))
        tx.put_setting("restored_at", str(at))
        said = leaf(
            "restore",
            at,
            epoch=epoch,
            actor=actor,
            backup=head.model_dump(),
            replaced=replaced.head.model_dump() if replaced else None,
            portals=portals,
            open_deliveries=len(open_lanes),
        )
        tx.append_leaves([said])
        connection.execute("COMMIT")
    return _Begun(epoch, len(open_lanes))


def _watch_again(connection: sqlite3.Connection) -> list[str]:
    rows = [PORTAL.load(found) for found in connection.execute(f"{PORTAL.select} ORDER BY portal")]
    for row in rows:
        row.mode, row.doc["compare_needed"] = "watch", True
        row.sealed_session, row.session_until = b"", 0.0
        SqliteTx(connection).put_portal(row)
    return [row.portal for row in rows]


def _far_ahead(connection: sqlite3.Connection) -> dict[str, int]:
    """Where nobody knows how many items ministries were offered since the backup: further than they can have come.

    Their cursors are numbers of items; one given again would be passed over.
    """
    numbers = dict(connection.execute("SELECT name, seq FROM sqlite_sequence WHERE name = 'notice'"))
    return {"notice": int(numbers.get("notice", 0)) + AHEAD}


def _go_on_counting(connection: sqlite3.Connection, numbers: dict[str, int]) -> None:
    """Numbers that operators saw in the replaced store are not given a second time."""
    for table in _NUMBERED:
        connection.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0 WHERE NOT EXISTS "
            "(SELECT 1 FROM sqlite_sequence WHERE name = ?)",
            (table, table),
        )
        connection.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (numbers.get(table, 0), table)
        )
