"""What has had its day: attachments, and the journal's old days (T6)."""

from __future__ import annotations

from datetime import timedelta

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
    days = desk.journal.forget(now - timedelta(days=desk.config.store.journal_days))
    if removed or days:
        log.info("files_removed", files=removed, journal_days=days)
    return removed + days


def _forget(desk: Desk, ids: list[str]) -> None:
    desk.store.write(lambda tx: tx.drop_files(ids))
