"""T6, retention: raw records whose day has come are removed, all but those an open quarantine still needs."""

from __future__ import annotations

from gateway.log import get_logger
from gateway.store.base import Store

SLICE = 2000
"""Rows removed in one transaction, so that nobody waits long for the writer."""

log = get_logger()


def expire(store: Store, now: float) -> int:
    """Remove what `store.raw_days` has outlived; gives how many records went."""
    removed = 0
    while gone := store.write(lambda tx: tx.expire_raw(now, limit=SLICE)):
        removed += gone
    if removed:
        log.info("raw_expired", records=removed)
    return removed
