"""SQL for lanes: what is due, who leases it, and why it waits."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.store.rows import LaneKey, LaneRow
from gateway.store.shapes import LANE, dumps

_IN = "IN (SELECT value FROM json_each(?))"

_MARK = """
INSERT INTO lane (portal, dossier_id, due_at, mark, lease_until, lease_token, state, reason, since, doc)
VALUES (?, ?, ?, 1, 0.0, '', 'calm', '', ?, '{}')
ON CONFLICT (dossier_id, portal) DO UPDATE SET
    mark = mark + 1,
    due_at = CASE WHEN due_at IS NULL OR due_at > excluded.due_at THEN excluded.due_at ELSE due_at END
"""


def by_portal(keys: Iterable[LaneKey]) -> dict[str, list[str]]:
    """Portal -> dossier ids."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        grouped[key.portal].append(key.dossier_id)
    return grouped


class LaneTable:
    """Lanes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def _lanes(self, condition: str, *parameters: object) -> list[LaneRow]:
        return [LANE.load(found) for found in self._sql.execute(f"{LANE.select} WHERE {condition}", parameters)]

    def lanes(self, keys: Iterable[LaneKey]) -> dict[LaneKey, LaneRow]:
        """Rows by key."""
        return {
            LaneKey(portal, row.dossier_id): row
            for portal, ids in by_portal(keys).items()
            for row in self._lanes(f"portal = ? AND dossier_id {_IN}", portal, dumps(ids))
        }

    def lanes_of(self, dossier_ids: Iterable[str]) -> dict[str, list[LaneRow]]:
        """Dossier id -> its lanes."""
        found: dict[str, list[LaneRow]] = defaultdict(list)
        for row in self._lanes(f"dossier_id {_IN} ORDER BY dossier_id, portal", dumps(list(dossier_ids))):
            found[row.dossier_id].append(row)
        return dict(found)

    def put_lanes(self, rows: Sequence[LaneRow]) -> None:
        """Insert or replace whole rows; read and written in one transaction, so that no mark is lost."""
        self._sql.executemany(LANE.upsert, map(LANE.values, rows))

    def mark_due(self, keys: Iterable[LaneKey], at: float) -> None:
        """Make lanes due at `at` or earlier and let `mark` grow; unknown lanes are made."""
        self._sql.executemany(_MARK, [(key.portal, key.dossier_id, at, at) for key in keys])

    def claim(self, portal: str, now: float, *, limit: int, lease_until: float, token: str) -> list[LaneRow]:
        """Lease due lanes whose lease is free, longest due first."""
        free = self._lanes(
            "portal = ? AND due_at <= ? AND lease_until <= ? ORDER BY due_at, dossier_id LIMIT ?",
            portal,
            now,
            now,
            limit,
        )
        self._sql.executemany(
            "UPDATE lane SET lease_until = ?, lease_token = ? WHERE dossier_id = ? AND portal = ?",
            [(lease_until, token, row.dossier_id, portal) for row in free],
        )
        return [replace(row, lease_until=lease_until, lease_token=token) for row in free]

    def has_due(self, portal: str, now: float) -> bool:
        """Whether a claim would find a lane."""
        sought = "SELECT 1 FROM lane WHERE portal = ? AND due_at <= ? AND lease_until <= ? LIMIT 1"
        return self._sql.execute(sought, (portal, now, now)).fetchone() is not None

    def due_lanes(self, portal: str, now: float | None = None) -> int:
        """How many lanes are due (by `now`, or at all)."""
        until = "due_at IS NOT NULL" if now is None else "due_at <= ?"
        parameters = (portal,) if now is None else (portal, now)
        found = self._sql.execute(f"SELECT count(*) FROM lane WHERE portal = ? AND {until}", parameters)  # noqa: S608
        return int(found.fetchone()[0])

    def iter_lanes(self, *, portal: str = "", state: str = "", limit: int = 1000) -> list[LaneRow]:
        """Lanes that wait, longest first; then, where they were asked for, calm ones in key order."""
        here = "(? = '' OR portal = ?)"
        if state not in ("", "calm"):
            return self._lanes(
                f"state <> 'calm' AND state = ? AND {here} ORDER BY since LIMIT ?", state, portal, portal, limit
            )
        waits = f"state <> 'calm' AND {here} ORDER BY since LIMIT ?"
        waiting = [] if state else self._lanes(waits, portal, portal, limit)
        calm = f"state = 'calm' AND {here} ORDER BY dossier_id, portal LIMIT ?"
        return waiting + (self._lanes(calm, portal, portal, limit - len(waiting)) if len(waiting) < limit else [])
