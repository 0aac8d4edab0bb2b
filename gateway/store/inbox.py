"""SQL for inboxes: items in the order in which they were offered, notices about them, and the keys that open them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.store.rows import AccessKeyRow, DeliveryRow, NoticeRow
from gateway.store.shapes import ACCESS_KEY, DELIVERY, NOTICE

Item = tuple[NoticeRow, DeliveryRow]

_ALL = "FROM notice JOIN delivery ON delivery.key = notice.key WHERE notice.portal = ?"
_WAITING = (
    "FROM delivery CROSS JOIN notice ON notice.portal = delivery.portal AND notice.item = delivery.key_uuid "
    "WHERE delivery.open AND delivery.portal = ?"
)


class InboxTables:
    """Notices and access keys."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def offer(self, row: NoticeRow, *, anew: bool = False) -> None:
        """Put an item at the end of its inbox; one that is there already stays where it is, but for `anew`."""
        if anew:
            self._sql.execute("DELETE FROM notice WHERE portal = ? AND item = ?", (row.portal, row.item))
        values = NOTICE.values(row)
        self._sql.execute(f"{NOTICE.insert} ON CONFLICT (portal, item) DO NOTHING", values)

    def items(self, portal: str, *, after: int = 0, waiting: bool = False, limit: int = 100) -> list[Item]:
        """Items of one portal behind number `after`, oldest first; only those that still wait, or all."""
        # What waits is little and found by the index of open deliveries, however much was settled before.
        source = _WAITING if waiting else _ALL
        found = self._sql.execute(
            f"SELECT notice.id, delivery.id {source} AND notice.id > ? ORDER BY notice.id LIMIT ?",
            (portal, after, limit),
        ).fetchall()
        return [self._item(*numbers) for numbers in found]

    def last_offered(self) -> int:
        """The highest number that any item has had, whether it is still there or was lost with a store; 0 for none."""
        found = self._sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'notice'").fetchone()
        return int(found[0]) if found else 0

    def item(self, portal: str, name: str) -> Item | None:
        """By name; another portal's item is none."""
        found = self._sql.execute(
            "SELECT notice.id, delivery.id FROM notice JOIN delivery ON delivery.key = notice.key "
            "WHERE notice.portal = ? AND notice.item = ?",
            (portal, name),
        ).fetchone()
        return self._item(*found) if found else None

    def _item(self, notice_id: int, delivery_id: int) -> Item:
        notice = self._sql.execute(f"{NOTICE.select} WHERE id = ?", (notice_id,)).fetchone()
        delivery = self._sql.execute(f"{DELIVERY.select} WHERE id = ?", (delivery_id,)).fetchone()
        return NOTICE.load(notice), DELIVERY.load(delivery)

    def due_notices(self, portal: str, now: float, *, limit: int = 100) -> list[NoticeRow]:
        """Notices whose time has come, in the order of their items."""
        found = self._sql.execute(
            f"{NOTICE.select} WHERE portal = ? AND state = 'due' AND next_at <= ? ORDER BY id LIMIT ?",
            (portal, now, limit),
        )
        return [NOTICE.load(row) for row in found]

    def put_notice(self, row: NoticeRow) -> None:
        """Note what became of a notice."""
        self._sql.execute(
            "UPDATE notice SET state = ?, tries = ?, next_at = ?, told_at = ?, reason = ? WHERE id = ?",
            (row.state, row.tries, row.next_at, row.told_at, row.reason, row.id),
        )

    def count_notices(self, portal: str) -> dict[str, int]:
        """State -> how many."""
        found = self._sql.execute("SELECT state, count(*) FROM notice WHERE portal = ? GROUP BY state", (portal,))
        return dict(found.fetchall())

    def blank_collected(self, portal: str, before: float, *, limit: int = 1000) -> int:
        """Remove the content of items that were settled before an instant; says of how many."""
        done = self._sql.execute(
            "UPDATE delivery SET sealed_body = x'' WHERE id IN (SELECT delivery.id FROM notice "
            "JOIN delivery ON delivery.key = notice.key WHERE notice.portal = ? AND NOT delivery.open "
            "AND delivery.settled_at < ? AND length(delivery.sealed_body) > 0 LIMIT ?)",
            (portal, before, limit),
        )
        return done.rowcount

    def put_access_key(self, row: AccessKeyRow) -> None:
        """Insert or replace by id."""
        self._sql.execute(ACCESS_KEY.upsert, ACCESS_KEY.values(row))

    def access_key(self, key_id: str) -> AccessKeyRow | None:
        """By id, revoked or not."""
        found = self._sql.execute(f"{ACCESS_KEY.select} WHERE id = ?", (key_id,)).fetchone()
        return ACCESS_KEY.load(found) if found else None

    def access_keys(self) -> Sequence[AccessKeyRow]:
        """All, oldest first."""
        found = self._sql.execute(f"{ACCESS_KEY.select} ORDER BY made_at, id")
        return [ACCESS_KEY.load(row) for row in found]
