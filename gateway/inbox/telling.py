"""Notices: a ministry is told that something waits; what it is, it must come and see.

A notice is made when an item is offered and stays in the store until it was taken, or given up. It is only a hint: a
ministry that never hears one finds the same items by listing its inbox. Nothing personal stands in it.
"""

from __future__ import annotations

from collections import Counter
from typing import cast
from urllib.parse import urlsplit

import orjson

from adapters.inbox.adapter import InboxAdapter
from adapters.webhook.sender import Told
from gateway.config_file.portals import is_loopback
from gateway.log import get_logger
from gateway.store.base import Tx
from gateway.store.rows import DeliveryRow, NoticeRow
from gateway.sync.case import Workshop
from gateway.sync.views import instant

OFFERED = "item.offered"
BATCH = 100
UPKEEP_EVERY_S = 3600.0

log = get_logger()


class Teller:
    """Tells one ministry. One call at a time."""

    def __init__(self, shop: Workshop, portal: str) -> None:
        self._shop = shop
        self._portal = portal
        self._adapter = cast("InboxAdapter", shop.portals[portal].adapter)
        self._blanked_at = 0.0

    def run(self) -> Counter[str]:
        """Tell what is due, once each; says what came of it. Old content is removed on the way, once an hour."""
        counts: Counter[str] = Counter()
        self._blank()
        if reason := self._not_now():
            return Counter({reason: 1}) if reason == "paused" else self._all_moot()
        for row in self._due():
            if self._shop.portals[self._portal].stopping.is_set():
                break
            counts[self._one(row)] += 1
        return counts

    def _not_now(self) -> str:
        """Why nobody is told: it wants no notices, or must not be reached from this environment."""
        if not self._adapter.wants_notices:
            return "unwanted"
        host = urlsplit(self._adapter.options.notice_url).hostname or ""
        if self._shop.config.environment != "production" and not is_loopback(host):
            return "elsewhere"
        state = self._shop.store.read(lambda tx: (tx.setting("paused"), tx.portal(self._portal)))
        return "paused" if state[0] or state[1].paused or state[1].mode != "live" else ""

    def _due(self) -> list[NoticeRow]:
        now = self._shop.now()
        return self._shop.store.read(lambda tx: tx.due_notices(self._portal, now, limit=BATCH))

    def _all_moot(self) -> Counter[str]:
        rows = self._due()

        def work(tx: Tx) -> None:
            for row in rows:
                row.state, row.next_at = "moot", None
                tx.put_notice(row)

        if rows:
            self._shop.store.write(work)
        return Counter()

    def _one(self, row: NoticeRow) -> str:
        held = self._shop.store.read(lambda tx: tx.delivery(row.key))
        if held is None or not held.open:
            row.state, row.next_at = "moot", None
        else:
            self._judge(row, self._adapter.tell(notice_id(row, held), body_of(row, held.operation)))
        self._shop.store.write(lambda tx: tx.put_notice(row))
        return row.state

    def _judge(self, row: NoticeRow, told: Told) -> None:
        now, waits = self._shop.now(), self._adapter.options.notice_waits_s
        row.reason = told.reason
        if not told.reason:
            row.state, row.next_at, row.told_at = "told", None, now
            log.info("item_notice_sent", portal=self._portal, item=row.item, tries=row.tries + 1)
            return
        row.tries += 1
        if told.gone or row.tries > len(waits):
            row.state, row.next_at = "given_up", None
        else:
            row.next_at = now + max(waits[row.tries - 1], min(told.not_before_s or 0.0, 86_400.0))
        log.warning("item_notice_failed", portal=self._portal, reason=told.reason, tries=row.tries, state=row.state)

    def _blank(self) -> None:
        now = self._shop.now()
        if now - self._blanked_at < UPKEEP_EVERY_S:
            return
        self._blanked_at = now
        before = now - self._adapter.options.keep_days * 86_400.0
        self._shop.store.write(lambda tx: tx.blank_collected(self._portal, before))


def notice_id(row: NoticeRow, held: DeliveryRow) -> str:
    """The same for every try of one notice: the receiver knows a repeat by it. Another when it is offered anew."""
    offers = len(held.attempts)
    return f"msg_{row.item}" if offers < 2 else f"msg_{row.item}_{offers}"


def body_of(row: NoticeRow, operation: str) -> bytes:
    """The body: kind, time, and which item; the same bytes at every try."""
    data = {"item_id": row.item, "operation": operation, "path": f"/v1/inbox/items/{row.item}"}
    return orjson.dumps({"type": OFFERED, "timestamp": instant(row.at), "data": data})
