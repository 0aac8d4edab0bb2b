"""SQL for deliveries: each frozen request with all its attempts."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from gateway.store.lanes import by_portal
from gateway.store.rows import DeliveryRow, LaneKey
from gateway.store.shapes import DELIVERY, dumps

_IN = "IN (SELECT value FROM json_each(?))"


class DeliveryTable:
    """Deliveries."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def _deliveries(self, condition: str, *parameters: object) -> list[DeliveryRow]:
        found = self._sql.execute(f"{DELIVERY.select} WHERE {condition}", parameters)
        return [DELIVERY.load(values) for values in found]

    def delivery(self, key: str) -> DeliveryRow | None:
        """By key."""
        return next(iter(self._deliveries("key = ?", key)), None)

    def delivery_by_id(self, delivery_id: int) -> DeliveryRow | None:
        """By number."""
        return next(iter(self._deliveries("id = ?", delivery_id)), None)

    def deliveries(self, keys: Iterable[LaneKey], *, open_only: bool = True) -> dict[LaneKey, list[DeliveryRow]]:
        """Per lane, oldest first; lanes without any are left out."""
        found: dict[LaneKey, list[DeliveryRow]] = defaultdict(list)
        only = "open AND " if open_only else ""
        for portal, ids in by_portal(keys).items():
            condition = f"{only}portal = ? AND dossier_id {_IN} ORDER BY id"
            for row in self._deliveries(condition, portal, dumps(ids)):
                found[LaneKey(portal, row.dossier_id)].append(row)
        return dict(found)

    def put_delivery(self, row: DeliveryRow) -> None:
        """Insert or replace by key; sets `row.id`."""
        row.id = self._sql.execute(f"{DELIVERY.upsert} RETURNING id", DELIVERY.values(row)).fetchone()[0]

    def list_deliveries(self, *, portal: str = "", states: Sequence[str] = (), limit: int = 1000) -> list[DeliveryRow]:
        """By portal and states, oldest first."""
        if not states:
            return self._deliveries("(? = '' OR portal = ?) ORDER BY id LIMIT ?", portal, portal, limit)
        here = "portal = ?" if portal else "? = ''"
        rows = [
            row
            for state in dict.fromkeys(states)
            for row in self._deliveries(f"state = ? AND {here} ORDER BY id LIMIT ?", state, portal, limit)
        ]
        return sorted(rows, key=lambda row: row.id or 0)[:limit]

    def count_deliveries(self) -> dict[tuple[str, str], int]:
        """(portal, state) -> how many."""
        found = self._sql.execute("SELECT portal, state, count(*) FROM delivery GROUP BY state, portal")
        return {(portal, state): count for portal, state, count in found}
