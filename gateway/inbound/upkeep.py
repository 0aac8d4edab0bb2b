"""What has had its day: attachments, and the journal's old days (T6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.inbound.intake import Desk
from gateway.log import get_logger

log = get_logger()


def upkeep(desk: Desk) -> int:
    """Remove files and journal days whose time has come; says how many."""
    now = desk.clock.now()
    removed = 0
    while old := desk.store.read(lambda tx: tx.expired_files(now.timestamp())):
        desk.files.remove(old)
        _forget(desk, [row.id for row in old])
        removed += len(old)
    removed += _remove_nobodys(desk, now)
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


def _forget(desk: Desk, ids: list[str]) -> None:
    desk.store.write(lambda tx: tx.drop_files(ids))
