"""SQL for stages handed over to other portals, and for our signed statements about them."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from gateway.store.rows import ReceiptRow, StageRow
from gateway.store.shapes import RECEIPT, STAGE, dumps

_IN = "IN (SELECT value FROM json_each(?))"
_KNOWN = "ON CONFLICT (dossier_id, portal, route) DO NOTHING"
_SAID = "ON CONFLICT (dossier_id, portal, route, fact, subject) DO NOTHING RETURNING id"


class HandoverTables:
    """Stages and receipts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def stages_of(self, dossier_ids: Iterable[str], *, portal: str = "") -> dict[str, list[StageRow]]:
        """Dossier id -> its hand-overs, in key order; dossiers without any are left out."""
        found: dict[str, list[StageRow]] = defaultdict(list)
        condition = f"dossier_id {_IN} AND (? = '' OR portal = ?) ORDER BY dossier_id, portal, route"
        for row in self._stages(condition, dumps(list(dossier_ids)), portal, portal):
            found[row.dossier_id].append(row)
        return dict(found)

    def _stages(self, condition: str, *parameters: object) -> list[StageRow]:
        return [STAGE.load(found) for found in self._sql.execute(f"{STAGE.select} WHERE {condition}", parameters)]

    def owe_stages(self, rows: Sequence[StageRow]) -> None:
        """Insert; a hand-over that is known stays as it is."""
        self._sql.executemany(f"{STAGE.insert} {_KNOWN}", map(STAGE.values, rows))

    def put_stages(self, rows: Sequence[StageRow]) -> None:
        """Insert or replace by (dossier, portal, route)."""
        self._sql.executemany(STAGE.upsert, map(STAGE.values, rows))

    def drop_stage(self, row: StageRow) -> None:
        """Forget a hand-over that never was."""
        named = (row.dossier_id, row.portal, row.route)
        self._sql.execute("DELETE FROM stage WHERE dossier_id = ? AND portal = ? AND route = ?", named)

    def list_stages(
        self, *, portal: str = "", open_only: bool = True, quiet_since: float | None = None, limit: int = 1000
    ) -> list[StageRow]:
        """Longest owed first; with `quiet_since` only those of which nothing became known after it."""
        still = "completed_at IS NULL" if open_only else "1 = 1"
        quiet = "(? IS NULL OR coalesce(accepted_at, received_at, sent_at, owed_at) <= ?)"
        return self._stages(
            f"{still} AND {quiet} AND (? = '' OR portal = ?) ORDER BY owed_at, dossier_id LIMIT ?",
            *(quiet_since, quiet_since, portal, portal, limit),
        )

    def open_stage_portals(self) -> set[str]:
        """Portals that have a stage which has not ended."""
        found = self._sql.execute("SELECT DISTINCT portal FROM stage WHERE completed_at IS NULL")
        return {str(portal) for (portal,) in found}

    def put_receipt(self, row: ReceiptRow) -> bool:
        """Insert; false when there is one of this dossier, portal, route, fact and subject already."""
        found = self._sql.execute(f"{RECEIPT.insert} {_SAID}", RECEIPT.values(row)).fetchone()
        row.id = int(found[0]) if found else None
        return found is not None

    def receipt(self, number: int) -> ReceiptRow | None:
        """By number."""
        found = self._sql.execute(f"{RECEIPT.select} WHERE id = ?", (number,)).fetchone()
        return RECEIPT.load(found) if found else None

    def receipts_of(self, dossier_id: str) -> list[ReceiptRow]:
        """Oldest first."""
        found = self._sql.execute(f"{RECEIPT.select} WHERE dossier_id = ? ORDER BY id", (dossier_id,))
        return [RECEIPT.load(row) for row in found]
