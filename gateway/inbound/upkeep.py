"""What has had its day: attachments, and the journal's old days (T6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from gateway.inbound.intake import Desk
from gateway.log import get_logger
from gateway.store.base import Tx
from gateway.store.rows import FileRow

log = get_logger()


def upkeep(desk: Desk) -> int:
    """Remove files and journal days whose time has come; says how many."""
    now = desk.clock.now()
    removed = 0
    while old := desk.store.write(lambda tx: _forget_old(tx, now.timestamp())):
        desk.files.remove(old)  # if the program ends before this, they are nobody's
        removed += len(old)
    removed += _remove_nobodys(desk, now) + _forget_lost(desk)
    days = desk.journal.forget(now - timedelta(days=desk.config.store.journal_days))
    if removed or days:
        log.info("files_removed", files=removed, journal_days=days)
    return removed + days


def _remove_nobodys(desk: Desk, now: datetime) -> int:
    """Files that no row names: of calls that were refused for another file, or whose program ended in between.

    Not before the journal has forgotten their calls: a store that is restored gets its rows back from there.
    """
    before = (now - timedelta(days=desk.config.store.journal_days)).timestamp()
    nobodys = [name for name in desk.files.older_than(before) if _is_nobodys(desk, name)]
    desk.files.remove_names(nobodys)
    return len(nobodys)


def _is_nobodys(desk: Desk, name: str) -> bool:
    return desk.store.read(lambda tx: tx.file(name)) is None


def _forget_old(tx: Tx, now: float) -> list[FileRow]:
    """In one transaction, so that no delivery is begun in between that names them."""
    old = tx.expired_files(now)
    tx.drop_files(row.id for row in old)
    return old


def _some_files(after: str, tx: Tx) -> list[FileRow]:
    return tx.list_files(after=after)


def _forget(desk: Desk, ids: list[str]) -> None:
    desk.store.write(lambda tx: tx.drop_files(ids))


def _forget_lost(desk: Desk) -> int:
    """Rows of fetched files whose bytes are gone, as after a restore: what needs them asks for them again.

    What came with a call cannot be had again: its row stays, for somebody may still put the folder back.
    """
    after, lost = "", 0
    while rows := desk.store.read(partial(_some_files, after)):
        after = rows[-1].id
        gone = [row.id for row in rows if row.key == row.dossier_id and not desk.files.has(row)]
        if gone:
            _forget(desk, gone)
            log.warning("files_lost", files=len(gone))
            lost += len(gone)
    return lost
